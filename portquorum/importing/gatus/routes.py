"""Alerting providers of Gatus as routes, and which endpoint is told by which.

Where all endpoints have the same alerts their routes take everything. Else each route has a tag
(`tell-discord`), which the targets have that it is for. An alert that comes after more failures
than the first is an escalation.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field

from portquorum.importing.channels import Channel, channel
from portquorum.importing.gatus.alerts import Alert
from portquorum.importing.model import Found, Ignored, Import
from portquorum.importing.secrets import Secrets
from portquorum.importing.source_yaml import Fields, WrongValueError
from portquorum.importing.timing import text
from schemas.plain_text import one_line

_LONGEST_NAME: Final = 50
_LEAST_S: Final = 60
_MOST_S: Final = 30 * 86_400


class _Key(Struct, frozen=True):
    """What makes a route: its channel, how often it reminds, and who is told later."""

    channel: str
    reminder_s: float = 0
    later: tuple[tuple[float, str], ...] = ()


class _Line(Struct):
    """A channel in the making: its URLs, None if there is none."""

    urls: tuple[str, ...] | None
    differences: list[str] = field(default_factory=list)


class Routes:
    """Collects who is told of which entry; `finish` writes the routes and the tags."""

    def __init__(self, alerting: Fields, secrets: Secrets, found: Import) -> None:
        self._alerting = alerting
        self._secrets = secrets
        self._found = found
        self._lines: dict[str, _Line] = {}
        self._names: dict[object, str] = {}
        self._plans: list[tuple[Found, tuple[_Key, ...]]] = []
        self._used: set[str] = set()

    def add(self, entry: Found, alerts: Sequence[Alert], interval_s: float) -> None:
        """Notes the alerts of an entry (the first to be told first), checked so often."""
        first = [one for one in alerts if one.failures == alerts[0].failures]
        later = {
            ((one.failures - alerts[0].failures) * interval_s, name)
            for one in alerts[len(first) :]
            if (name := self._channel(one, entry.group)) is not None
        }
        keys = [
            _Key(name, one.reminder_s, tuple(sorted(later)))
            for one in first
            if (name := self._channel(one, entry.group)) is not None
        ]
        if entry.targets:
            self._plans.append((entry, tuple(dict.fromkeys(keys))))

    def finish(self) -> None:
        """Writes the routes, and the tags of the targets where these are needed."""
        plans = {frozenset(keys) for _, keys in self._plans}
        alike = len(plans) == 1
        names = _unique_names(list(dict.fromkeys(key for _, keys in self._plans for key in keys)))
        for key, name in names.items():
            tags = [] if alike else [f"tell-{name}"[:64]]
            self._write(name, key, tags)
        for entry, keys in () if alike else self._plans:
            tags = [f"tell-{names[key]}"[:64] for key in keys]
            if tags:
                entry.targets = [
                    one | {"tags": [*one.get("tags", ()), *tags]} for one in entry.targets
                ]
        silent = sum(not keys for _, keys in self._plans)
        if silent and not alike:
            have = "1 endpoint has" if silent == 1 else f"{silent} endpoints have"
            why = f"{have} no alert that can be sent: nobody is told of it"
            self._found.ignored.append(Ignored(self._alerting.place(), "alerts", why))
        for name in self._alerting.value:
            if name not in self._used:
                what, why = f"alerting.{one_line(name)}", "no endpoint has an alert of this type"
                self._found.ignored.append(Ignored(self._alerting.place(name), what, why))

    def _write(self, name: str, key: _Key, tags: list[str]) -> None:
        line = self._lines[key.channel]
        route: dict[str, Any] = {"urls": list(line.urls or ()), "default": True}
        differences = list(dict.fromkeys(line.differences))
        if tags:
            route["tags"] = tags
        if key.reminder_s:
            route["remind_every"] = text(min(max(key.reminder_s, _LEAST_S), _MOST_S))
        escalations = []
        for after_s, other in key.later:
            self._later(other)
            after = text(min(max(after_s, _LEAST_S), _MOST_S))
            if after_s < _LEAST_S:
                differences.append(
                    f"{_later_name(other)} is told {after} after it, and not {text(after_s)}"
                )
            escalations.append({"after": after, "routes": [_later_name(other)]})
        if escalations:
            route["escalate"] = escalations
            differences.append("who is told later is told unless somebody has acknowledged by then")
        self._found.routes[name] = route
        self._found.route_differences[name] = differences

    def _later(self, label: str) -> None:
        line = self._lines[label]
        self._found.routes[_later_name(label)] = {"urls": list(line.urls or ()), "default": False}
        self._found.route_differences[_later_name(label)] = list(dict.fromkeys(line.differences))

    def _channel(self, alert: Alert, group: str) -> str | None:
        """The label of the channel of an alert; None if there is none, which is told once."""
        provider = alert.provider
        if provider not in self._alerting or not self._alerting.value[provider]:
            self._refuse(provider, "none of the files has such a provider (alerting:)")
            return None
        self._used.add(provider)
        try:
            fields, of_group = self._fields(provider, group)
        except WrongValueError as error:
            self._refuse(provider, str(error))
            return None
        fields |= dict(alert.override)
        label = self._label(provider, of_group, alert.override)
        if label not in self._lines:
            place = self._alerting.place(provider)
            made = channel(f"gatus.{provider}", fields, self._secrets, place)
            if isinstance(made, Channel):
                self._lines[label] = _Line(made.urls, list(made.differences))
            else:
                self._lines[label] = _Line(None)
                self._refuse(provider, made.why)
        line = self._lines[label]
        if not alert.resolved:
            line.differences.append("the end of an outage is told, too (send-on-resolved is off)")
        return label if line.urls else None

    def _fields(self, provider: str, group: str) -> tuple[dict[str, Any], str]:
        """The fields of a provider for a group, and the group if it has some of its own."""
        own = self._alerting.child(provider)
        fields = {name: one for name, one in own.value.items() if name != "overrides"}
        for override in own.children("overrides"):
            if override.text("group") == group:
                more = {name: one for name, one in override.value.items() if name != "group"}
                return fields | more, group
        return fields, ""

    def _label(self, provider: str, group: str, override: tuple[tuple[str, object], ...]) -> str:
        known = (provider, group, repr(override))
        if known not in self._names:
            words = f"{provider} {group}" if group else provider
            plain = " ".join(
                "".join(c if c.isascii() and c.isalnum() else " " for c in words).split()
            )
            label = plain.replace(" ", "-").lower()[:_LONGEST_NAME] or "route"
            taken = set(self._names.values())
            unique, count = label, 2
            while unique in taken:
                unique, count = f"{label}-{count}", count + 1
            self._names[known] = unique
        return self._names[known]

    def _refuse(self, provider: str, why: str) -> None:
        what = f"alerts of type {one_line(provider)}"
        if all(one.what != what or one.why != why for one in self._found.ignored):
            place = self._alerting.place(provider)
            self._found.ignored.append(Ignored(place, what, why))


def _unique_names(keys: Sequence[_Key]) -> Mapping[_Key, str]:
    """A name for each route: that of its channel; where there are several, whom it tells later.

    A number is the last resort.
    """
    names: dict[_Key, str] = {}
    channels = Counter(key.channel for key in keys)
    for key in keys:
        name = key.channel
        if channels[name] > 1 and key.later:
            name = f"{name}-then-{key.later[0][1]}"[:_LONGEST_NAME]
        unique, count = name, 2
        while unique in names.values():
            unique, count = f"{name}-{count}", count + 1
        names[key] = unique
    return names


def _later_name(label: str) -> str:
    return f"{label}-later"
