"""What people read never has a command to their terminal, a turned text or markup in it."""

import io
import logging
import sys
from typing import Any

import msgspec
import pytest
import structlog
from rich.color import ColorSystem
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from foundation import telemetry
from foundation.settings import Settings
from portquorum.cli import check
from portquorum.cli.host_port import HostPort
from portquorum.cli.incidents_shown import show_incidents
from portquorum.cli.notify_shown import show_channels, show_rehearsed, show_why
from portquorum.cli.status_answer import MonitorTrouble, StatusAnswer
from portquorum.cli.status_shown import show
from portquorum.delivery.channel_status import ChannelFacts, ChannelStatus
from portquorum.delivery.rehearsal import Rehearsed
from portquorum.delivery.why import EventTold, MemberNow, SubjectNow, SubjectTold, WhyAnswer
from portquorum.inventory import html, markdown
from portquorum.inventory.errors import Problem, Where
from portquorum.inventory.page import Cell, InventoryPage, Section
from portquorum.presentation import output
from portquorum.presentation.output import out, print_json, print_notes, table
from portquorum.presentation.plain_console import PlainConsole
from portquorum.supervisor import Role, Stage
from portquorum.supervisor.screen import PrettyListener, Screen
from schemas.notification import Notification
from schemas.plain_text import unsafe_in
from sinks.clickhouse.fleet_queries import FleetFilter, FleetSummary, RegionNow, TargetNow
from sinks.clickhouse.queries import Incident, IncidentNotification
from sinks.notifier.texts.model import Budget
from sinks.notifier.texts.render import render
from tests.unit.sinks.notifier.events import incident_event
from tests.unit.sinks.notifier.texts.deliveries import delivery

EVIL = "a\x1b[31mb\x1b]0;title\x07\x9b2J\x00\x7f\u202ec\u2066d\u2028e\ud800f\rg\x08"
MARKUP = "[red]x[/red] [/] :warning: [link=file:///]y"


def harmless(text: str) -> bool:
    return unsafe_in(text, but="\n") is None


@pytest.fixture
def console() -> PlainConsole:
    made = PlainConsole()
    made.width = 300
    return made


@pytest.mark.parametrize(
    "wrapped", [str, Text, Padding, Panel, lambda text: table((text,), [(text,)])]
)
def test_nothing_that_is_printed_is_a_command(console: PlainConsole, wrapped: Any) -> None:
    with console.capture() as printed:
        console.print(wrapped(EVIL))
    text = printed.get()
    assert harmless(text)
    assert "[31mb" in text, "what was meant as a command can be seen"


def test_brackets_and_colons_are_text(console: PlainConsole) -> None:
    with console.capture() as printed:
        console.print(MARKUP)
        console.print(table(("a",), [(MARKUP,)], title=MARKUP))
    assert printed.get().count(MARKUP) == 3


def test_colours_are_still_there(console: PlainConsole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_color_system", ColorSystem.STANDARD)
    with console.capture() as printed:
        console.print(Text("x", style="red"))
    assert printed.get() == "\x1b[31mx\x1b[0m\n"


@pytest.mark.parametrize("width", [20, 40, 80])
def test_text_wraps_between_words_and_no_word_is_broken(console: PlainConsole, width: int) -> None:
    words = (
        "incident 3f2c9a1e-7b0d-4a52-9d3e-1f0a4c9b7d21 of db1.eu-central-1.example.com:5432 (tcp)"
    )
    long = f"{words} is open since a while\n  and this is a second line of it {words}"
    console.width = width
    with console.capture() as printed:
        console.print(Text(long, style="red"))
    lines = printed.get().splitlines()
    assert " ".join(printed.get().split()) == " ".join(long.split())
    assert {word for line in lines for word in line.split()} == set(long.split())
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines), lines
    assert any(line.startswith("  and") for line in lines)
    assert not any(line.endswith(" ") for line in lines[:-1])


def test_printing_in_pieces(console: PlainConsole) -> None:
    with console.capture() as printed:
        console.print("a", Text("b"), "c", end="")
        console.print()
        console.print("x\n\ny", style="dim")
        console.print("long " * 100, soft_wrap=True)
    assert printed.get() == "a b c\nx\n\ny\n" + "long " * 100 + "\n"


