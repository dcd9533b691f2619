"""Lengths of time as other monitors write them."""

import re
from typing import Final

_UNIT_S: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,  # the Greek letter, as Go writes it
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "w": 7 * 86_400.0,
    "y": 365 * 86_400.0,
}
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h|d|w|y)")
_LONGEST: Final = 100


def seconds(written: object, *, unit_s: float | None = None) -> float:
    """The seconds of `1h30m`, `90s`, `1.5h`, `1d`: those of Go, Prometheus and others.

    `unit_s`: the seconds that a bare number stands for; None: a bare number other than 0 is wrong.

    Raises:
        ValueError: not of that form, or negative.
    """
    if isinstance(written, bool) or written is None:
        raise ValueError(f"expected a duration such as 30s or 1h30m, found {written!r}")
    text = str(written).strip().removeprefix("+")
    try:
        number = float(text)
    except ValueError:
        number = None
    if number is not None and text.replace(".", "", 1).isdecimal():
        if number == 0:
            return 0.0
        if unit_s is not None:
            return number * unit_s
    elif len(text) <= _LONGEST:
        parts = _PART.findall(text)
        if parts and "".join(value + unit for value, unit in parts) == text:
            return sum(float(value) * _UNIT_S[unit] for value, unit in parts)
    raise ValueError(f"expected a duration such as 30s or 1h30m, found {text[:_LONGEST]!r}")
