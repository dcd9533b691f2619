"""Latency of each region over time, with incidents, maintenance and silent regions drawn in.

A strip a region, all of one scale: p50 as a line, up to p95 as a surface, failed checks as bars
from below. A step without a check is a gap. Above the strips the incidents as shapes: down fills
the height, slow half of it, maintenance is thin.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Final

from markupsafe import Markup

from portquorum.web.charts import amounts, strips, svg
from portquorum.web.charts.chart import Chart, Table
from portquorum.web.charts.time_axis import TimeAxis
from portquorum.web.history.answers import (
    LatencyStep,
    RegionLatency,
    RegionSpan,
    TargetHistory,
)
from portquorum.web.words import ENGLISH

MOST_STRIPS: Final = 12
"""Regions that are drawn, the slowest; the table has all."""

WORDS: Final = ENGLISH.charts

_LABEL: Final = 18.0
_STRIP: Final = 46.0
_BETWEEN: Final = 8.0
_AXIS: Final = 20.0
_SHARE_SHOWN: Final = 0.97
"""The share of the steps that fit on the scale: a few peaks must not flatten all the others."""
_ROOM: Final = 1.25


def latency_chart(past: TargetHistory, zone: tzinfo) -> Chart | None:
    """The chart of the target page; None if its data could not be had, or there are none."""
    if not past.latency:
        return None
    axis = TimeAxis(past.window.since, past.window.until, zone)
    shown = _slowest(past.latency)
    most, peak = _scale(shown)
    below = strips.TOP + len(shown) * (_LABEL + _STRIP + _BETWEEN)
    silent: dict[str, list[RegionSpan]] = {}
    for one in past.regions or ():
        silent.setdefault(one.region, []).append(one)
    drawn_strips = (
        _strip(
            one, strips.TOP + place * (_LABEL + _STRIP + _BETWEEN), past.window.step_ms, axis, most
        )
        for place, one in enumerate(shown)
    )
    quiet = [
        bar
        for place, one in enumerate(shown)
        for bar in _silent(silent.get(one.region, ()), place, axis)
    ]
    left_out = len(past.latency) - len(shown)
    rest = WORDS.regions_left_out.format(n=left_out) if left_out else ""
    drawn = svg.drawing(
        below + _AXIS + (_LABEL if rest else 0),
        "latency",
        WORDS.latency_text.format(
            regions=len(past.latency), since=axis.words(axis.since), until=axis.words(axis.until)
        ),
        axis.drawn(strips.TOP, below - strips.TOP),
        strips.bands(past.incidents or (), axis, below),
        svg.bars(list(strips.windows(past.maintenance or (), axis)), "s-maintenance", below),
        *drawn_strips,
        svg.bars(quiet, "s-unknown dashed", below),
        svg.label(0, below + _AXIS + 12, rest, "tick-label") if rest else "",
    )
    form = WORDS.latency_cut_title if peak > most else WORDS.latency_title
    return Chart(
        name="latency",
        title=form.format(most=amounts.latency(most), peak=amounts.latency(peak)),
        svg=Markup(drawn),  # noqa: S704 - escaped
        table=lambda: _table(past.latency or (), axis),
    )


def _slowest(regions: Sequence[RegionLatency]) -> list[RegionLatency]:
    if len(regions) <= MOST_STRIPS:
        return list(regions)
    return sorted(sorted(regions, key=_largest)[-MOST_STRIPS:], key=lambda one: one.region)


def _scale(regions: Sequence[RegionLatency]) -> tuple[float, float]:
    """The largest latency of the scale, and the largest there is, in ms."""
    all_p95 = sorted(
        step.p95_ms for one in regions for step in one.steps if step.p95_ms is not None
    )
    if not all_p95:
        return 1.0, 0.0
    usual = all_p95[int(_SHARE_SHOWN * (len(all_p95) - 1))]
    return amounts.round_above(min(usual * _ROOM, all_p95[-1])), all_p95[-1]


def _largest(one: RegionLatency) -> float:
    return max((step.p95_ms or 0.0 for step in one.steps), default=0.0)


def _strip(one: RegionLatency, y: float, step_ms: int, axis: TimeAxis, most: float) -> str:
    steps = [step for step in one.steps if axis.shows(step.at, step.at + step_ms)]
    ends = [(10 * axis.place(step.at), 10 * axis.place(step.at + step_ms)) for step in steps]
    newest = next((step for step in reversed(steps) if step.p50_ms is not None), None)
    said = (
        ""
        if newest is None
        else WORDS.newest.format(
            p50=amounts.latency(newest.p50_ms), p95=amounts.latency(newest.p95_ms)
        )
    )
    return (
        svg.label(0, y + 13, one.region, "strip-name")
        + svg.label(100, y + 13, said, "tick-label", "end")
        + svg.stretched(
            y + _LABEL,
            _STRIP,
            svg.path(strips.surface(steps, ends, most), "spread"),
            svg.path(strips.line(steps, ends, most), "middle"),
            svg.path(strips.failed(steps, ends), "s-down"),
        )
    )


def _silent(spans: Iterable[RegionSpan], place: int, axis: TimeAxis) -> Iterator[svg.Bar]:
    y = strips.TOP + place * (_LABEL + _STRIP + _BETWEEN) + _LABEL
    for one in spans:
        if axis.shows(one.began_at, one.ended_at):
            form = WORDS.silent if one.what == "silent" else WORDS.suspect
            end = WORDS.goes_on if one.ended_at is None else axis.words(one.ended_at)
            tip = f"{form.format(region=one.region)}, {axis.words(one.began_at)} – {end}"
            width = max(axis.width(one.began_at, one.ended_at), strips.NARROWEST)
            x = axis.place(one.began_at)
            yield svg.Bar(svg.Box(x, width, y, _STRIP), tip)


def _table(regions: Sequence[RegionLatency], axis: TimeAxis) -> Table:
    """A row a step, the newest first, and a column a region."""
    cells: dict[int, dict[str, str]] = {}
    for one in regions:
        for step in one.steps:
            cells.setdefault(step.at, {})[one.region] = _cell(step)
    names = [one.region for one in regions]
    return Table(
        (WORDS.time, *(f"{name}, p50 / p95" for name in names)),
        tuple(
            (axis.words(at), *(cells[at].get(name, WORDS.nothing) for name in names))
            for at in sorted(cells, reverse=True)
        ),
    )


def _cell(step: LatencyStep) -> str:
    said = []
    if step.p50_ms is not None:
        said.append(
            WORDS.p50_p95.format(p50=amounts.latency(step.p50_ms), p95=amounts.latency(step.p95_ms))
        )
    if step.up < step.checks:
        said.append(WORDS.failed.format(failed=step.checks - step.up, checks=step.checks))
    return ", ".join(said) or WORDS.not_measured