def test_a_value_in_a_table_is_one_line(console: PlainConsole) -> None:
    with console.capture() as printed:
        console.print(table(("name", "status"), [("real\nforged  up", "down")]))
    assert "real forged  up" in printed.get()


def test_json_stays_json_and_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    text = EVIL.replace("\ud800", "")
    print_json({"name": text})
    printed = capsys.readouterr().out
    assert harmless(printed)
    assert msgspec.json.decode(printed) == {"name": text}


def incident(text: str) -> Incident:
    fields: dict[str, Any] = dict.fromkeys(Incident.__struct_fields__, 0)
    words = ("incident_id", "status", "incident_type", "name", "kind", "host", "summary")
    entries = tuple(
        IncidentNotification(
            event=text,
            channel=channel,
            status=status,
            attempt=1,
            at=1,
            event_at=1,
            error=text,
            why=text,
            action=text,
        )
        for channel in (text, f"{text}/{text}/{text}", "")
        for status in ("sent", "dead", "not_sent")
    )
    told = {"notifications": entries}
    return Incident(**(fields | dict.fromkeys(words, text) | told))


def fleet(text: str, state: str, number: int) -> StatusAnswer:
    """An answer of which everything that somebody else writes is `text`."""
    region = RegionNow(
        region=text, status=state, reason=text, detail=text, latency_ms=1.0, checked_at=1
    )
    target = TargetNow(
        target=text,
        name=text,
        kind=text,
        host=text,
        port=1,
        team=text,
        criticality="normal",
        status=state,
        since=1,
        is_resolved=False,
        newest_result_at=1,
        regions=(region,),
    )
    counts = {text: {state: number}, f"{text}2": {state: 1}}
    return StatusAnswer(
        now=2,
        trouble=(MonitorTrouble(what="region_silent", region=text, since=1, text=text),),
        open_incidents=1,
        incidents=(incident(text),),
        summary=FleetSummary(
            targets=number,
            by_status={state: number},
            by_team=counts,
            by_region=counts,
            newest_result_at=1,
        ),
        targets=(target,) * number,
    )


def test_status_incidents_and_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out(), "width", 300)
    evil = EVIL + MARKUP
    for state in ("up", "down"):
        for number in (1, 2, 600):
            with out().capture() as printed:
                show(fleet(evil, state, number), FleetFilter())
            text = printed.get() + capsys.readouterr().out
            assert harmless(text)
            assert MARKUP in text
            assert text.count(MARKUP) >= number
    with out().capture() as printed:
        show_incidents([incident(EVIL + MARKUP + "\nforged")])
    assert harmless(printed.get())
    assert MARKUP in printed.get()
    assert not any(line.startswith("forged") for line in printed.get().splitlines())
    answer: dict[str, Any] = dict.fromkeys(check.CheckAnswer.__struct_fields__)
    answer |= {"host": "a", "kind": "http", "status": "down", "hops": ()}
    answer |= {"detail": EVIL, "banner": EVIL, "address": EVIL}
    with out().capture() as printed:
        check._show(HostPort("a", 1), check.CheckAnswer(**answer))
    assert harmless(printed.get())


