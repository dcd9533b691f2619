"""Alerts of an endpoint, with what it has from its provider."""

from typing import Final

from msgspec import Struct

from portquorum.importing.durations import seconds
from portquorum.importing.source_yaml import Fields

FAILURES: Final = 3
RECOVERIES: Final = 2
_MESSAGES: Final = "messages have their own text"


class Alert(Struct, frozen=True):
    """Who is told of an endpoint, and after how many checks. `reminder_s` 0: no reminders."""

    provider: str
    failures: int
    recoveries: int
    reminder_s: float = 0
    override: tuple[tuple[str, object], ...] = ()


def alerts_of(endpoint: Fields, providers: Fields) -> list[Alert]:
    """The alerts that are on, the first to be told first.

    Raises:
        WrongValueError: an alert is none.
        ValueError: a time is none.
    """
    found = []
    for fields in endpoint.children("alerts"):
        provider = fields.text("type")
        default = (
            providers.child(provider).child("default-alert") if provider in providers else None
        )
        fields.skip("description", _MESSAGES)
        own = _number(fields, "failure-threshold"), _number(fields, "success-threshold")
        of_provider = (0, 0)
        reminder = fields.get("minimum-reminder-interval", 0)
        enabled = fields.boolean("enabled", default=True)
        fields.get("send-on-resolved")
        if default is not None:
            default.skip("description", _MESSAGES)
            default.get("send-on-resolved")
            of_provider = (
                _number(default, "failure-threshold"),
                _number(default, "success-threshold"),
            )
            reminder = reminder or default.get("minimum-reminder-interval", 0)
            if "enabled" not in fields:
                enabled = default.boolean("enabled", default=True)
            default.get("enabled")
        override = fields.get("provider-override")
        if enabled:
            found.append(
                Alert(
                    provider=provider,
                    failures=own[0] or of_provider[0] or FAILURES,
                    recoveries=own[1] or of_provider[1] or RECOVERIES,
                    reminder_s=seconds(reminder) if reminder else 0,
                    override=tuple(override.items()) if isinstance(override, dict) else (),
                )
            )
    return sorted(found, key=lambda one: one.failures)


def _number(fields: Fields, name: str) -> int:
    return max(0, int(min(fields.number(name), 1_000_000)))
