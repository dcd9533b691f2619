"""What lies over and in the strips of a chart of time: surfaces, failures, incidents. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from portquorum.web.charts import svg
from portquorum.web.charts.time_axis import TimeAxis
from portquorum.web.history.answers import IncidentSpan, LatencyStep, MaintenanceSpan
from portquorum.web.words import ENGLISH

WORDS: Final = ENGLISH.charts

TOP: Final = 18.0
"""Height above the strips, for incidents and maintenance."""
NARROWEST: Final = 0.3
"""The least width of an incident, in percent: one of a minute is seen in 90 days."""

_LEAST_FAILED: Final = 6.0
"""The least height of failed checks, in percent of a strip: one of a thousand is seen."""
_STATE_OF: Final = {"unreachable": "down", "flapping": "down", "slow": "slow", "expiring": "slow"}


def _height(ms: float, most: float) -> float:
    return round(100 - 98 * min(1.0, ms / most), 1)


def surface(
    steps: Sequence[LatencyStep], ends: Sequence[tuple[float, float]], most: float
) -> Iterator[str]:
    """From the median up to p95, of each step that has one."""
    for step, (left, right) in zip(steps, ends, strict=True):
        if step.p50_ms is not None and step.p95_ms is not None:
            top, foot = _height(step.p95_ms, most), _height(step.p50_ms, most)
            yield f"M{left:.1f} {foot:g}V{top:g}H{right:.1f}V{foot:g}z"


def line(
    steps: Sequence[LatencyStep], ends: Sequence[tuple[float, float]], most: float
) -> Iterator[str]:
    """The median; a step that is missing is a gap."""
    end = None
    for step, (left, right) in zip(steps, ends, strict=True):
        if step.p50_ms is None:
            continue
        y = _height(step.p50_ms, most)
        # Where the step before is missing, the line begins anew: what is not known is a gap.
        joins = end is not None and abs(end - left) < 0.01
        yield f"{f'V{y:g}' if joins else f'M{left:.1f} {y:g}'}H{right:.1f}"
        end = right


def failed(steps: Sequence[LatencyStep], ends: Sequence[tuple[float, float]]) -> Iterator[str]:
    """The share of each step that failed, from below."""
    for step, (left, right) in zip(steps, ends, strict=True):
        if step.up < step.checks:
            share = (step.checks - step.up) / step.checks
            top = 100 - max(_LEAST_FAILED, 100 * share)
            yield f"M{left:.1f} 100V{top:.1f}H{right:.1f}V100z"


def bands(incidents: Iterable[IncidentSpan], axis: TimeAxis, below: float) -> str:
    """Each incident as a bar above the strips, and as a tint behind them."""
    heads: dict[str, list[svg.Bar]] = {"slow": [], "down": []}
    tints: dict[str, list[svg.Bar]] = {"slow": [], "down": []}
    for one in incidents:
        if not axis.shows(one.began_at, one.ended_at):
            continue
        state = _STATE_OF.get(one.incident_type, "down")
        x, width = axis.place(one.began_at), axis.width(one.began_at, one.ended_at)
        end = WORDS.goes_on if one.ended_at is None else axis.words(one.ended_at)
        tip = f"{one.incident_type}, {axis.words(one.began_at)} – {end}: {one.summary[:300]}"
        wide = max(width, NARROWEST)
        tall = TOP - 4 if state == "down" else (TOP - 4) / 2
        heads[state].append(svg.Bar(svg.Box(x, wide, TOP - 2 - tall, tall), tip))
        tints[state].append(svg.Bar(svg.Box(x, wide, TOP, below - TOP)))
    return "".join(
        svg.bars(tints[state], f"band s-{state}", below)
        + svg.bars(heads[state], f"s-{state}", below)
        for state in heads
    )


def windows(windows: Iterable[MaintenanceSpan], axis: TimeAxis) -> Iterator[svg.Bar]:
    """Maintenance as thin bars above the strips."""
    for one in windows:
        if axis.shows(one.began_at, one.ended_at):
            tip = f"{one.name[:200]}, {axis.words(one.began_at)} – {axis.words(one.ended_at)}"
            width = max(axis.width(one.began_at, one.ended_at), NARROWEST)
            yield svg.Bar(svg.Box(axis.place(one.began_at), width, TOP - 2, 4), tip)
