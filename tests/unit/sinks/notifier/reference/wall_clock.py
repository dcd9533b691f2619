"""Hours, turns of duty and windows on the wall clock of a zone, the slow way."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from schemas.policy import Hours, Maintenance, Person, Rotation, Route

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AHEAD_DAYS = 9


def local(at: int, zone: str) -> datetime:
    """What a clock on the wall shows (UTC ms to a naive time)."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).replace(tzinfo=None)


def instant(shown: datetime, zone: str) -> int:
    """When it shows that (UTC ms), the first time if it does so twice."""
    return round(shown.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def _at(day: date, clock: str) -> datetime:
    hour, minute = clock.split(":")
    return datetime.combine(day, time(int(hour), int(minute)))


def is_on(hours: Iterable[Hours], zone: str, now: int) -> bool:
    """True if `now` lies in one of these hours."""
    shown = local(now, zone)
    for one in hours:
        for day in (shown.date() - timedelta(days=1), shown.date()):
            if one.days and DAYS[day.weekday()] not in one.days:
                continue
            begin, end = _at(day, one.begin), _at(day, one.end)
            if end <= begin:
                end += timedelta(days=1)
            if begin <= shown < end:
                return True
    return False


def takes_now(route: Route, now: int) -> bool:
    return not route.when or is_on(route.when, route.timezone, now)


def is_quiet(route: Route, now: int) -> bool:
    return route.quiet is not None and is_on(route.quiet.hours, route.timezone, now)


def on_duty(rotation: Rotation, zone: str, now: int) -> Person:
    """Who has the duty: the first before `since`, then one after the other."""
    begin = _at(date.fromisoformat(rotation.since), rotation.handover)
    passed = (local(now, zone) - begin) // timedelta(days=rotation.days)
    return rotation.people[max(passed, 0) % len(rotation.people)]


def urls_now(route: Route, now: int) -> tuple[str, ...]:
    """The route's channels: its own, and those of who has the duty."""
    duty = on_duty(route.rotation, route.timezone, now).urls if route.rotation else ()
    return tuple(dict.fromkeys((*route.urls, *duty)))


def every_url(route: Route) -> tuple[str, ...]:
    """Its own and everybody's of its rotation."""
    people = route.rotation.people if route.rotation else ()
    return tuple(dict.fromkeys((*route.urls, *(url for one in people for url in one.urls))))


@lru_cache(maxsize=4_096)
def _changes(route: Route, today: date) -> tuple[int, ...]:
    clocks = [
        clock
        for one in (*route.when, *(route.quiet.hours if route.quiet else ()))
        for clock in (one.begin, one.end)
    ]
    if route.rotation is not None:
        clocks.append(route.rotation.handover)
    days = [today + timedelta(days=number) for number in range(-2, AHEAD_DAYS)]
    return tuple(sorted({instant(_at(day, one), route.timezone) for day in days for one in clocks}))


def changes(route: Route, now: int) -> tuple[int, ...]:
    """All times of some days at which something of the route may begin or end."""
    return _changes(route, local(now, route.timezone).date())


@lru_cache(maxsize=4_096)
def windows(window: Maintenance, until_day: int) -> tuple[tuple[int, int], ...]:
    """Begin and end of each occurrence up to the end of that day since 1970."""
    zone = window.timezone or "UTC"
    first = local(window.start, zone)
    if window.rrule is None:
        begins: Iterator[datetime] = iter([first])
    else:
        begins = iter(rrulestr(window.rrule, dtstart=first))
    last = _at(date(1970, 1, 1) + timedelta(days=until_day + 1), "00:00")
    found = []
    for begin in begins:
        if begin > last:
            break
        at = instant(begin, zone)
        found.append((at, at + window.duration_ms))
    return tuple(found)


def occurrences(window: Maintenance, now: int) -> tuple[tuple[int, int], ...]:
    """Those that began, and those of the next days."""
    return windows(window, now // 86_400_000 + AHEAD_DAYS)
