"""A length of time in words, for every reader: events, notifications, commands, reports.

The forms differ in their rounding, because their readers do. A new text takes one of them.
"""

from typing import Final, NamedTuple

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

_MS: Final = {"d": DAY_MS, "h": HOUR_MS, "min": 60_000, "s": 1000, "ms": 1}


class _Step(NamedTuple):
    """The unit for lengths from `least_ms` on; `rest` is the unit for the remainder, if any."""

    least_ms: int
    unit: str
    rest: str = ""
    decimals: int = 0


class Form(NamedTuple):
    """How lengths are rounded. `steps`: the longest first, the last one from 0 on.

    `nearest`: to the nearest, otherwise down. `zeros`: a remainder of 0 is written, too.
    """

    steps: tuple[_Step, ...]
    nearest: bool = False
    zeros: bool = False


_TWO: Final = (
    _Step(DAY_MS, "d", "h"),
    _Step(HOUR_MS, "h", "min"),
    _Step(60_000, "min", "s"),
)
TWO_UNITS: Final = Form((*_TWO, _Step(1000, "s"), _Step(0, "ms")))
"""`850 ms`, `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d 2 h`."""

WHOLE_SECONDS: Final = Form((*_TWO, _Step(0, "s")))
"""As TWO_UNITS, but below a second `0 s`: how long an incident lasted."""

COARSE: Final = Form(
    (
        _Step(172_800_000, "d", "h"),
        _Step(7_200_000, "h", "min"),
        _Step(120_000, "min"),
        _Step(1000, "s"),
        _Step(0, "ms"),
    )
)
"""`850 ms`, `119 s`, `12 min`, `3 h 5 min`, `2 d 4 h`: one unit while it says enough."""

EVENT: Final = Form(
    (_Step(7_200_000, "h", "min"), _Step(120_000, "min"), _Step(0, "s")), zeros=True
)
"""`119 s`, `12 min`, `3 h 0 min`, `50 h 5 min`. Part of the bytes of events: it never changes."""

ONE_UNIT: Final = Form(
    (
        _Step(7_200_000, "h", decimals=1),
        _Step(120_000, "min"),
        _Step(10_000, "s"),
        _Step(0, "s", decimals=1),
    ),
    nearest=True,
)
"""`0.8 s`, `45 s`, `12 min`, `3.1 h`: figures beside each other, and their differences."""


def duration_text(milliseconds: float, form: Form = TWO_UNITS) -> str:
    """The length in the words of `form`; a negative length counts as 0.

    Lengths from a second on that are rounded down are computed in integers: the same text
    everywhere.
    """
    length = max(0, milliseconds)
    step = next(step for step in form.steps if length >= step.least_ms)
    if form.nearest or step.unit == "ms":
        return f"{length / _MS[step.unit]:.{step.decimals}f} {step.unit}"
    whole, left = divmod(int(length), _MS[step.unit])
    text = f"{whole} {step.unit}"
    rest = left // _MS[step.rest] if step.rest else 0
    return f"{text} {rest} {step.rest}" if rest or (step.rest and form.zeros) else text