def test_notes_and_problems(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(Where(f"{EVIL}.yaml", 3, (EVIL,)), EVIL)
    assert harmless(str(problem).replace("\n", "\x00"))
    output.err.cache_clear()
    print_notes([EVIL])
    output.err.cache_clear()
    assert harmless(capsys.readouterr().err)


def test_an_inventory_as_a_page() -> None:
    cell = Cell(EVIL, link=f"https://{EVIL}")
    page = InventoryPage(
        EVIL, EVIL, (Section(EVIL, (EVIL,), ((cell, Cell(EVIL, code=True)),), EVIL),)
    )
    for document in (html.document(page), markdown.document(page)):
        assert harmless(document)


def test_a_message_to_people() -> None:
    event = incident_event(
        name=f"{EVIL}\nSeverity: none",
        summary=EVIL,
        host=EVIL,
        team=EVIL,
        tags=(EVIL,),
        runbook=EVIL,
        first_steps=(EVIL,),
    )
    for events in ([event], [event, event]):
        text = render(delivery("opened", *events), Budget(title=250, body=10_000))
        assert harmless(text.subject + text.body)
        assert "\n" not in text.subject
        assert "\nSeverity: none" not in text.body


def test_the_screen_of_up() -> None:
    console = PlainConsole()
    console.file = io.StringIO()
    console.width = 300
    screen = Screen(console, lambda: None)
    listener = PrettyListener(screen, verbose=True)
    role = Role(name="probe local", argv=(), stage=Stage.PROBERS)
    text = EVIL.replace("\ud800", "")
    record = {"event": text, "level": "error", "exception": text, "body": text, text: text}
    listener.line(role, msgspec.json.encode(record).decode())
    listener.line(role, text)
    screen.close()
    printed = console.file.getvalue()
    assert len(printed.splitlines()) >= 2
    assert harmless(printed)


def test_a_log_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    telemetry.configure_logging("probe", Settings(log_format="pretty"))
    log = structlog.stdlib.get_logger("of.this.test")
    log.warning(EVIL, why=EVIL)
    try:
        raise ValueError(EVIL)  # noqa: TRY301
    except ValueError:
        log.exception("failed")
    logging.getLogger("of.a.library").warning("%s", EVIL)
    printed = stream.getvalue()
    assert "ValueError" in printed
    # Its own colours begin with ESC [ and end with m.
    for code in ("\x1b]", "\x1b[31mb", "\x9b", "\x07", "\x00", "\x7f", "\u202e", "\r", "\x08"):
        assert code not in printed, code


class _File(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "columns", "one_line"),
    [(False, None, True), (False, "60", False), (True, None, False)],
)
def test_a_text_is_one_line_where_a_program_reads_it(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, columns: str | None, one_line: bool
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    console = PlainConsole()
    file = _File(terminal=terminal)
    console.file = file
    words = " ".join(["word"] * 50)
    console.print(Text(words))
    assert (file.getvalue() == f"{words}\n") is one_line
    file.seek(0)
    file.truncate()
    console.print_indented(Text(words))
    lines = file.getvalue().splitlines()
    assert (len(lines) == 1) is one_line
    assert all(line.startswith("  word") and not line.endswith(" ") for line in lines)
    assert " ".join(file.getvalue().split()) == words


def test_who_was_told_and_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out(), "width", 300)
    evil = EVIL + MARKUP
    facts = ChannelFacts(channel_class=evil, body=1, units=evil, missing=(evil,), problem=evil)
    channels = [
        ChannelStatus(
            route=evil,
            id=evil,
            scheme=evil,
            facts=facts,
            condition="fails",
            error=evil,
            in_policy=in_policy,
        )
        for in_policy in (True, False)
    ]
    tried = Rehearsed(
        route=evil, id=evil, scheme=evil, action="opened", outcome="refused", ms=1, error=evil
    )
    sent = Notification(
        event_id=evil,
        incident_id=evil,
        event=evil,
        target=evil,
        team=evil,
        route=evil,
        channel=f"{evil}/{evil}/{evil}",
        severity=evil,
        status="not_sent",
        attempt=1,
        at=1,
        event_at=1,
        subject=evil,
        group=evil,
        error=evil,
        why=evil,
    )
    member = MemberNow(
        route=evil,
        id=evil,
        scheme=evil,
        knows=None,
        episode=0,
        waits_since=1,
        attempts=1,
        error=evil,
        maybe_told=True,
        open_key=evil,
        acknowledged=True,
        fallback_for=evil,
    )
    now = SubjectNow(
        phase="down", episode=1, began_at=1, changed_at=1, acknowledged=True, audience=(member,)
    )
    event = EventTold(event_id=evil, event=evil, at=1, sent=(sent,))
    subject = SubjectTold(key=evil, title=evil, target=evil, events=(event,), now=now)
    with out().capture() as printed:
        show_channels(channels, 2)
        show_rehearsed([tried])
        for shown in ([subject], []):
            show_why(WhyAnswer(asked=evil, matched="target", subjects=tuple(shown)), shown, 2)
    assert harmless(printed.get())
    assert printed.get().count(MARKUP) > 20
