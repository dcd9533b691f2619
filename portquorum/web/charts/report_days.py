"""The days of a report as bars; a day without a value is a gap."""

from typing import Final

from markupsafe import Markup

from portquorum.report.result import Days, Report
from portquorum.report.words import height, text
from portquorum.web.charts import svg
from portquorum.web.charts.chart import Chart, Table
from portquorum.web.words import ENGLISH

WORDS: Final = ENGLISH.charts

_TOP: Final = 4.0
_TALL: Final = 96.0
_HEIGHT: Final = 120.0
_GAP: Final = 0.22
_LEAST: Final = 1.5
_LINE: Final = 3.0


def report_charts(report: Report) -> tuple[Chart, ...]:
    """A chart for each row of days that has a value."""
    return tuple(
        _chart(one) for one in report.days if any(value is not None for value in one.values)
    )


def _chart(days: Days) -> Chart:
    low, high = height(days)
    wide = 100 / len(days.days)
    boxes_of = _dip if days.low_is_bad else _bar
    bars: dict[str, list[svg.Bar]] = {"s-up": [], "s-down": []}
    for place, (day, value) in enumerate(zip(days.days, days.values, strict=True)):
        if value is not None:
            for class_, box in boxes_of(value, (low, high), (place * wide, wide)):
                tip = "" if class_ == "s-up" else f"{day}: {text(value, days.unit)}"
                bars[class_].append(svg.Bar(box, tip))
    least, most = text(low, days.unit), text(high, days.unit)
    first, last = days.days[0], days.days[-1]
    drawn = svg.drawing(
        _HEIGHT,
        "report",
        WORDS.report_text.format(
            days=len(days.days), since=first, until=last, least=least, most=most
        ),
        svg.rect(svg.Box(0, 100, _TOP + _TALL, 1), "foot"),
        *(svg.bars(found, class_, _HEIGHT) for class_, found in bars.items()),
        svg.label(0, _HEIGHT - 4, f"{first:%d %b}", "tick-label"),
        svg.label(100, _HEIGHT - 4, f"{last:%d %b}", "tick-label", "end"),
    )
    return Chart(
        name=f"report-{days.name.replace('_', '-')}",
        title=WORDS.report_title.format(title=days.title, least=least, most=most),
        svg=Markup(drawn),  # noqa: S704 - escaped
        table=lambda: _table(days),
    )


def _table(days: Days) -> Table:
    cells = list(zip(days.days, days.values, strict=True))
    return Table(
        (WORDS.day, days.title),
        tuple((str(day), text(value, days.unit)) for day, value in reversed(cells)),
    )


def _bar(
    value: float, scale: tuple[float, float], day: tuple[float, float]
) -> list[tuple[str, svg.Box]]:
    """What costs or fails: the more, the taller; nothing for none. `day`: place and width."""
    low, high = scale
    if value <= low:
        return []
    tall = max(_LEAST, _TALL * (value - low) / (high - low))
    return [("s-down", svg.Box(day[0], day[1] * (1 - _GAP), _TOP + _TALL - tall, tall))]


def _dip(
    value: float, scale: tuple[float, float], day: tuple[float, float]
) -> list[tuple[str, svg.Box]]:
    """Uptime: a line at the top, from which hangs what is missing."""
    low, high = scale
    line = ("s-up", svg.Box(*day, _TOP, _LINE))
    if value >= high:
        return [line]
    tall = max(_LEAST, _TALL * (high - value) / (high - low))
    return [line, ("s-down", svg.Box(day[0], day[1] * (1 - _GAP), _TOP + _LINE, tall))]
