"""Schedules of crontab(5): reading one, and the times at which it is due (docs/rules.md, rule 16).

Pure, and our own: the bytes of a replay must not change with the version of a library. A zone comes
in as its offsets from UTC (`schemas.probe.ZoneOffset`).

Where the clock of the zone is changed, an entry is due as Debian's cron runs it:

- One whose minute or hour begins with `*` follows the time that passes: it is due in every minute
  that the clock shows, twice in an hour that comes twice.
- Any other one is due as soon as the clock shows its time or a later one, and once: what lies in an
  hour that is skipped is due right after it, what lies in an hour that comes twice the first time.

https://salsa.debian.org/debian/cron (cron.c, "the job is run once").
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from msgspec import Struct

from schemas._types import MAX_MILLIS
from schemas.probe import ZoneOffset

_MINUTE_MS: Final = 60_000
_DAY_MINUTES: Final = 1_440
_FARTHEST_MS: Final = 2 * 86_400_000
"""No two offsets of a zone differ by more."""

_EPOCH: Final = date(1970, 1, 1).toordinal()
_LAST_DAY: Final = date(2286, 12, 31)
_ONE_DAY: Final = timedelta(days=1)
_MONTH_DAYS: Final = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTH_NAMES: Final = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
_DAY_NAMES: Final = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_NICKNAMES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


class Cron(Struct, frozen=True, gc=False, kw_only=True):
    """A schedule: of each field the set of its numbers, as bits.

    Bit n of `minutes`, `hours`, `days`, `months`, `weekdays` is set if the number n is in the field
    (Sunday is 0). `both_days`: a day must fit `days` and `weekdays`; otherwise one of them is
    enough. `elapsed`: the entry follows the time that passes when the clock is changed.
    """

    minutes: int
    hours: int
    days: int
    months: int
    weekdays: int
    both_days: bool
    elapsed: bool


class _Field(Struct, frozen=True, kw_only=True):
    """A field of a schedule: its name for people, its range, and the names of its numbers."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = {}


_FIELDS: Final = (
    _Field(name="minute", low=0, high=59),
    _Field(name="hour", low=0, high=23),
    _Field(name="day of the month", low=1, high=31),
    _Field(name="month", low=1, high=12, names=_MONTH_NAMES),
    _Field(name="day of the week", low=0, high=7, names=_DAY_NAMES),
)


@lru_cache(maxsize=20_000)
def parse(schedule: str) -> Cron:
    """The schedule that a text in the form of crontab(5) describes.

    Five fields, or a nickname (`@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`, …). A field
    is a list of `*`, numbers, names of months and days (`jan`, `mon`), and ranges (`2-5`), `*` and
    ranges with a step (`*/15`); `7/15` is `7-59/15`. Sunday is 0 and 7. As in Debian's cron the day
    of the month or that of the week must fit; both must if one of the two begins with `*`.

    Raises:
        ValueError: a sentence for people that says what is wrong.
    """
    words = schedule.lower().split()
    if len(words) == 1 and words[0].startswith("@"):
        if words[0] not in _NICKNAMES:
            raise ValueError(
                f"“{words[0]}” is no schedule: use @hourly, @daily, @weekly, @monthly or @yearly"
            )
        words = _NICKNAMES[words[0]].split()
    if len(words) != len(_FIELDS):
        raise ValueError(
            "a schedule has five fields (minute, hour, day of the month, month, day of the week),"
            f" this one has {len(words)}"
        )
    minutes, hours, days, months, weekdays = (
        _bits(_numbers(field, word)) for field, word in zip(_FIELDS, words, strict=True)
    )
    cron = Cron(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=(weekdays | weekdays >> 7) & 0b1111111,
        both_days=words[2].startswith("*") or words[4].startswith("*"),
        elapsed=words[0].startswith("*") or words[1].startswith("*"),
    )
    if _impossible(cron):
        raise ValueError("no month that the schedule names has such a day, so it is never due")
    return cron


def next_after(cron: Cron, offsets: Sequence[ZoneOffset], at_ms: int) -> int | None:
    """The first time after `at_ms` at which the schedule is due (both UTC ms).

    `offsets`: the zone's, in the order of their times, at least one. None: nothing is due before
    the greatest time that a record can have.
    """
    current = max(bisect_right(offsets, at_ms, key=_begins) - 1, 0)
    due = (
        _next_elapsed(cron, offsets, at_ms, current)
        if cron.elapsed
        else _next_shown(cron, offsets, at_ms, current)
    )
    return due if due is not None and due <= MAX_MILLIS else None


