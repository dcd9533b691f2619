"""A report as one self-contained HTML file."""

from datetime import date
from typing import Final, NamedTuple

from portquorum.presentation.html import render
from portquorum.report.result import Days, Report
from portquorum.report.words import height, share, text

_TITLES: Final = {
    "uptime": "Uptime",
    "slo": "Service level objectives",
    "cost": "Cost of downtime",
    "reliability": "Reliability",
}


class _Chart(NamedTuple):
    """A bar a day; a day without a value has none. `foot` and `top` are the values there."""

    title: str
    foot: str
    top: str
    first: date
    last: date
    bars: list[list[tuple[str, float, str]]]


def document(report: Report) -> str:
    """The page."""
    return render(
        "portquorum.report",
        report=report,
        title=_TITLES[report.kind],
        charts=[_chart(one) for one in report.days],
        share=share,
        text=text,
    )


def _chart(days: Days) -> _Chart:
    low, high = height(days)
    bars: list[list[tuple[str, float, str]]] = []
    for day, value in zip(days.days, days.values, strict=True):
        if value is None:
            bars.append([])
            continue
        tall = max(0.8, 100 * (value - low) / (high - low)) if value > low else 0.0
        bars.append([("", tall, f"{day}: {text(value, days.unit)}")])
    foot, top = text(low or 0, days.unit), text(high, days.unit)
    return _Chart(days.title, foot, top, days.days[0], days.days[-1], bars)
