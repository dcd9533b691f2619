"""Maintenance windows: as server/model/maintenance.js has them, as windows of the inventory."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from portquorum.importing.hiding import named
from portquorum.importing.kuma.convert import Entry
from portquorum.importing.kuma.source import Source
from portquorum.importing.model import Ignored, Import, Place
from portquorum.importing.timing import text as duration_text
from schemas.plain_text import one_line

_DAYS: Final = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_FIRST: Final = date(2026, 1, 1)
"""Where a window that comes again has no first day."""

_DAY_S: Final = 86_400
_MOST_DAYS: Final = 366
_LONGEST_NAME: Final = 60


class _NoWindowError(ValueError):
    """The window has no equal; the text says why."""


class _Window:
    """A window as it stands there, in any spelling."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = {re.sub("[^a-z]", "", str(name).lower()): one for name, one in value.items()}

    def get(self, *names: str) -> Any:
        return next((self._value[one] for one in names if self._value.get(one) is not None), None)

    def listed(self, *names: str) -> list[Any]:
        found = self.get(*names)
        if isinstance(found, str):
            try:
                found = json.loads(found)
            except (ValueError, RecursionError):
                return []
        return list(found) if isinstance(found, list | tuple) else []


def add(found: Import, source: Source, entries: Sequence[Entry]) -> None:
    """Adds the windows to `found`, and to what is ignored those without an equal."""
    keys = {entry.key: entry.found.key for entry in entries if entry.found.key}
    taken: set[str] = set()
    for place, value in source.maintenance:
        window = _Window(value)
        name = _name(str(window.get("title", "name") or "maintenance"), taken)
        what = f'the maintenance window "{name}"'
        try:
            targets = _targets(window, keys)
            made = _window(window, place, what, found)
        except _NoWindowError as error:
            found.ignored.append(Ignored(place, what, str(error)))
        except (ValueError, OverflowError, ArithmeticError):
            found.ignored.append(Ignored(place, what, "its times could not be read"))
        else:
            found.maintenance.append({"name": name, "targets": targets, **made})


def _targets(window: _Window, keys: Mapping[str, str]) -> list[str]:
    ids = [
        str(one.get("id", "")) if isinstance(one, dict) else str(one)
        for one in window.listed("monitors", "monitorids", "monitoridlist", "monitorlist")
    ]
    targets = [f"key:{keys[one]}" for one in ids if one in keys]
    if not targets:
        raise _NoWindowError("the file does not say which monitors it is for")
    return targets


def _window(window: _Window, place: Place, what: str, found: Import) -> dict[str, Any]:
    strategy = str(window.get("strategy") or "single")
    if not _flag(window.get("active"), default=True):
        raise _NoWindowError("it is off")
    if strategy == "manual":
        raise _NoWindowError(
            "it lasts until somebody ends it: `portquorum target pause`, or a silence, does so"
        )
    zone = str(window.get("timezone", "timezoneoption") or "")
    if zone not in available_timezones():
        note = "the time zone of its server is not in the file: its times are read as UTC"
        found.ignored.append(Ignored(place, f"the zone of {what}", note))
        zone = "UTC"
    between = window.listed("daterange") or [window.get("startdate"), window.get("enddate")]
    begins = _moment(between[0] if between else None, zone)
    ends = _moment(between[1] if len(between) > 1 else None, zone)
    if strategy == "single":
        if begins is None or ends is None or ends <= begins:
            raise _NoWindowError("it does not say from when until when it is")
        if ends < datetime.now():  # noqa: DTZ005 - wall clocks, a day more or less does not matter
            raise _NoWindowError("it is over")
        return _written(begins, (ends - begins).total_seconds(), None, zone)
    return _recurring(window, strategy, (begins, ends), zone)


def _recurring(
    window: _Window,
    strategy: str,
    between: tuple[datetime | None, datetime | None],
    zone: str,
) -> dict[str, Any]:
    if strategy == "cron":
        at, rule = _of_cron(str(window.get("cron") or ""))
        minutes = window.get("durationminutes")
        seconds = float(window.get("duration") or 0) or float(minutes or 0) * 60
    else:
        at, until = _times(window)
        seconds = (_seconds(until) - _seconds(at)) % _DAY_S
        rule = _rule(window, strategy)
    if not 0 < seconds <= _MOST_DAYS * _DAY_S:
        raise _NoWindowError("it has no duration")
    begins, ends = between
    first = begins.date() if begins is not None else _FIRST
    day = _first_day(rule, first)
    if ends is not None:
        until_utc = ends.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if until_utc < datetime.now(UTC):
            raise _NoWindowError("it is over")
        rule = f"{rule};UNTIL={until_utc:%Y%m%dT%H%M%SZ}"
    return _written(datetime.combine(day, at), seconds, rule, zone)


def _written(start: datetime, seconds: float, rule: str | None, zone: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "start": start.strftime("%Y-%m-%dT%H:%M"),
        "timezone": zone,
        "duration": duration_text(seconds),
    }
    return made | ({"rrule": rule} if rule else {})