def _next_elapsed(
    cron: Cron, offsets: Sequence[ZoneOffset], at_ms: int, current: int
) -> int | None:
    """As `next_after`, in every minute that the clock shows: offset by offset."""
    for position in range(current, len(offsets)):
        ahead = offsets[position].seconds * 1000
        begin = at_ms + 1 if position == current else offsets[position].at
        shown = _first_minute(cron, -(-(begin + ahead) // _MINUTE_MS))
        end = offsets[position + 1].at if position + 1 < len(offsets) else None
        if shown is not None and (end is None or shown * _MINUTE_MS - ahead < end):
            return shown * _MINUTE_MS - ahead
    return None


def _next_shown(cron: Cron, offsets: Sequence[ZoneOffset], at_ms: int, current: int) -> int | None:
    """As `next_after`, for what is due once, as soon as the clock shows its time or a later one."""
    latest = at_ms + offsets[current].seconds * 1000
    # The clock may have shown later times before it was set back.
    for position in range(current - 1, -1, -1):
        end = offsets[position + 1].at
        if at_ms - end > _FARTHEST_MS:
            break
        latest = max(latest, end - 1 + offsets[position].seconds * 1000)
    shown = _first_minute(cron, latest // _MINUTE_MS + 1)
    if shown is None:
        return None
    for position in range(current, len(offsets)):
        ahead = offsets[position].seconds * 1000
        due = shown * _MINUTE_MS - ahead
        if position > current:
            due = max(due, offsets[position].at)
        if position + 1 == len(offsets) or due < offsets[position + 1].at:
            return due
    return None


def _begins(offset: ZoneOffset) -> int:
    return offset.at


def _first_minute(cron: Cron, minute: int) -> int | None:
    """The first local minute (since 1970) from `minute` on that the schedule has."""
    day, clock = divmod(minute, _DAY_MINUTES)
    today = date.fromordinal(_EPOCH + day)
    if _has_day(cron, today):
        found = _first_clock(cron, clock)
        if found is not None:
            return day * _DAY_MINUTES + found
    next_day = _first_day(cron, today + _ONE_DAY)
    if next_day is None:
        return None
    found = _first_clock(cron, 0)
    return None if found is None else (next_day.toordinal() - _EPOCH) * _DAY_MINUTES + found


def _first_clock(cron: Cron, clock: int) -> int | None:
    """The first minute of a day from `clock` on that the schedule has, if there is one."""
    hour, minute = divmod(clock, 60)
    rest = cron.minutes >> minute
    if cron.hours >> hour & 1 and rest:
        return clock + _lowest(rest)
    hours = cron.hours >> (hour + 1)
    return (hour + 1 + _lowest(hours)) * 60 + _lowest(cron.minutes) if hours else None


def _first_day(cron: Cron, day: date) -> date | None:
    while day <= _LAST_DAY:
        if not cron.months >> day.month & 1:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        elif _has_day(cron, day):
            return day
        else:
            day += _ONE_DAY
    return None


def _has_day(cron: Cron, day: date) -> bool:
    if not cron.months >> day.month & 1:
        return False
    of_month = cron.days >> day.day & 1
    of_week = cron.weekdays >> day.isoweekday() % 7 & 1
    return bool(of_month & of_week if cron.both_days else of_month | of_week)


def _lowest(bits: int) -> int:
    """The number of the lowest bit that is set."""
    return (bits & -bits).bit_length() - 1


def _bits(numbers: Iterable[int]) -> int:
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits


def _impossible(cron: Cron) -> bool:
    """True if only a day of the month is left that none of the months has."""
    if not cron.both_days and cron.weekdays:
        return False
    longest = max(_MONTH_DAYS[month] for month in range(1, 13) if cron.months >> month & 1)
    return _lowest(cron.days) > longest


def _numbers(field: _Field, word: str) -> set[int]:
    found: set[int] = set()
    for part in word.split(","):
        found.update(_range(field, part))
    return found


def _range(field: _Field, part: str) -> range:
    """The numbers of one member of a list.

    Raises:
        ValueError: as `parse`.
    """
    span, slash, step_text = part.partition("/")
    step = _digits(step_text) if slash else 1
    if step is None or step == 0:
        raise ValueError(f"“{part}” in the {field.name} has no step that is a number from 1 on")
    if span == "*":
        return range(field.low, field.high + 1, step)
    first_text, dash, last_text = span.partition("-")
    first = _number(field, first_text, part)
    end_text = last_text if dash else first_text
    last = field.high if slash and not dash else _number(field, end_text, part)
    if last < first:
        raise ValueError(f"the range “{span}” in the {field.name} ends before it begins")
    return range(first, last + 1, step)


def _number(field: _Field, text: str, part: str) -> int:
    number = field.names.get(text, _digits(text))
    if number is None:
        raise ValueError(f"“{part}” is no {field.name}")
    if not field.low <= number <= field.high:
        raise ValueError(f"{number} is no {field.name}: those are {field.low} to {field.high}")
    return number


def _digits(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None
