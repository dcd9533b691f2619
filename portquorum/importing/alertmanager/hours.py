"""Time intervals as hours of the week, and the hours beside them."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES: Final = 24 * 60
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})")


class Interval(Struct, frozen=True):
    """Minutes of each day of the week (from Monday) in which it is; the zone; what is not kept."""

    week: tuple[frozenset[int], ...]
    zone: str
    differences: tuple[str, ...] = ()


def interval(name: str, specs: Iterable[Any]) -> Interval:
    """The interval of its specifications (`times`, `weekdays`, …); any of them may be true.

    What a week has no place for (days of the month, months, years) is a difference, and such a
    specification is left out.

    Raises:
        ValueError: a time or a day can't be read, or nothing is left.
    """
    week: list[set[int]] = [set() for _ in _DAYS]
    differences: list[str] = []
    zones: set[str] = set()
    for spec in specs:
        if not isinstance(spec, dict):
            raise ValueError(  # noqa: TRY004 - of the content, as all others here
                f"expected mappings in the time interval {name}, found another value"
            )
        beyond = [one for one in ("days_of_month", "months", "years") if spec.get(one)]
        if beyond:
            differences.append(
                f"the time interval {name} has {' and '.join(beyond)}: hours of a route are those "
                "of a week, and that part is left out; a maintenance window can recur by the month"
            )
            continue
        zones.add(str(spec.get("location") or "UTC"))
        for day in _weekdays(spec.get("weekdays")):
            week[day] |= _minutes(spec.get("times"))
    if not any(week):
        raise ValueError(
            differences[0] if differences else f"the time interval {name} is at no time of a week"
        )
    if len(zones) > 1:
        differences.append(
            f"the time interval {name} has several time zones: the first one is used"
        )
    zone = min(zones)
    if zone == "Local":
        differences.append(f"the time interval {name} is on the machine's clock: UTC stands there")
        zone = "UTC"
    return Interval(tuple(map(frozenset, week)), zone, tuple(differences))


def union(intervals: Iterable[Interval]) -> tuple[frozenset[int], ...]:
    """The minutes of any of them."""
    week: list[frozenset[int]] = [frozenset() for _ in _DAYS]
    for one in intervals:
        week = [mine | theirs for mine, theirs in zip(week, one.week, strict=True)]
    return tuple(week)


def beside(week: Sequence[frozenset[int]]) -> tuple[frozenset[int], ...]:
    """All other minutes of the week."""
    whole = frozenset(range(_MINUTES))
    return tuple(whole - day for day in week)


def written(week: Sequence[frozenset[int]]) -> list[str]:
    """The hours as the inventory writes them: `mon-fri 09:00-17:00`."""
    spans: dict[tuple[int, int], list[int]] = {}
    for day, minutes in enumerate(week):
        for span in _spans(minutes):
            spans.setdefault(span, []).append(day)
    return [_text(days, span) for span, days in sorted(spans.items())]


def _spans(minutes: frozenset[int]) -> Iterable[tuple[int, int]]:
    begin: int | None = None
    for minute in range(_MINUTES + 1):
        if minute in minutes:
            begin = minute if begin is None else begin
        elif begin is not None:
            yield begin, minute
            begin = None


def _text(days: Sequence[int], span: tuple[int, int]) -> str:
    named = _runs(days)
    if span == (0, _MINUTES):
        return named
    clock = f"{_clock(span[0])}-{_clock(span[1])}"
    return clock if len(days) == len(_DAYS) else f"{named} {clock}"


def _runs(days: Sequence[int]) -> str:
    parts: list[str] = []
    rest = list(days)
    while rest:
        length = 1
        while length < len(rest) and rest[length] == rest[0] + length:
            length += 1
        first, last = _DAYS[rest[0]], _DAYS[rest[length - 1]]
        parts.append(first if length == 1 else f"{first}-{last}")
        rest = rest[length:]
    return ",".join(parts)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _minutes(times: Any) -> set[int]:
    if not times:
        return set(range(_MINUTES))
    found: set[int] = set()
    for one in times:
        begin, end = (_minute(one.get(name)) for name in ("start_time", "end_time"))
        found |= set(range(begin, end))
    return found


def _minute(text: Any) -> int:
    # YAML 1.1 reads 9:30 as a number of the base 60; here it is a text.
    found = _TIME.fullmatch(str(text).strip())
    minute = int(found[1]) * 60 + int(found[2]) if found is not None else _MINUTES + 1
    if minute > _MINUTES:
        raise ValueError(f"expected a time such as 09:00, found {str(text)[:20]!r}")
    return minute


def _weekdays(ranges: Any) -> set[int]:
    if not ranges:
        return set(range(len(_DAYS)))
    found: set[int] = set()
    for one in ranges if isinstance(ranges, list) else [ranges]:
        first, _, last = str(one).lower().partition(":")
        begin, end = _day(first), _day(last or first)
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return found


def _day(text: str) -> int:
    if text.strip()[:3] not in _DAYS:
        raise ValueError(f"expected a day such as monday, found {text[:20]!r}")
    return _DAYS.index(text.strip()[:3])
