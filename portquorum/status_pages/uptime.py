"""Uptime of components, from what is known of their targets.

A component is down while at least one of its targets is down (docs/status-pages.md).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import Struct

from portquorum.status_pages.model import Day

DAY_S: Final = 86_400
DAY_MS: Final = DAY_S * 1000
_NO_END: Final = 2**62


class TargetDay(Struct, frozen=True, gc=False):
    """A day (UTC) of a target: seconds measured, down, and down within maintenance.

    All of them are up to `reckoned_at` (UTC ms), which may be some minutes ago.
    """

    day: date
    measured_s: float
    down_s: float
    planned_s: float
    reckoned_at: int = _NO_END


class Outage(Struct, frozen=True, gc=False):
    """A time at which a target was down, UTC ms."""

    target: str
    began_at: int
    ended_at: int


def day_of(at: int) -> date:
    """The day (UTC) of a time (UTC ms)."""
    return datetime.fromtimestamp(at / 1000, tz=UTC).date()


def needs_outages(targets: Iterable[Sequence[TargetDay]]) -> bool:
    """True if two of some targets were down on one day: their times may overlap."""
    seen: set[date] = set()
    for days in targets:
        own = {one.day for one in days if one.down_s > 0}
        if not seen.isdisjoint(own):
            return True
        seen |= own
    return False


def component_days(
    targets: Sequence[Sequence[TargetDay]], outages: Sequence[Outage], today: date, count: int
) -> tuple[Day, ...]:
    """The last `count` days of a component, today last.

    `outages` are those of its targets; they are looked at where several were down on one day.
    Measured is the time of the target that was measured longest.
    """
    first = today - timedelta(days=count - 1)
    found: list[list[TargetDay]] = [[] for _ in range(count)]
    for days in targets:
        for one in days:
            place = (one.day - first).days
            if 0 <= place < count:
                found[place].append(one)
    return tuple(
        _day(some, outages, first + timedelta(days=place)) for place, some in enumerate(found)
    )


def _day(some: Sequence[TargetDay], outages: Sequence[Outage], day: date) -> Day:
    if not some:
        return Day()
    measured = min(DAY_S, max(one.measured_s for one in some))
    fallen = [one for one in some if one.down_s > 0]
    if not fallen:
        return Day(round(measured))
    planned = max(one.planned_s for one in fallen)
    down = max(one.down_s for one in fallen)
    if len(fallen) > 1:
        # An outage that goes on has grown since the day was reckoned: both are of one moment. And
        # what was down while nobody watched it is no part of the days.
        begin = int(datetime.combine(day, datetime.min.time(), UTC).timestamp()) * 1000
        end = min(begin + DAY_MS, max(one.reckoned_at for one in some))
        together = together_s(outages, begin, end)
        down = max(down, min(together, sum(one.down_s for one in fallen)))
    down = min(down, measured)
    # Rounded up: a second of outage is one.
    whole = min(round(measured), max(1, round(down)))
    return Day(round(measured), whole, min(whole, round(planned)))


def together_s(outages: Iterable[Outage], since: int, until: int) -> float:
    """The length (s) of the time between two (UTC ms) in which any outage was on."""
    spans = sorted(
        (max(one.began_at, since), min(one.ended_at, until))
        for one in outages
        if one.began_at < until and one.ended_at > since
    )
    length, reached = 0, since
    for begin, end in spans:
        length += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return length / 1000


def percent(days: Iterable[Day]) -> float | None:
    """The uptime over some days: the share of the measured time without unplanned outage."""
    known = list(days)
    measured = sum(one.measured_s for one in known)
    down = sum(one.down_s - one.planned_s for one in known)
    return None if measured == 0 else max(0.0, 100 * (1 - down / measured))
