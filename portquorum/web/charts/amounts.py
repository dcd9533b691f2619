"""Amounts in words, and the round number above them. Pure."""

import math
from typing import Final

from portquorum.report.words import percent as percent_text
from portquorum.web.words import ENGLISH
from schemas.duration import COARSE, duration_text

WORDS: Final = ENGLISH.charts
_ROUND: Final = (1.0, 2.0, 5.0, 10.0)


def latency(ms: float | None) -> str:
    """`0.42 ms`, `12 ms`, `1.2 s`; a dash for none."""
    if ms is None:
        return WORDS.nothing
    if ms >= 1_000:
        return f"{ms / 1000:.1f} s"
    if ms >= 10:
        return f"{ms:.0f} ms"
    return f"{ms:.1f} ms" if ms >= 1 else f"{ms:.2f} ms"


def percent(value: float | None) -> str:
    """`99.951 %`; a dash for none."""
    return WORDS.nothing if value is None else percent_text(value)


def length(seconds: float) -> str:
    """`3 h 5 min`; a dash for none."""
    return duration_text(seconds * 1000, COARSE) if seconds > 0 else WORDS.nothing


def took(ms: float | None) -> str:
    """How long a run took: `0.42 ms`, `12 s`, `3 h 5 min`; a dash for none."""
    if ms is None or ms < 60_000:
        return latency(ms)
    return duration_text(round(ms), COARSE)


def round_length_above(ms: float) -> float:
    """A round length in ms that is not below `ms`: of seconds, minutes or hours."""
    for unit_ms in (1, 1_000, 60_000):
        if ms <= 60 * unit_ms:
            return min(round_above(ms / unit_ms), 60) * unit_ms
    return round_above(ms / 3_600_000) * 3_600_000


def round_above(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50, … that is not below `value`."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(value))
    return next(one * unit for one in _ROUND if one * unit >= value * (1 - 1e-9))
