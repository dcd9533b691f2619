"""Ninety days as bars: up is a line, an outage a full bar, and what was not measured is dashed."""

import math
from collections.abc import Sequence
from datetime import date
from typing import Final

from markupsafe import Markup

from portquorum.web.charts import amounts, svg
from portquorum.web.charts.chart import Chart, Table
from portquorum.web.history.answers import DayUptime
from portquorum.web.words import ENGLISH

WORDS: Final = ENGLISH.charts

_TOP: Final = 2.0
_TALL: Final = 44.0
_LEAST_SHARE: Final = 0.6
"""The share of the full height of the shortest outage: half of it would be a slow one."""
_LINE_Y: Final = 24.0
_LINE: Final = 4.0
_PLANNED_Y: Final = 50.0
_PLANNED: Final = 4.0
_HEIGHT: Final = 72.0
_GAP: Final = 0.22
"""The share of a day's width between two bars."""
_DAY_S: Final = 86_400.0


def days_chart(days: Sequence[DayUptime], today: date) -> Chart:
    """The chart of consecutive days (UTC), the oldest first."""
    wide = 100 / max(1, len(days))
    bars = _bars(days, wide)
    ends = ""
    if days:
        last = WORDS.today if days[-1].day == today else _short(days[-1].day)
        ends = svg.label(0, _HEIGHT - 4, _short(days[0].day), "tick-label")
        ends += svg.label(100, _HEIGHT - 4, last, "tick-label", "end")
    return Chart(
        name="days",
        title=WORDS.days_title.format(days=len(days)),
        svg=Markup(svg.drawing(_HEIGHT, "days", _text(days), bars, ends)),  # noqa: S704 - escaped
        table=lambda: _table(days),
    )


def _bars(days: Sequence[DayUptime], wide: float) -> str:
    """A day that was not watched has none: there was no such target."""
    found: dict[str, list[svg.Bar]] = {one: [] for one in _CLASSES}
    for place, one in enumerate(days):
        if not one.watched_s:
            continue
        x, width = place * wide, wide * (1 - _GAP)
        class_, box = _bar(one, x, width)
        found[class_].append(svg.Bar(box, "" if class_ == "s-up" else f"{one.day}: {_said(one)}"))
        if one.maintenance_s > 0:
            found["s-maintenance"].append(svg.Bar(svg.Box(x, width, _PLANNED_Y, _PLANNED)))
    return "".join(svg.bars(bars, class_, _HEIGHT) for class_, bars in found.items())


_CLASSES: Final = ("s-up", "s-unknown dashed", "s-down", "s-maintenance")


def _bar(one: DayUptime, x: float, width: float) -> tuple[str, svg.Box]:
    """What a day is drawn as, and where."""
    if one.down_s > 0:
        share = _LEAST_SHARE + (1 - _LEAST_SHARE) * math.log1p(one.down_s) / math.log1p(_DAY_S)
        tall = _TALL * min(1.0, share)
        return "s-down", svg.Box(x, width, _TOP + _TALL - tall, tall)
    if one.measured_s < one.watched_s / 2:
        return "s-unknown dashed", svg.Box(x, width, _LINE_Y - 6, _LINE + 12)
    return "s-up", svg.Box(x, width, _LINE_Y, _LINE)


def _table(days: Sequence[DayUptime]) -> Table:
    w = WORDS
    return Table(
        (w.day, w.uptime, w.without_maintenance, w.down, w.in_maintenance, w.measured),
        tuple(_row(one) for one in reversed(days)),
    )


def _said(one: DayUptime) -> str:
    if one.uptime_percent is None:
        return WORDS.not_measured if one.watched_s else WORDS.not_watched
    parts = [amounts.percent(one.uptime_percent)]
    if one.down_s > 0:
        parts.append(f"{WORDS.down.lower()} {amounts.length(one.down_s)}")
    if one.maintenance_s > 0:
        parts.append(f"{WORDS.in_maintenance.lower()} {amounts.length(one.maintenance_s)}")
    return ", ".join(parts)


def _row(one: DayUptime) -> tuple[str, ...]:
    if one.uptime_percent is None:
        return (str(one.day), _said(one), *(WORDS.nothing,) * 4)
    return (
        str(one.day),
        amounts.percent(one.uptime_percent),
        amounts.percent(one.uptime_without_maintenance_percent),
        amounts.length(one.down_s),
        amounts.length(one.maintenance_s),
        amounts.length(one.measured_s),
    )


def _text(days: Sequence[DayUptime]) -> str:
    down = sum(one.down_s > 0 for one in days)
    unknown = sum(one.uptime_percent is None for one in days)
    return WORDS.days_text.format(up=len(days) - down - unknown, down=down, unknown=unknown)


def _short(day: date) -> str:
    return f"{day:%d %b}"
