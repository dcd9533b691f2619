"""Latencies as small integers: logarithms in 1/1024 of a doubling, and three moving averages.

A window keeps two levels, 16 bits each: `lately` moves a quarter of the way with each success,
`usual` follows over about an hour. Failures change neither, so during an outage they keep the
latency before it. Where rising latencies are warned of, `daily` follows over about a day; its steps
are small, so it is kept 4096 times as large, in 32 bits. All are integers, so that a state is the
same on every machine.

A floating point number contains its own logarithm, linear between powers of two (IEEE 754,
binary64): a level is the exponent and the first ten bits of the fraction. Extracting it from all
results of a message at once costs a third of computing it.
"""

import sys
from array import array
from collections.abc import Sequence
from math import frexp
from typing import Final, Protocol

from schemas.duration import DAY_MS, HOUR_MS
from schemas.result import CheckResult

NONE: Final = 0
"""The level before the first latency."""

LATELY_SHIFT: Final = 2
"""`lately` moves by 2^-2 of the distance."""

SPARED: Final = 3
"""With small steps, `usual` follows one message in 2^3, with steps that are larger by the same
factor: the same speed at a fraction of the cost."""

SMALL_STEPS: Final = 5
"""Least shift that counts as small steps (checks every three minutes, or more often)."""

DAILY_SHIFT: Final = 12
"""A level in `daily` is 2^12 times as large."""

_WORD: Final = (1 << 64) - 1
_BEGIN: Final = (1023 - 10) << 10
"""Levels begin at 2^-10 ms, just below a microsecond."""

_HIGH_HALF: Final = slice(1, None, 2) if sys.byteorder == "little" else slice(0, None, 2)


class _Levels(Protocol):
    """The columns that this module writes; `streams.state.windows` has them."""

    lately: "array[int]"
    usual: "array[int]"
    daily: "array[int]"


def of(result: CheckResult, *, of_total: bool) -> int:
    """The level of a result's connect time, or of its total time when it has no connect time.

    With `of_total`, of its total time. `NONE` without such a time, or below a microsecond; else
    below 2¹⁶, for any valid result (a day at most).
    """
    if of_total:
        return level(result.total_ms or 0.0)
    return level(result.connect_ms or result.total_ms or 0.0)


def level(took_ms: float) -> int:
    """The level of a time, `NONE` below a microsecond."""
    part, power = frexp(took_ms)
    if not part:
        return NONE
    return max(NONE, (power + 9 << 10) + int(part * 2048.0) - 1024)


def of_all(results: Sequence[CheckResult]) -> list[int]:
    """The level of each result, as from `of` without `of_total`; `NONE` is 0 or negative here."""
    took_ms = array("d", [one.connect_ms or one.total_ms or 0.0 for one in results])
    halves = array("I")
    halves.frombytes(took_ms.tobytes())
    begin = _BEGIN
    return [(half >> 10) - begin for half in halves[_HIGH_HALF]]


def span_us(level: int) -> int:
    """The span in µs of this level, rounded."""
    power, part = divmod(level, 1024)
    return ((1024 + part << power) * 1000 + (1 << 19)) >> 20


def usual_shift(interval_ms: int) -> int:
    """The shift of `usual` (it moves by 2^-shift of the distance): an hour's checks, 2 to 7."""
    checks = HOUR_MS // interval_ms
    return min(7, max(2, (checks * 3 // 2).bit_length() - 1))


def daily_shift(interval_ms: int) -> int:
    """The shift of `daily` (it moves by 2^-shift of the distance): a day's checks, 2 to 16."""
    checks = DAY_MS // interval_ms
    return max(2, (checks * 3 // 2).bit_length() - 1)


def is_usual_turn(offset: int) -> bool:
    """True if the record at `offset` is the one in eight that `usual` follows.

    A hash decides (the finaliser of SplitMix64: Steele, Lea, Flood, OOPSLA 2014), so that results
    in a regular pattern of offsets are not missed for longer than by chance. A multiplicative hash
    is not enough: at some distances it skips thousands.
    """
    mixed = offset + 0x9E3779B97F4A7C15 & _WORD
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _WORD
    return (mixed ^ mixed >> 31) & 7 == 0


def follow(kept: int, seen: int, shift: int) -> int:
    """`kept` moved by 2^-shift of the distance to `seen`, rounded."""
    return kept + (seen - kept + (1 << shift >> 1) >> shift)


def note(
    columns: _Levels,
    at: int,
    seen: int,
    shift: int,
    *,
    usual_turn: bool,
    usual_stands: bool = False,
) -> None:
    """Moves the window at `at` towards a success of level `seen`; the first success sets both.

    `shift` is the target's `usual_shift`. With `usual_stands` (the success is unusual) only
    `lately` moves. A success without a level changes nothing.
    """
    if seen == NONE:
        return
    if columns.lately[at] == NONE:
        columns.lately[at] = columns.usual[at] = seen
        return
    columns.lately[at] = follow(columns.lately[at], seen, LATELY_SHIFT)
    if usual_stands:
        return
    if shift < SMALL_STEPS:
        columns.usual[at] = follow(columns.usual[at], seen, shift)
    elif usual_turn:
        columns.usual[at] = follow(columns.usual[at], seen, shift - SPARED)


def note_daily(columns: _Levels, at: int, seen: int, shift: int, up_for_ms: int) -> None:
    """Moves `daily` towards a success of level `seen`, after `note`; `shift` is its own.

    It equals `usual` until the region has been up for an hour: a single answer must not be the
    reference of the next day.
    """
    if seen == NONE:
        return
    if columns.daily[at] == NONE or up_for_ms < HOUR_MS:
        columns.daily[at] = columns.usual[at] << DAILY_SHIFT
    else:
        columns.daily[at] = follow(columns.daily[at], seen << DAILY_SHIFT, shift)


def accept(columns: _Levels, at: int) -> None:
    """Makes the recent latency the usual one, and that of the whole day."""
    columns.usual[at] = columns.lately[at]
    if columns.daily[at] != NONE:
        columns.daily[at] = columns.usual[at] << DAILY_SHIFT
