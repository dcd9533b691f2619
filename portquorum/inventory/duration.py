"""Durations in people's notation."""

import re
from typing import Final

from schemas.duration import DAY_MS, HOUR_MS

_UNIT_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": HOUR_MS, "d": DAY_MS}
_LONGEST_MS: Final = 2**53
_WRITTEN: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)\Z")
_COMPOUND: Final = re.compile(
    r"(?=[0-9])(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?\Z"
)
_IN_ORDER: Final = ("d", "h", "m", "s", "ms")


def parse_ms(text: str) -> int:
    """`250ms`, `30s`, `1.5m`, `2h`, `1d`, `1h30m` in milliseconds.

    Raises:
        ValueError: anything else.
    """
    found = _WRITTEN.match(text)
    # Hundreds of digits would be infinite; whatever is limited is limited below that.
    if found is not None:
        return round(min(float(found[1]) * _UNIT_MS[found[2]], _LONGEST_MS))
    several = _COMPOUND.match(text)
    if several is None:
        raise ValueError(f"expected a duration such as 250ms, 30s, 1m or 1h30m, found {text!r}")
    parts = zip(several.groups(default="0"), _IN_ORDER, strict=True)
    return round(min(sum(float(number) * _UNIT_MS[unit] for number, unit in parts), _LONGEST_MS))


def text(milliseconds: int) -> str:
    """The shortest notation: 90000 is `90s`, 120000 is `2m`."""
    for unit in ("d", "h", "m", "s"):
        if milliseconds and milliseconds % _UNIT_MS[unit] == 0:
            return f"{milliseconds // _UNIT_MS[unit]}{unit}"
    return f"{milliseconds}ms"
