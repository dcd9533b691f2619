"""Occurrences of a maintenance window: its rule (RFC 5545, section 3.3.10) unrolled.

A rule goes by calendar and clock of the window's zone, so that 02:00 on Sundays is that in summer
as in winter. What it finds is then read as a time of that zone (`schemas.wall_clock`), as section
3.3.10 wants it for times that come twice or not at all. `UNTIL` is UTC, as the RFC demands.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from schemas._types import MAX_MILLIS
from schemas.policy import Maintenance
from schemas.wall_clock import instant, local, zone_or_utc

MOST: Final = 5_000
"""The most occurrences of a window that are unrolled into a list: one a day for 13 years."""

MOST_LOOKED_THROUGH: Final = 100_000
"""The most occurrences from its start on that a `Window` knows: one an hour for 11 years."""

_PARTS: Final = re.compile(r"[A-Z-]+=[A-Z0-9,+:-]+(;[A-Z-]+=[A-Z0-9,+:-]+)*\Z")
_FREQ: Final = re.compile(r"(?:^|;)FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY)(?:;|\Z)")
_INTERVAL: Final = re.compile(r"(?:^|;)INTERVAL=([0-9]{1,9})(?:;|\Z)")
_UNTIL: Final = re.compile(r"(?:^|;)UNTIL=([0-9]{8}T[0-9]{6})Z(?=;|\Z)")
MOST_INTERVAL: Final = 10_000
_ERRORS: Final = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError)


def problem(rule: str, start_ms: int, timezone: str | None = None) -> str | None:
    """The error in a rule, as a sentence; None if it can be unrolled from `start_ms` on."""
    # The library searches without end for a rule with an interval of 0 that never matches.
    intervals = [int(written) for written in _INTERVAL.findall(rule)]
    every = rule.count("INTERVAL") == len(intervals) and all(
        1 <= interval <= MOST_INTERVAL for interval in intervals
    )
    # The library takes the last FREQ of several: FREQ=DAILY;FREQ=SECONDLY is one each second.
    once = rule.count("FREQ") == 1
    if not _PARTS.match(rule) or not _FREQ.search(rule) or not every or not once:
        return f"expected a rule of RFC 5545 (FREQ=WEEKLY;BYDAY=SU), found {rule!r}"
    untils = rule.count("UNTIL")
    if untils > 1 or untils != len(_UNTIL.findall(rule)):
        wanted = "expected a rule of RFC 5545 with one UNTIL in UTC (UNTIL=20271231T230000Z)"
        return f"{wanted}, found {rule!r}"
    try:
        zone = zone_or_utc(timezone)
        ever = _comes_true(rule, local(start_ms, zone).replace(tzinfo=None))
        first = next(_rule(rule, start_ms, zone), None) if ever else None
    except _ERRORS as error:
        return f"expected a rule of RFC 5545 (FREQ=WEEKLY;BYDAY=SU), found {rule!r}: {error}"
    return f"expected a rule that ever comes true, found {rule!r}" if first is None else None


def occurrences(window: Maintenance, until_ms: int) -> list[tuple[int, int]]:
    """Begin and end (UTC ms) of each occurrence that begins before `until_ms`, in order.

    At most `MOST`. An invalid rule has none; the inventory refuses it before.
    """
    begins = islice(_begins(window), MOST)
    return [(begin, begin + window.duration_ms) for begin in begins if begin < until_ms]


class Window:
    """A maintenance window that is asked again and again: it unrolls its rule once, as needed.

    Occurrences that touch or overlap are one span.
    """

    def __init__(self, window: Maintenance) -> None:
        self.maintenance = window
        self._more = islice(_begins(window), MOST_LOOKED_THROUGH)
        self._next = next(self._more, None)
        self._begins: list[int] = []
        self._ends: list[int] = []

    def at(self, now: int) -> tuple[int, int] | None:
        """Begin and end of the span that is on at `now` (UTC ms); None: the window is not on."""
        self._unroll(now)
        position = bisect_right(self._begins, now) - 1
        if position < 0 or now >= self._ends[position]:
            return None
        return self._begins[position], min(self._ends[position], MAX_MILLIS)

    def next_begin(self, now: int) -> int | None:
        """The begin of the first span after `now` (UTC ms); None: there is none."""
        self._unroll(now)
        position = bisect_right(self._begins, now)
        return self._begins[position] if position < len(self._begins) else self._next

    def ended(self, now: int) -> int | None:
        """The end of the last span that was over at `now` (UTC ms); None: there was none."""
        self._unroll(now)
        position = bisect_right(self._ends, now) - 1
        return self._ends[position] if position >= 0 else None

    def _unroll(self, now: int) -> None:
        """Makes spans of all that begins up to `now`, and of what touches the last of these."""
        while self._next is not None and (
            self._next <= now or (bool(self._ends) and self._next <= self._ends[-1])
        ):
            end = self._next + self.maintenance.duration_ms
            if self._ends and self._next <= self._ends[-1]:
                self._ends[-1] = end
            else:
                self._begins.append(self._next)
                self._ends.append(end)
            self._next = next(self._more, None)


_LATE: Final = 9_680
"""The last year to look from: up to 9999 it leaves as many years as records have, 316."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_LONGEST_JUMP_MS: Final = 26 * 3_600_000
"""More than the clock of a zone was ever put on or back at once (Samoa left out a day)."""


