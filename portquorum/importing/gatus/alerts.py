"""Alerts of an endpoint, with what it has from its provider."""

from typing import Final

from msgspec import Struct

from portquorum.importing.durations import seconds
from portquorum.importing.source_yaml import Fields

FAILURES: Final = 3
RECOVERIES: Final = 2
_MESSAGES: Final = "messages have their own text"


class Alert(Struct, frozen=True):
    """Who is told of an endpoint, and after how many checks. `reminder_s` 0: no reminders.

    `resolved`: the end is told, too. `override`: fields of the provider for this alert alone.
    """

    provider: str
    failures: int
    recoveries: int
    reminder_s: float = 0
    resolved: bool = False
    override: tuple[tuple[str, object], ...] = ()


def alerts_of(endpoint: Fields, providers: Fields) -> list[Alert]:
    """The alerts that are on, the first to be told first.

    Raises:
        WrongValueError: an alert is none.
        ValueError: a time is none.
    """
    found = [_alert(one, providers) for one in endpoint.children("alerts")]
    return sorted((one for one in found if one is not None), key=lambda one: one.failures)


def _alert(fields: Fields, providers: Fields) -> Alert | None:
    """An alert; None if it is off. What it does not say is that of the provider."""
    provider = fields.text("type")
    there = provider in providers and providers.value[provider] is not None
    default = providers.child(provider).child("default-alert") if there else fields.child("-")
    for one in (fields, default):
        one.skip("description", _MESSAGES)
    override = fields.get("provider-override")
    reminder = _first(fields, default, "minimum-reminder-interval")
    found = Alert(
        provider=provider,
        failures=_number(fields, default, "failure-threshold") or FAILURES,
        recoveries=_number(fields, default, "success-threshold") or RECOVERIES,
        reminder_s=seconds(reminder) if reminder else 0,
        resolved=_boolean(fields, default, "send-on-resolved", otherwise=False),
        override=tuple(override.items()) if isinstance(override, dict) else (),
    )
    return found if _boolean(fields, default, "enabled", otherwise=True) else None


def _first(fields: Fields, default: Fields, name: str) -> object:
    own, of_provider = fields.get(name), default.get(name)
    return own or of_provider


def _number(fields: Fields, default: Fields, name: str) -> int:
    own, of_provider = fields.number(name), default.number(name)
    return max(0, int(min(own or of_provider, 1_000_000)))


def _boolean(fields: Fields, default: Fields, name: str, *, otherwise: bool) -> bool:
    of_provider = default.boolean(name, default=otherwise)
    return fields.boolean(name, default=of_provider)
