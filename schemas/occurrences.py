"""Occurrences of a maintenance window: its rule (RFC 5545, section 3.3.10) unrolled, in UTC."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from dateutil.rrule import rrulestr

from schemas.policy import Maintenance

MOST: Final = 5_000
"""The most occurrences of a window that are unrolled: one a day for 13 years."""

_PARTS: Final = re.compile(r"[A-Z-]+=[A-Z0-9,+:-]+(;[A-Z-]+=[A-Z0-9,+:-]+)*\Z")
_FREQ: Final = re.compile(r"(?:^|;)FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY)(?:;|\Z)")
_INTERVAL: Final = re.compile(r"(?:^|;)INTERVAL=([0-9]{1,9})(?:;|\Z)")
MOST_INTERVAL: Final = 10_000
_ERRORS: Final = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError)


def problem(rule: str, start_ms: int) -> str | None:
    """The error in a rule, as a sentence; None if it can be unrolled from `start_ms` on."""
    # The library searches without end for a rule with an interval of 0 that never matches.
    intervals = [int(written) for written in _INTERVAL.findall(rule)]
    every = rule.count("INTERVAL") == len(intervals) and all(
        1 <= interval <= MOST_INTERVAL for interval in intervals
    )
    if not _PARTS.match(rule) or not _FREQ.search(rule) or not every:
        return f"expected a rule of RFC 5545 (FREQ=WEEKLY;BYDAY=SU), found {rule!r}"
    try:
        first = next(iter(_rule(rule, start_ms)), None)
    except _ERRORS as error:
        return f"expected a rule of RFC 5545 (FREQ=WEEKLY;BYDAY=SU), found {rule!r}: {error}"
    return f"expected a rule that ever comes true, found {rule!r}" if first is None else None


def occurrences(window: Maintenance, until_ms: int) -> list[tuple[int, int]]:
    """Begin and end (UTC ms) of each occurrence that begins before `until_ms`, in order.

    At most `MOST`. An invalid rule has none; the inventory refuses it before.
    """
    if window.rrule is None:
        begins = [window.start]
    elif problem(window.rrule, window.start) is not None:
        begins = []
    else:
        # The library drops fractions of a second.
        found = islice(_until_it_fails(_rule(window.rrule, window.start)), MOST)
        begins = [(one - _EPOCH) // _MS + window.start % 1000 for one in found]
    return [(begin, begin + window.duration_ms) for begin in begins if begin < until_ms]


def _until_it_fails(rule: Iterable[datetime]) -> Iterator[datetime]:
    """The occurrences up to one that the library can't compute (beyond the year 9999)."""
    try:
        yield from rule
    except _ERRORS:
        return


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def _rule(rule: str, start_ms: int) -> Iterable[datetime]:
    return rrulestr(rule, dtstart=_EPOCH + timedelta(milliseconds=start_ms))
