"""What each region said during an incident: a strip a region, and its events as upright lines.

Down fills the strip, slow half of it, up is a line, and what nobody knows is dashed.
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from markupsafe import Markup

from portquorum.web.charts import svg
from portquorum.web.charts.chart import Chart, Table
from portquorum.web.charts.time_axis import TimeAxis
from portquorum.web.history.answers import IncidentHistory, RegionVerdicts, VerdictSpan
from portquorum.web.words import ENGLISH, REASONS, STATES

MOST_STRIPS: Final = 40
"""Regions that are drawn; the table has all."""

WORDS: Final = ENGLISH.charts

_LABEL: Final = 16.0
_STRIP: Final = 18.0
_BETWEEN: Final = 6.0
_TOP: Final = 18.0
_AXIS: Final = 20.0
_MARGIN: Final = 0.06
_LEAST_MARGIN_MS: Final = 5_000
_FAR: Final = 15.0
"""Percent between the words of two events, so that they do not cover each other."""


def verdicts_chart(past: IncidentHistory, now: int, zone: tzinfo) -> Chart | None:
    """The chart of the incident page; None if no event has regions. `now` is UTC ms."""
    if not past.regions:
        return None
    end = max(past.newest.closed_at or now, past.ended_at or 0, past.events[-1].at)
    margin = max(_LEAST_MARGIN_MS, round(_MARGIN * (end - past.began_at)))
    axis = TimeAxis(past.began_at - margin, end + margin, zone)
    shown = past.regions[:MOST_STRIPS]
    below = _TOP + len(shown) * (_LABEL + _STRIP + _BETWEEN)
    left_out = len(past.regions) - len(shown)
    rest = WORDS.regions_left_out.format(n=left_out) if left_out else ""
    drawn = svg.drawing(
        below + _AXIS + (_LABEL if rest else 0),
        "verdicts",
        WORDS.verdicts_text.format(
            regions=len(past.regions), since=axis.words(axis.since), until=axis.words(axis.until)
        ),
        axis.drawn(_TOP, below - _TOP),
        *(_name(one, place) for place, one in enumerate(shown)),
        _spans(shown, axis, end, below),
        "".join(_events(past, axis, below)),
        svg.label(0, below + _AXIS + 12, rest, "tick-label") if rest else "",
    )
    return Chart(
        name="verdicts",
        title=WORDS.verdicts_title,
        svg=Markup(drawn),  # noqa: S704 - escaped
        table=lambda: _table(past.regions, axis),
    )


def _name(one: RegionVerdicts, place: int) -> str:
    return svg.label(0, _top(place) + 12, one.region, "strip-name")


def _top(place: int) -> float:
    return _TOP + place * (_LABEL + _STRIP + _BETWEEN)


def _spans(regions: Sequence[RegionVerdicts], axis: TimeAxis, end: int, below: float) -> str:
    """The verdicts of all strips, by what they are drawn as."""
    found: dict[str, list[svg.Bar]] = {}
    for place, one in enumerate(regions):
        for span in one.spans:
            ended = end if span.ended_at is None else span.ended_at
            if axis.shows(span.began_at, ended):
                class_, bar = _bar(span, _top(place) + _LABEL, axis, ended)
                found.setdefault(class_, []).append(bar)
    return "".join(svg.bars(bars, class_, below) for class_, bars in sorted(found.items()))


def _bar(span: VerdictSpan, y: float, axis: TimeAxis, ended: int) -> tuple[str, svg.Bar]:
    """What a verdict is drawn as, and where."""
    x, width = axis.place(span.began_at), max(axis.width(span.began_at, ended), 0.3)
    tip = f"{_said(span)}{f': {_reason(span)}' if span.reason else ''}"
    if span.set_aside or span.verdict not in _SHAPES:
        return "s-unknown dashed", svg.Bar(svg.Box(x, width, y + 2, _STRIP - 4), tip)
    share = _SHAPES[span.verdict]
    tall = _STRIP * share
    foot = y + (_STRIP + tall) / 2 if span.verdict == "up" else y + _STRIP
    return f"s-{span.verdict}", svg.Bar(svg.Box(x, width, foot - tall, tall), tip)


_SHAPES: Final = {"down": 1.0, "slow": 0.5, "up": 0.16}
"""The share of the height that a verdict fills."""


def _events(past: IncidentHistory, axis: TimeAxis, below: float) -> Iterator[str]:
    last = -_FAR
    yield svg.uprights([axis.place(one.at) for one in past.events], _TOP - 4, below, "event")
    for one in past.events:
        x = axis.place(one.at)
        if one.event != "updated" and x - last >= _FAR:
            anchor = "end" if x > 90 else "middle" if x > 10 else None
            yield svg.label(x, _TOP - 6, one.event, "tick-label", anchor)
            last = x


def _table(regions: Sequence[RegionVerdicts], axis: TimeAxis) -> Table:
    return Table(
        (WORDS.region, WORDS.said, WORDS.reason, WORDS.from_, WORDS.to),
        tuple(_row(one.region, span, axis) for one in regions for span in one.spans),
    )


def _said(span: VerdictSpan) -> str:
    word = STATES.get(span.verdict, span.verdict)
    return f"{word}, {WORDS.set_aside}" if span.set_aside else word


def _reason(span: VerdictSpan) -> str:
    said = REASONS.get(span.reason or "", span.reason or "")
    return f"{said}, {span.detail[:300]}" if span.detail else said


def _row(region: str, span: VerdictSpan, axis: TimeAxis) -> tuple[str, ...]:
    end = WORDS.goes_on if span.ended_at is None else axis.words(span.ended_at)
    return (region, _said(span), _reason(span) or WORDS.nothing, axis.words(span.began_at), end)
