"""Reports, as `portquorum report` makes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from portquorum.report import words
from portquorum.report.result import Report, Unit, Value
from portquorum.web.answers import Counts, Freshness
from portquorum.web.charts.chart import Chart
from portquorum.web.pages.address import Address
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer
from portquorum.web.words import REPORTS

SPANS: Final = (7, 30, 90, 365)
"""Days of a report, to choose from."""

FILTERS: Final[Mapping[str, Sequence[str]]] = {
    "days": tuple(f"{one}" for one in SPANS),
    "team": (),
    "target": (),
}
"""What the page can be asked, with the values of what has few."""

DAYS: Final = 30
"""Days of a report whose URL names none."""


class ReportView(Struct, frozen=True, kw_only=True):
    """What the page shows; `trouble` says why there is no report."""

    kind: str
    report: Report | None
    trouble: str = ""
    charts: Sequence[Chart] = ()


def days_of(asked: Address) -> int:
    """The number of days that a URL asks for."""
    return next((one for one in SPANS if f"{one}" == asked.value("days")), DAYS)


def page(
    found: ReportView, freshness: Freshness, counts: Counts, asked: Address, viewer: Viewer
) -> str:
    """The page as HTML; `counts` are those of the whole fleet."""
    return render(
        "report.html",
        viewer,
        freshness,
        counts,
        title=REPORTS.get(found.kind, found.kind),
        kind=found.kind,
        kinds=tuple(REPORTS.items()),
        report=found.report,
        trouble=found.trouble,
        charts=found.charts,
        asked=asked,
        days=days_of(asked),
        spans=SPANS,
        value_text=lambda value, unit: _text(value, unit, viewer),
        active="reports",
        json_path=asked.with_path(f"/reports/{found.kind}.json"),
    )


def _text(value: Value, unit: Unit, viewer: Viewer) -> str:
    """A value with its unit; a time in the viewer's zone, with UTC beside it."""
    if isinstance(value, datetime):
        return viewer.both(round(value.timestamp() * 1000))
    return words.text(value, unit)