def _begins(window: Maintenance) -> Iterator[int]:
    """The begins (UTC ms), in order, each once."""
    if window.rrule is None:
        yield window.start
        return
    if problem(window.rrule, window.start, window.timezone) is not None:
        return
    # What lies in a jump of the clock comes later than what is written behind it: 02:30, 03:15.
    waiting: list[int] = []
    last = None
    for begin in _until_it_fails(_rule(window.rrule, window.start, zone_or_utc(window.timezone))):
        heappush(waiting, begin)
        while waiting[0] < begin - _LONGEST_JUMP_MS:
            found = heappop(waiting)
            if found != last:
                yield found
            last = found
    for found in sorted(waiting):
        if found != last:
            yield found
        last = found


def _until_it_fails(begins: Iterator[int]) -> Iterator[int]:
    """The begins up to one that the library can't compute (beyond the year 9999)."""
    try:
        yield from begins
    except _ERRORS:
        return


def _comes_true(rule: str, start: datetime) -> bool:
    """True if a rule ever finds anything, whatever its UNTIL.

    The library looks for a 30 February up to the year 9999, which takes seconds. The calendar is
    the same each 400 years, and records end in 2286: from a late year on it finds the same, or
    nothing, soon.
    """
    years = 400 * ((_LATE - start.year) // 400)
    late = start.replace(year=start.year + years)
    return next(iter(rrulestr(_UNTIL.sub("", rule).strip(";"), dtstart=late)), None) is not None


def _rule(rule: str, start_ms: int, zone: ZoneInfo) -> Iterator[int]:
    """The begins (UTC ms) of a rule, in the order of the clock.

    Raises:
        ValueError: or another of `_ERRORS`: it is no rule, or leads beyond the year 9999.
    """
    start = local(start_ms, zone).replace(tzinfo=None)
    last = MAX_MILLIS
    found = _UNTIL.search(rule)
    if found is not None:
        until = datetime.strptime(found[1] + "Z", "%Y%m%dT%H%M%S%z")
        last = min((until - _EPOCH) // _MS + start_ms % 1000, MAX_MILLIS)
        # The library knows UNTIL in UTC for a start in UTC alone: it gets a later one on the clock,
        # which keeps it from searching on for ever.
        later = local(max(last, 0), zone) + timedelta(days=2)
        rule = f"{_UNTIL.sub('', rule).strip(';')};UNTIL={later:%Y%m%dT%H%M%S}"
    for shown in rrulestr(rule, dtstart=start):
        # The library drops fractions of a second.
        begin = instant(shown, zone) + start_ms % 1000
        if begin <= last:
            yield begin
        elif begin > MAX_MILLIS:
            return
