"""Reports, as `portquorum report` makes them."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from portquorum.report.result import Report
from portquorum.report.words import text as value_text
from portquorum.web.answers import Counts, Freshness
from portquorum.web.charts.chart import Chart
from portquorum.web.pages.address import Address
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer
from portquorum.web.words import REPORTS

SPANS: Final = (7, 30, 90, 365)
"""Days of a report, to choose from."""

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
        value_text=value_text,
        active="reports",
        json_path="",
    )
