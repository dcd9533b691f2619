"""A schedule of crontab(5) in words, as far as it is one of the usual ones. Pure."""

from collections.abc import Sequence
from typing import Final

from portquorum.web.pages.number_words import fill
from portquorum.web.words import ENGLISH
from schemas.cron import Cron, parse

_EVERY_HOUR: Final = (1 << 24) - 1
_EVERY_MINUTE: Final = (1 << 60) - 1
_EVERY_DAY: Final = sum(1 << n for n in range(1, 32))
_EVERY_MONTH: Final = sum(1 << n for n in range(1, 13))
_EVERY_WEEKDAY: Final = (1 << 7) - 1
_MOST_TIMES: Final = 4


def schedule_words(schedule: str) -> str:
    """`every day at 03:00`, `every 5 minutes`, `Mon, Thu at 04:30`; empty: it is no usual one."""
    try:
        cron = parse(schedule)
    except ValueError:
        return ""
    days, times = _days(cron), _times(cron)
    if not days or not times:
        return ""
    w = ENGLISH.jobs
    return times if days == w.every_day and _is_frequent(cron) else f"{days} {times}"


def _is_frequent(cron: Cron) -> bool:
    return cron.hours == _EVERY_HOUR


def _days(cron: Cron) -> str:
    w = ENGLISH.jobs
    if cron.months != _EVERY_MONTH:
        return ""
    all_days, all_weekdays = cron.days == _EVERY_DAY, cron.weekdays == _EVERY_WEEKDAY
    if all_days and all_weekdays:
        return w.every_day
    if all_days:
        return ", ".join(w.weekdays[day] for day in _week(cron.weekdays))
    if all_weekdays:
        return fill(w.days_of_month, days=", ".join(f"{one}" for one in _in(cron.days)))
    return ""


def _week(bits: int) -> Sequence[int]:
    """The days of the week from Monday on; Sunday is 0."""
    return sorted(_in(bits), key=lambda day: day or 7)


def _times(cron: Cron) -> str:
    w, minutes, hours = ENGLISH.jobs, _in(cron.minutes), _in(cron.hours)
    if cron.hours == _EVERY_HOUR:
        if cron.minutes == _EVERY_MINUTE:
            return w.every_minute
        step = _step(minutes)
        if step:
            return fill(w.every_minutes, n=step)
        named = ", ".join(f":{one:02}" for one in minutes)
        return fill(w.each_hour, minutes=named) if len(minutes) <= _MOST_TIMES else ""
    if len(minutes) * len(hours) > _MOST_TIMES:
        return ""
    return fill(w.at_times, times=", ".join(f"{h:02}:{m:02}" for h in hours for m in minutes))


def _step(minutes: Sequence[int]) -> int:
    """The distance of minutes that divide an hour, 0: they do not."""
    if len(minutes) < 2 or minutes[0] != 0:
        return 0
    step = minutes[1]
    return step if list(minutes) == list(range(0, 60, step)) else 0


def _in(bits: int) -> list[int]:
    return [n for n in range(bits.bit_length()) if bits >> n & 1]
