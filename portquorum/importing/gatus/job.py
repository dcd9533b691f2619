"""External endpoints of Gatus as jobs that report themselves."""

from collections.abc import Sequence
from typing import Final

from portquorum.importing.durations import seconds
from portquorum.importing.gatus.alerts import Alert
from portquorum.importing.model import Found, Timing
from portquorum.importing.source_yaml import Fields
from portquorum.importing.timing import text

_DAY_S: Final = 86_400
_LONGEST_S: Final = 366 * _DAY_S
_MOST_GRACE_S: Final = 31 * _DAY_S


def job(fields: Fields, entry: Found, alerts: Sequence[Alert]) -> None:
    """Makes the entry a target of kind `heartbeat`.

    Raises:
        ValueError, WrongValueError: why it is none.
    """
    failures = alerts[0].failures if alerts else 1
    interval_s = seconds(fields.child("heartbeat").get("interval", 0))
    target = {"kind": "heartbeat"}
    if interval_s == 0:
        target["interval"] = text(_LONGEST_S)
        entry.differences.append(
            "Gatus never misses a report of it; here one is missed after 366 days"
        )
    else:
        # Gatus looks once an interval, and tells the N-th time that nothing came within one.
        target["interval"] = text(min(max(interval_s, 1), _LONGEST_S))
        told_s = (failures - 1) * interval_s
        target["grace"] = text(min(max(told_s, 1), _MOST_GRACE_S))
        entry.before = Timing(interval_s=interval_s, told_after_s=told_s)
    if failures > 1:
        entry.differences.append(
            f"a report that it failed counts at once; Gatus waits for {failures} of them"
        )
    entry.differences.append(
        "it reports to another address, with a key of its own: portquorum heartbeat key add"
    )
    if not fields.boolean("enabled", default=True):
        target["enabled"] = False  # type: ignore[assignment]
    entry.targets = [target]
