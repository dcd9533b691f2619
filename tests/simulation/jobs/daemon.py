"""When cron runs an entry: a clock is read minute by minute, as Debian's cron.c does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

MINUTE_MS: Final = 60_000
_LONG: Final = timedelta(hours=3)
_RANGES: Final = (range(60), range(24), range(1, 32), range(1, 13), range(8))


class Entry(Struct, frozen=True):
    """A line of a crontab without its command: which values each field allows."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    both_days: bool
    wild: bool

    def runs_at(self, shown: datetime) -> bool:
        if shown.minute not in self.minutes or shown.hour not in self.hours:
            return False
        if shown.month not in self.months:
            return False
        day, weekday = shown.day in self.days, shown.isoweekday() % 7 in self.weekdays
        return (day and weekday) if self.both_days else (day or weekday)


def read(schedule: str) -> Entry:
    """Lists, ranges and steps; no names."""
    texts = schedule.split()
    minutes, hours, days, months, weekdays = (
        frozenset(_values(text, allowed)) for text, allowed in zip(texts, _RANGES, strict=True)
    )
    return Entry(
        minutes,
        hours,
        days,
        months,
        frozenset(one % 7 for one in weekdays),
        both_days=texts[2].startswith("*") or texts[4].startswith("*"),
        wild=texts[0].startswith("*") or texts[1].startswith("*"),
    )


def _values(text: str, allowed: range) -> Iterator[int]:
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first == "*":
            yield from allowed[:: int(step or 1)]
        elif last or step:
            yield from range(int(first), int(last or allowed[-1]) + 1, int(step or 1))
        else:
            yield int(first)


def runs(entries: list[Entry], zone: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """(number of the entry, UTC ms) of each run from `begin` to `end`, in the order of time."""
    local = ZoneInfo(zone)
    virtual = _shown(begin, local) - timedelta(minutes=1)
    for at in range(begin, end, MINUTE_MS):
        shown = _shown(at, local)
        passed = shown - virtual
        ahead = timedelta(0) < passed < _LONG
        behind = -_LONG < passed <= timedelta(0)
        skipped = [virtual + timedelta(minutes=one + 1) for one in range(passed // _MINUTE)]
        for number, entry in enumerate(entries):
            if entry.wild or not (ahead or behind):
                due = entry.runs_at(shown)
            else:
                due = any(entry.runs_at(one) for one in skipped)
            if due:
                yield number, at
        virtual = virtual if behind else shown


_MINUTE: Final = timedelta(minutes=1)


def _shown(at: int, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows, without its zone."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).replace(tzinfo=None)
