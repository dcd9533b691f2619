"""Days as bars, in few bytes: a page may have 500 components with 90 days each.

A unit is a day wide. Up is a line, an outage a bar (the longer, the taller), what was down within
maintenance a short bar, a day of which less than half was measured is dashed, and one without any
measurement is a gap.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby
from math import log1p
from typing import Final, Literal

from markupsafe import Markup

from portquorum.status_pages.model import Day
from portquorum.status_pages.times import day_words, length
from portquorum.status_pages.uptime import DAY_S, percent
from portquorum.status_pages.words import NOTHING

Kind = Literal["up", "down", "planned", "partly", "none"]
_CLASS: Final[dict[Kind, str]] = {"up": "u", "partly": "k", "planned": "p", "down": "x"}
_HEIGHT: Final = 12
_LEVELS: Final = 5
"""Heights of outages: more would be more bytes, and no eye tells them apart."""


@lru_cache(maxsize=5_000)
def bars(days: tuple[Day, ...], today: date, width: int = 0) -> Markup:
    """The drawing of consecutive days, today last; of fewer than `width` they stand at its right.

    So a day is as wide on a young page as on an old one.
    """
    wide = max(width, len(days))
    left = wide - len(days)
    paths: dict[Kind, list[str]] = {"up": [], "partly": [], "planned": [], "down": [], "none": []}
    for kind, begin, end in _runs(days):
        if kind in {"up", "partly"}:
            paths[kind].append(f"M{left + begin} 10h{end - begin}")
        elif kind != "none":
            tops = [_top(one) if kind == "down" else 8 for one in days[begin:end]]
            paths[kind] += [f"M{left + begin + place}.5 12V{top}" for place, top in enumerate(tops)]
    drawn = "".join(
        f'<path class={_CLASS[kind]} d="{"".join(some)}"/>' for kind, some in paths.items() if some
    )
    return Markup(  # noqa: S704 - numbers, and words of our own
        f'<svg viewBox="0 0 {wide} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{said(days, today)}">{drawn}</svg>'
    )


def kind_of(one: Day, *, is_today: bool) -> Kind:
    """What a day is drawn as."""
    if one.down_s > one.planned_s:
        return "down"
    if one.planned_s:
        return "planned"
    if not one.measured_s:
        return "none"
    return "up" if is_today or one.measured_s >= DAY_S / 2 else "partly"


def said(days: Sequence[Day], today: date) -> str:
    """What the drawing shows, for those who do not see it."""
    whole = percent(days)
    if whole is None:
        return f"{days_words(len(days))}: not measured"
    fallen = [place for place, one in enumerate(days) if one.down_s > one.planned_s]
    text = f"{days_words(len(days))}: {percent_words(whole)} uptime"
    if not fallen:
        return f"{text}, no outage"
    worst = max(fallen, key=lambda place: days[place].down_s - days[place].planned_s)
    lost = days[worst].down_s - days[worst].planned_s
    when = day_words(today - timedelta(days=len(days) - 1 - worst))
    many = f"on {len(fallen)} days, most on {when}" if len(fallen) > 1 else f"on {when}"
    return f"{text}, outage {many} ({length(lost * 1000)})"


def days_words(count: int) -> str:
    """`1 day`, `90 days`."""
    return "1 day" if count == 1 else f"{count} days"


def percent_words(value: float | None) -> str:
    """`99.95%`, with so many digits that what is below 100 never looks like 100."""
    if value is None:
        return NOTHING
    if value >= 100:
        return "100%"
    shown = f"{int(value * 1000) / 1000:.3f}" if value >= 99 else f"{int(value * 100) / 100:.2f}"
    return f"{shown.rstrip('0').rstrip('.')}%"


def _runs(days: Sequence[Day]) -> list[tuple[Kind, int, int]]:
    last = len(days) - 1
    kinds = [kind_of(one, is_today=place == last) for place, one in enumerate(days)]
    found, begin = [], 0
    for kind, some in groupby(kinds):
        end = begin + len(list(some))
        found.append((kind, begin, end))
        begin = end
    return found


def _top(one: Day) -> int:
    lost = one.down_s - one.planned_s
    return _LEVELS - 1 - min(_LEVELS - 1, int(_LEVELS * log1p(lost) / log1p(DAY_S)))
