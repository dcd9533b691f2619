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


_WORDS: Final = {
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
}
_PART: Final = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([a-z]+)\s*(?:,|and)?\s*")
_WEEK: Final = re.compile(r"([0-9]{1,3})\s*(?:w|weeks?)\Z")
_MOST_SECONDS: Final = 1_000
"""A number of this size without a unit is rather one of milliseconds."""


def meant(found: object) -> str | None:
    """The duration that was meant: `30` is `30s`, `5 min` is `5m`; None if that is unclear."""
    if isinstance(found, bool):
        return None
    written = str(found).strip().lower() if isinstance(found, int | float | str) else ""
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", written):
        return f"{written}{'s' if float(written) < _MOST_SECONDS else 'ms'}"
    if re.match(r"pt?[0-9]", written):
        written = written.removeprefix("p").replace("t", "")
    week = _WEEK.match(written)
    if week is not None:
        return f"{int(week[1]) * 7}d"
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(written):
        part = _PART.match(written, at)
        if part is None or part[2] not in _WORDS:
            return None
        parts.append((part[1], _WORDS[part[2]]))
        at = part.end()
    made = "".join(
        number + unit for number, unit in sorted(parts, key=lambda one: -_UNIT_MS[one[1]])
    )
    return made if _WRITTEN.match(made) or (made and _COMPOUND.match(made)) else None
