"""Hours of the week and rotations on the wall clock: what is on, who is on duty, until when.

Pure: time comes in as UTC milliseconds, and the zone by its name. A zone that the database doesn't
have counts as UTC (`schemas.wall_clock`). Hours that adjoin on the clock adjoin in time also on the
days on which a zone changes its offset, since both read the time between them alike.
"""

from bisect import bisect_right
from datetime import date, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from schemas.policy import Hours, Person, Rotation
from schemas.wall_clock import at_clock, local, zone_or_utc

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = timedelta(days=1)

_AHEAD: Final = 22
"""Days in which hours of a week change if they ever do: one week may lose its hours to a jump."""


def is_on(hours: tuple[Hours, ...], zone: str, at: int) -> bool:
    """True if one of `hours` is on at `at` (UTC ms). No hours at all are always on."""
    if not hours:
        return True
    here = zone_or_utc(zone)
    spans = _spans(hours, here, local(at, here).toordinal())
    position = bisect_right(spans, (at, _NEVER)) - 1
    return position >= 0 and at < spans[position][1]


def next_change(hours: tuple[Hours, ...], zone: str, at: int) -> int | None:
    """The first time after `at` (UTC ms) at which `is_on` changes; None: it never does."""
    if not hours:
        return None
    here = zone_or_utc(zone)
    today = local(at, here).toordinal()
    spans = _spans(hours, here, today)
    position = bisect_right(spans, (at, _NEVER)) - 1
    if position < 0 or at >= spans[position][1]:
        return spans[position + 1][0] if position + 1 < len(spans) else None
    end = spans[position][1]
    # What goes on to the end of the days looked at goes on for ever.
    return end if end < _spans_end(here, today) else None


def on_duty(rotation: Rotation, zone: str, at: int) -> Person:
    """Who of the rotation is on duty at `at` (UTC ms)."""
    return rotation.people[_shift(rotation, zone_or_utc(zone), at) % len(rotation.people)]


def next_handover(rotation: Rotation, zone: str, at: int) -> int:
    """The next time after `at` (UTC ms) at which a shift of the rotation begins.

    Before the rotation's first day it is the beginning of the second shift: the first person is on
    duty until then.
    """
    here = zone_or_utc(zone)
    return _beginning(rotation, here, _shift(rotation, here, at) + 1)


_NEVER: Final = 2**63


@lru_cache(maxsize=1_000)
def _spans(hours: tuple[Hours, ...], zone: ZoneInfo, today: int) -> tuple[tuple[int, int], ...]:
    """Begin and end of what is on, from two days before `today` (an ordinal) on, in order.

    Those that touch are one.
    """
    found: list[tuple[int, int]] = []
    for ordinal in range(today - 2, today + _AHEAD + 1):
        day = date.fromordinal(ordinal)
        for one in hours:
            if not one.days or _DAYS[day.weekday()] in one.days:
                last = day + _DAY if one.end <= one.begin else day
                begin, end = at_clock(day, one.begin, zone), at_clock(last, one.end, zone)
                if begin < end:  # a jump of the clock may leave nothing of short hours
                    found.append((begin, end))
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(found):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return tuple(merged)


def _spans_end(zone: ZoneInfo, today: int) -> int:
    """The time up to which `_spans` has all that is on."""
    return at_clock(date.fromordinal(today + _AHEAD), "00:00", zone)


def _shift(rotation: Rotation, zone: ZoneInfo, at: int) -> int:
    """The number of the shift at `at`, from 0; 0 before the first one too."""
    # From the day after on, since a clock that goes back at midnight shows yesterday once more.
    passed = local(at, zone).toordinal() + 1 - _first_day(rotation)
    shift = max(passed // rotation.days, 0)
    while shift > 0 and at < _beginning(rotation, zone, shift):
        shift -= 1
    return shift


def _beginning(rotation: Rotation, zone: ZoneInfo, shift: int) -> int:
    ordinal = _first_day(rotation) + shift * rotation.days
    day = date.fromordinal(min(ordinal, date.max.toordinal()))
    return at_clock(day, rotation.handover, zone)


def _first_day(rotation: Rotation) -> int:
    # The inventory refuses a 31 February; on a topic it may stand.
    try:
        return date.fromisoformat(rotation.since).toordinal()
    except ValueError:
        return date(1970, 1, 1).toordinal()
