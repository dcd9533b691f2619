"""How long the runs of a job took over time, with incidents and maintenance drawn in.

One strip: the median of the runs that ended well in a step as a line, up to p95 as a surface,
failed ones as bars from below. A step in which no run ended is a gap.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from markupsafe import Markup

from portquorum.web.charts import amounts, strips, svg
from portquorum.web.charts.chart import Chart, Table
from portquorum.web.charts.time_axis import TimeAxis
from portquorum.web.history.answers import LatencyStep, TargetHistory
from portquorum.web.words import ENGLISH

WORDS: Final = ENGLISH.charts

_LABEL: Final = 18.0
_STRIP: Final = 90.0
_AXIS: Final = 20.0


def durations_chart(past: TargetHistory, zone: tzinfo) -> Chart | None:
    """The chart of a job's page; None if its data could not be had, or there are none."""
    if past.job is None or not past.job.durations:
        return None
    axis = TimeAxis(past.window.since, past.window.until, zone)
    steps = past.job.durations
    longest = max((one.p95_ms or 0.0 for one in steps), default=0.0)
    most = amounts.round_length_above(longest)
    below = strips.TOP + _LABEL + _STRIP
    drawn = svg.drawing(
        below + _AXIS,
        "durations",
        WORDS.durations_text.format(since=axis.words(axis.since), until=axis.words(axis.until)),
        axis.drawn(strips.TOP, below - strips.TOP),
        strips.bands(past.incidents or (), axis, below),
        svg.bars(list(strips.windows(past.maintenance or (), axis)), "s-maintenance", below),
        _strip(steps, past.window.step_ms, axis, most),
    )
    return Chart(
        name="durations",
        title=WORDS.durations_title.format(most=amounts.took(most))
        if longest
        else WORDS.durations_unknown,
        svg=Markup(drawn),  # noqa: S704 - escaped
        table=lambda: _table(steps, axis),
    )


def _strip(all_steps: Sequence[LatencyStep], step_ms: int, axis: TimeAxis, most: float) -> str:
    steps = [one for one in all_steps if axis.shows(one.at, one.at + step_ms)]
    ends = [(10 * axis.place(one.at), 10 * axis.place(one.at + step_ms)) for one in steps]
    newest = next((one for one in reversed(steps) if one.p50_ms is not None), None)
    said = "" if newest is None else WORDS.newest_run.format(took=amounts.took(newest.p50_ms))
    return svg.label(100, strips.TOP + 13, said, "tick-label", "end") + svg.stretched(
        strips.TOP + _LABEL,
        _STRIP,
        svg.path(strips.surface(steps, ends, most), "spread"),
        svg.path(strips.line(steps, ends, most), "middle"),
        svg.path(strips.failed(steps, ends), "s-down"),
    )


def _table(steps: Sequence[LatencyStep], axis: TimeAxis) -> Table:
    """A row a step, the newest first."""
    return Table(
        (WORDS.time, WORDS.runs, WORDS.failed_runs, WORDS.median, WORDS.p95, WORDS.longest_run),
        tuple(
            (
                axis.words(one.at),
                f"{one.checks:,}",
                f"{one.checks - one.up:,}",
                amounts.took(one.p50_ms),
                amounts.took(one.p95_ms),
                amounts.took(one.max_ms),
            )
            for one in reversed(steps)
        ),
    )
