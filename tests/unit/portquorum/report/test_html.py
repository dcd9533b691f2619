"""A report as an HTML page."""

from datetime import UTC, date, datetime
from html.parser import HTMLParser

from portquorum.report.html import document
from portquorum.report.result import Column, Days, Figure, Report, ReportTable

DAYS = [date(2026, 11, day) for day in (1, 2, 3)]
NASTY = "<script>alert(1)</script>"


def report() -> Report:
    columns = [
        Column(name="target", title="target", unit="text"),
        Column(name="left", title="left", unit="seconds", bar=True),
        Column(name="at", title="at", unit="time"),
    ]
    at = datetime(2026, 11, 3, tzinfo=UTC)
    rows = [[NASTY, 200, at], ["b", 100, None], ["c", -20, None]]
    return Report(
        kind="uptime",
        scope=NASTY,
        since=DAYS[0],
        until=DAYS[-1],
        verdict=NASTY,
        figures=[Figure(name="up", title="uptime", value=99.9, unit="percent", tone="good")],
        days=[
            Days(
                name="days",
                title="Each day",
                unit="percent",
                days=DAYS,
                values=[100.0, None, 99.0],
                low_is_bad=True,
            )
        ],
        tables=[
            ReportTable(name="targets", title="Targets", columns=columns, rows=rows, left_out=1234),
            ReportTable(name="none", title="Nothing here", columns=[], rows=[]),
        ],
        notes=["a note"],
        trouble=True,
    )


class Seen(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data.strip())


def seen() -> Seen:
    found = Seen()
    found.feed(document(report()))
    found.close()
    return found


def test_the_page_has_everything() -> None:
    text = seen().text
    for said in (
        *("Uptime", NASTY, "99.900 %", "uptime", "Each day", "the foot is 98.90 %"),
        *("3 min 20 s", "1 min 40 s", "-20 s", "2026-11-03 00:00:00", "nothing", "A note."),
        "and 1,234 more; --limit says how many are shown",
    ):
        assert said in text, said


def test_the_page_needs_nothing_else_and_no_text_becomes_markup() -> None:
    for tag, attributes in seen().tags:
        assert tag not in {"script", "link", "img", "iframe"}
        assert not attributes.keys() & {"src", "href"}


def test_bars_are_as_high_and_long_as_their_values() -> None:
    tags = seen().tags
    bars = [attributes for tag, attributes in tags if tag == "rect"]
    # A day without a value has none; the foot is a tenth below the worst day.
    assert [(bar["x"], bar["height"]) for bar in bars] == [("1.0", "100.00"), ("21.0", "9.09")]
    lengths = [(found["class"], found["style"]) for tag, found in tags if tag == "i"]
    assert lengths == [("", "width:100.0%"), ("", "width:50.0%"), ("low", "width:0.0%")]
