"""Times on the wall clock of a zone of the IANA database, as RFC 5545 (section 3.3.5) reads them.

A local time that the clock shows twice is the first of the two. One that the clock jumps over is
read with the offset before the jump: 02:30 on the morning on which 02:00 becomes 03:00 is 03:30.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from schemas._types import MAX_MILLIS
from schemas.probe import ZoneOffset

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


@lru_cache(maxsize=1_000)
def zone_named(name: str) -> ZoneInfo | None:
    """The zone `name` (`Europe/Berlin`); None if the database has none of this name."""
    # `localtime` is another zone on each machine; the zones of `right/` count leap seconds.
    if name == "localtime" or name.startswith(("posix", "right/")):
        return None
    # A folder, a file that is no zone, and a path out of the database each raise another error.
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def zone_or_utc(name: str | None) -> ZoneInfo:
    """The zone `name`; UTC for None, and for a name that the database doesn't have.

    The inventory refuses unknown names; what else stands on a topic must not end a role.
    """
    return (zone_named(name) if name else None) or _UTC


_UTC: Final = ZoneInfo("UTC")


def local(at: int, zone: ZoneInfo) -> datetime:
    """What calendar and clock of `zone` show at `at` (UTC ms)."""
    return (_EPOCH + at * _MS).astimezone(zone)


def instant(shown: datetime, zone: ZoneInfo) -> int:
    """The time (UTC ms) at which calendar and clock of `zone` show `shown`; see above for doubts.

    The zone and the fold of `shown` are not looked at.
    """
    return (shown.replace(tzinfo=zone, fold=0) - _EPOCH) // _MS


def at_clock(day: date, clock: str, zone: ZoneInfo) -> int:
    """The time (UTC ms) of `HH:MM` on `day` in `zone`; at most the greatest one of a record."""
    shown = datetime.combine(day, time(int(clock[:2]), int(clock[3:])))
    return min(instant(shown, zone), MAX_MILLIS)


_STEP_MS: Final = 6 * 3_600_000
"""No zone has changed its offset twice within less."""


def offsets(zone: ZoneInfo, since: int, until: int) -> tuple[ZoneOffset, ...]:
    """The offsets of `zone` from `since` to `until` (UTC ms), as a `HeartbeatProbe` has them.

    The first one begins at 0: it holds before `since`, too.
    """
    found = [ZoneOffset(at=0, seconds=_offset(zone, since))]
    before = since
    while before < until:
        after = min(before + _STEP_MS, until)
        seconds = _offset(zone, after)
        if seconds != found[-1].seconds:
            found.append(ZoneOffset(at=_change(zone, before, after), seconds=seconds))
        before = after
    return tuple(found)


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The time at which the offset becomes that of `after`, where it is another one `before`."""
    new = _offset(zone, after)
    while after - before > 1:
        between = (before + after) // 2
        if _offset(zone, between) == new:
            after = between
        else:
            before = between
    return after


def _offset(zone: ZoneInfo, at: int) -> int:
    """The seconds by which local time is ahead of UTC at `at` (UTC ms)."""
    ahead = local(at, zone).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds())
