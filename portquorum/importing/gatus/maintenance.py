"""Maintenance periods of Gatus as windows of the inventory."""

import re
from datetime import date, timedelta
from typing import Any, Final

from portquorum.importing.durations import seconds
from portquorum.importing.source_yaml import Fields
from portquorum.importing.timing import text

_FIRST: Final = date(2026, 1, 1)
"""Windows begin on this day: a fixed one, so that the same files give the same inventory."""

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_START: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\Z")


def window(fields: Fields, name: str, targets: list[str]) -> dict[str, Any] | None:
    """An item of `maintenance:`, None if it is off.

    Raises:
        ValueError: it is none that Gatus takes.
    """
    found = _START.match(fields.text("start"))
    days = [str(day) for day in fields.listed("every")]
    zone = fields.text("timezone")
    duration = fields.get("duration", "")
    if not fields.boolean("enabled", default=True):
        return None
    if found is None or not set(days) <= set(_DAYS):
        raise ValueError("expected a maintenance with start: hh:mm, and days such as Monday")
    length_s = seconds(duration)
    numbers = sorted(_DAYS.index(day) for day in set(days))
    first = next(
        day
        for day in (_FIRST + timedelta(days=ahead) for ahead in range(7))
        if not numbers or day.weekday() in numbers
    )
    rule = "FREQ=DAILY"
    if numbers:
        rule = f"FREQ=WEEKLY;BYDAY={','.join(_DAYS[number][:2].upper() for number in numbers)}"
    clock = f"{int(found[1]):02}:{found[2]}"
    return {
        "name": name,
        "targets": targets,
        "start": f"{first.isoformat()}T{clock}",
        "timezone": zone or "UTC",
        "duration": text(length_s),
        "rrule": rule,
    }