def _rule(window: _Window, strategy: str) -> str:
    if strategy == "recurring-interval":
        days = int(window.get("intervalday") or 1)
        return "FREQ=DAILY" + (f";INTERVAL={days}" if days > 1 else "")
    if strategy == "recurring-weekday":
        found = sorted({int(one) % 7 for one in window.listed("weekdays")})
        if found:
            return "FREQ=WEEKLY;BYDAY=" + ",".join(_DAYS[one] for one in found)
    if strategy == "recurring-day-of-month":
        # lastDay2 to lastDay4 never come there either (generateCron).
        written = window.listed("daysofmonth")
        days_of = [-1 if one == "lastDay1" else int(one) for one in written if _is_day(one)]
        if days_of:
            return "FREQ=MONTHLY;BYMONTHDAY=" + ",".join(map(str, dict.fromkeys(days_of)))
    raise _NoWindowError("when it comes could not be read")


def _is_day(written: object) -> bool:
    return written == "lastDay1" or re.fullmatch(r"[0-9]{1,2}", str(written)) is not None


def _of_cron(written: str) -> tuple[time, str]:
    """The time and rule of a schedule with one time of day."""
    fields = written.split()
    if len(fields) != 5 or not (fields[0].isdecimal() and fields[1].isdecimal()):
        raise _NoWindowError("its cron expression has more than one time a day: write an `rrule:`")
    at = time(int(fields[1]), int(fields[0]))
    days, months, weekdays = fields[2:]
    if months != "*" or (days != "*" and weekdays != "*"):
        raise _NoWindowError("its cron expression is more than days: write an `rrule:`")
    if days == weekdays == "*":
        return at, "FREQ=DAILY"
    if days == "L" or re.fullmatch(r"[0-9]{1,2}(,[0-9]{1,2})*", days):
        return at, "FREQ=MONTHLY;BYMONTHDAY=" + ("-1" if days == "L" else days)
    if days == "*":
        found = sorted(_weekdays(weekdays))
        return at, "FREQ=WEEKLY;BYDAY=" + ",".join(_DAYS[one] for one in found)
    raise _NoWindowError("its cron expression is more than days: write an `rrule:`")


def _weekdays(written: str) -> set[int]:
    found: set[int] = set()
    for part in written.lower().split(","):
        match = re.fullmatch(r"([0-7]|[a-z]{3})(?:-([0-7]|[a-z]{3}))?", part)
        if match is None:
            raise _NoWindowError("its cron expression is more than days: write an `rrule:`")
        low = _weekday(match[1])
        high = _weekday(match[2]) if match[2] else low
        found.update(day % 7 for day in range(low, (high if high >= low else high + 7) + 1))
    return found


def _weekday(written: str) -> int:
    if written.isdecimal():
        return int(written)
    return [day.lower() for day in _DAYS].index(written[:2])


def _first_day(rule: str, first: date) -> date:
    """The first day from `first` on that the rule has: a start must be one of its times."""
    days = re.search(r"BYDAY=([A-Z,]+)", rule)
    of_month = re.search(r"BYMONTHDAY=([0-9,-]+)", rule)
    for more in range(_MOST_DAYS):
        day = first + timedelta(days=more)
        if days is not None and _DAYS[day.isoweekday() % 7] not in days[1].split(","):
            continue
        if of_month is not None:
            last = (day + timedelta(days=1)).day == 1
            wanted = of_month[1].split(",")
            if str(day.day) not in wanted and not (last and "-1" in wanted):
                continue
        return day
    raise _NoWindowError("when it comes could not be read")


def _times(window: _Window) -> tuple[time, time]:
    written = window.listed("timerange") or [window.get("starttime"), window.get("endtime")]
    if len(written) != 2 or None in written:
        raise _NoWindowError("it does not say from when until when it is")
    return _time(written[0]), _time(written[1])


def _time(written: object) -> time:
    if isinstance(written, Mapping):
        return time(int(written.get("hours", 0)), int(written.get("minutes", 0)))
    hours, minutes = str(written).split(":")[:2]
    return time(int(hours), int(minutes))


def _seconds(at: time) -> int:
    return at.hour * 3600 + at.minute * 60


def _moment(written: object, zone: str) -> datetime | None:
    """A time on the clock of `zone`; the source writes these, or UTC with a `Z`."""
    if not written:
        return None
    found = datetime.fromisoformat(str(written).strip())
    return found if found.tzinfo is None else found.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _flag(value: object, *, default: bool) -> bool:
    return default if value is None else str(value).lower() in {"true", "1", "yes"}


def _name(written: str, taken: set[str]) -> str:
    plain = re.sub(r"[^A-Za-z0-9 ._-]+", " ", one_line(named(written)))
    plain = re.sub(r"\s+", " ", plain).strip(" ._-")[:_LONGEST_NAME].strip(" ._-") or "maintenance"
    found, count = plain, 2
    while found in taken:
        found, count = f"{plain[: _LONGEST_NAME - 4]} {count}", count + 1
    taken.add(found)
    return found
