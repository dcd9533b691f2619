"""Times on the wall clock of a zone of the IANA database, as RFC 5545 (section 3.3.5) reads them.

A local time that the clock shows twice is the first of the two. One that the clock jumps over is
read with the offset before the jump: 02:30 on the morning on which 02:00 becomes 03:00 is 03:30.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from schemas._types import MAX_MILLIS

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
