"""HTTP statuses as others write them, as the option `status` has them."""

import re
from collections.abc import Iterable
from typing import Final

_LEAST: Final = 100
_MOST: Final = 599
_CLASS: Final = re.compile(r"([1-5])xx", re.IGNORECASE)
_RANGE: Final = re.compile(r"([0-9]{3})\s*-\s*([0-9]{3})")

Status = int | str


def statuses(written: object) -> list[Status]:
    """`[200, "300-308"]` of 200, `"200"`, `"200-299"`, `"2xx"`, `"200, 401"`, or a list of such.

    Raises:
        ValueError: something else; a status is from 100 to 599.
    """
    found: set[int] = set()
    for one in _each(written):
        found |= _some(one)
    if not found:
        raise ValueError("expected at least one status from 100 to 599, found none")
    return ranges(found)


def ranges(found: Iterable[int]) -> list[Status]:
    """Statuses, those that adjoin as ranges."""
    runs: list[tuple[int, int]] = []
    for status in sorted(set(found)):
        if runs and runs[-1][1] == status - 1:
            runs[-1] = (runs[-1][0], status)
        else:
            runs.append((status, status))
    result: list[Status] = []
    for low, high in runs:
        if high - low > 1:
            result.append(f"{low}-{high}")
        else:
            result += [low] if low == high else [low, high]
    return result


def _each(written: object) -> Iterable[object]:
    if isinstance(written, list | tuple):
        for one in written:
            yield from _each(one)
    elif isinstance(written, str):
        yield from (part for part in re.split(r"[,\s]+(?!-)(?<!-)", written.strip()) if part)
    else:
        yield written


def _some(one: object) -> set[int]:
    text = "" if isinstance(one, bool) else str(one).strip()
    of_class, between = _CLASS.fullmatch(text), _RANGE.fullmatch(text)
    if of_class:
        return set(range(int(of_class[1]) * 100, int(of_class[1]) * 100 + 100))
    if between:
        low, high = int(between[1]), int(between[2])
        if low <= high:
            return set(range(max(low, _LEAST), min(high, _MOST) + 1))
    if text.isascii() and text.isdecimal() and _LEAST <= int(text[:4]) <= _MOST:
        return {int(text)}
    raise ValueError(
        f"expected statuses from 100 to 599 such as 200 or 200-299, found {text[:40]!r}"
    )
