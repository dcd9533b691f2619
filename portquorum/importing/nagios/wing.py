"""Reads Nagios' objects: each host with a check of its own an entry, and each service."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from portquorum.importing.model import Found, Ignored, Import, Place
from portquorum.importing.model import Options as Chosen
from portquorum.importing.nagios.commands import Command, command
from portquorum.importing.nagios.objects import Object, Objects, groups_of, hosts_of, objects
from portquorum.importing.nagios.options import Options
from portquorum.importing.nagios.plugins import NOT_NETWORKED, PLUGINS, TIMEOUT_S
from portquorum.importing.nagios.source import Source, source
from portquorum.importing.secrets import Secrets
from portquorum.importing.source_yaml import NOT_USED
from portquorum.importing.timing import fit

_AT_ALL_TIMES: Final = frozenset({"", "24x7", "24X7", "always"})
_ADDRESS: Final = re.compile(r"(?=[^:]*\.)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_WHY: Final = {
    "contact": "who is told stands in `routes:` and `teams:` (docs/notifications.md)",
    "contactgroup": "who is told stands in `routes:` and `teams:` (docs/notifications.md)",
    "timeperiod": "hours of people stand in their routes (`when`, `quiet`)",
    "hostdependency": "write `depends_on:` at the targets",
    "servicedependency": "write `depends_on:` at the targets",
    "hostescalation": "write `escalate:` at a route",
    "serviceescalation": "write `escalate:` at a route",
    "hostextinfo": "notes and pictures have no place here",
    "serviceextinfo": "notes and pictures have no place here",
}


def read(files: Sequence[Path], options: Chosen) -> Import:
    """See `portquorum.importing.model.Wing`."""
    del options
    found = Import(source="nagios")
    given = source(files)
    found.unreadable += given.unreadable
    made = objects(given)
    reader = _Reader(given, made, Secrets())
    for host in made.hosts.values():
        found.entries.append(reader.host(host))
    for service in made.services:
        found.entries.append(reader.service(service))
    for one in made.others:
        why = _WHY.get(one.kind, "portquorum has nothing like it")
        if one.kind in {"host", "service"}:
            why = "a template: it names no host, or no check"
        name = one.get(f"{one.kind}_name") or one.get("alias")
        found.ignored.append(Ignored(one.place, f"{one.kind} {name}".strip(), why))
    found.ignored += _directives((*made.hosts.values(), *made.services))
    found.secrets = reader.secrets.found
    return found


_READ: Final = frozenset(
    {
        *("host_name", "service_description", "check_command", "address", "address6", "hostgroups"),
        *("hostgroup_name", "servicegroups", "parents", "check_interval", "retry_interval"),
        *("max_check_attempts", "active_checks_enabled", "check_period", "notification_period"),
        *("notifications_enabled", "contacts", "contact_groups", "notification_interval"),
        *("event_handler", "name", "use", "register"),
    }
)
_OF_DIRECTIVES: Final = {
    "first_notification_delay": "write `open_after:`, or `escalate:` of a route, where it matters",
    "notification_options": "a route chooses by `incident_types` and `severities`",
    "notes": "write `purpose:`",
    "notes_url": "write `runbook:`",
    "action_url": "write `runbook:`",
    "alias": "the name is that of the host",
    "display_name": "the name is that of the host and the service",
    "check_freshness": "a job that reports itself is a `heartbeat`",
    "freshness_threshold": "a job that reports itself is a `heartbeat`",
    "flap_detection_enabled": "flapping is found by rule 9 (docs/rules.md)",
    "low_flap_threshold": "flapping is found by rule 9 (docs/rules.md)",
    "high_flap_threshold": "flapping is found by rule 9 (docs/rules.md)",
}


def _directives(several: Iterable[Object]) -> Iterable[Ignored]:
    """Each directive that was not used, once for all hosts or services."""
    places: dict[tuple[str, str], list[Place]] = {}
    for one in several:
        for name, value in one.values.items():
            if name not in _READ and not name.startswith("_") and value != "null":
                places.setdefault((one.kind, name), []).append(one.place)
    for (kind, name), found in sorted(places.items()):
        count = "" if len(found) == 1 else f" (× {len(found)})"
        yield Ignored(found[0], f"{kind}: {name}{count}", _OF_DIRECTIVES.get(name, NOT_USED))


class _Reader:
    """Makes entries of hosts and services."""

    def __init__(self, given: Source, made: Objects, secrets: Secrets) -> None:
        self.given, self.made, self.secrets = given, made, secrets

    def host(self, host: Object) -> Found:
        """The host's own check; without one it is told whether its services are up, or nothing."""
        name = host.get("host_name")
        entry = Found(place=host.place, name=name, key=f"host {name}")
        written = host.get("check_command")
        if not written or host.get("active_checks_enabled") == "0":
            entry.left_out = "it has no check of its own; its services are entries of their own"
            entry.networked = False
            return entry
        self._check(entry, written, host, None, name)
        entry.depends_on = [f"host {parent}" for parent in host.names("parents")]
        return self._finished(entry, host)

    def service(self, service: Object) -> Found:
        """A service, with a target for each of its hosts."""
        what = service.get("service_description") or service.get("check_command").partition("!")[0]
        hosts = hosts_of(service, self.made)
        one_host = hosts[0] if len(hosts) == 1 else ""
        entry = Found(place=service.place, name=what, group=one_host)
        written = service.get("check_command")
        if service.missing:
            entry.differences.append(f"the template {service.missing[0]!r} is not in the files")
        if not hosts:
            entry.left_out = "no host of it is in the files"
            return entry
        if not written or service.get("active_checks_enabled") == "0":
            entry.left_out = (
                "its results are sent to Nagios (passive): here such a job is a `heartbeat`"
            )
            entry.networked = False
            return entry
        for name in hosts:
            known = self.made.hosts.get(name)
            if known is None:
                known = Object("host", {"host_name": name}, service.place)
                entry.differences.append("its host is not in the files: its name is its address")
            self._check(entry, written, known, service, f"{name} {what}")
            if entry.left_out is not None and not entry.targets:
                return entry
        return self._finished(entry, service)

    def _check(
        self, entry: Found, written: str, host: Object, service: Object | None, name: str
    ) -> None:
        """Adds the target of a check, or the reason why there is none."""
        try:
            line = command(written, self.made.commands, self.given.users, host, service)
            target = self._target(line, entry)
        except ValueError as error:
            entry.left_out = str(error)
            return
        if target is None:
            return
        entry.left_out = None
        if line.sample:
            entry.differences.append(
                "its command is not defined in the files: that of Nagios' samples was taken"
            )
        target["name"] = name
        tags = self._tags(host, service)
        if tags:
            target["tags"] = tags
        target |= self._timing(entry, service or host, target)
        if service is not None and self._is_checked(host.get("host_name")):
            target["depends_on"] = [f"key:host {host.get('host_name')}"]
        entry.targets.append(target)

    def _target(self, line: Command, entry: Found) -> dict[str, Any] | None:
        if NOT_NETWORKED.match(line.plugin) and line.plugin not in PLUGINS:
            entry.left_out = (
                f"{line.plugin} looks into a machine (load, disks, processes, interfaces), which "
                "no check over the network sees: a job there can report itself (`heartbeat`)"
            )
            entry.networked = False
            return None
        known = PLUGINS.get(line.plugin)
        if known is None:
            return _by_arguments(line, entry)
        names, make = known
        options = Options(names, line.arguments, self.secrets, entry.place, line.plugin)
        target = make(options)
        entry.differences += options.differences
        left = options.unused()
        if left:
            entry.differences.append(f"options of {line.plugin} not taken over: {', '.join(left)}")
        timeout = options.seconds("timeout")
        if timeout and "timeout" not in target:
            target["timeout"] = timeout
        if line.negated:
            if target["kind"] != "tcp" or "probe" in target:
                raise ValueError(f"negate of {line.plugin}: only a port can be meant to be closed")
            target |= {"expect": "closed"}
        return target

    def _timing(self, entry: Found, of: Object, target: dict[str, Any]) -> dict[str, Any]:
        """Interval, timeout, and the attempts until it is a hard state."""
        unit = self.given.seconds
        interval = _number(of, "check_interval", 5.0) * unit
        if interval <= 0:
            interval = 5 * unit
            entry.differences.append(
                "it was checked when its services fail, and is every 5 min here"
            )
        attempts = max(1, int(_number(of, "max_check_attempts", 1.0)))
        given = target.get("timeout", TIMEOUT_S)
        own = isinstance(given, str)
        fitted = fit(
            interval_s=interval,
            timeout_s=TIMEOUT_S if own else float(given),
            failures=attempts,
            failure_gap_s=_number(of, "retry_interval", 1.0) * unit,
        )
        entry.before = fitted.before
        entry.differences += fitted.differences
        if "latency" in target:
            target["latency"] = {**target["latency"], "for": min(max(attempts, 1), 100)}
        return {**fitted.fields, **({"timeout": given} if own else {})}

    def _tags(self, host: Object, service: Object | None) -> list[str]:
        groups = groups_of(host.get("host_name"), self.made)
        if service is not None:
            groups += service.names("servicegroups")
        return list(dict.fromkeys(group[:64] for group in groups))[:60]

    def _is_checked(self, name: str) -> bool:
        host = self.made.hosts.get(name)
        return (
            host is not None
            and bool(host.get("check_command"))
            and host.get("active_checks_enabled") != "0"
        )

    def _finished(self, entry: Found, of: Object) -> Found:
        if entry.left_out is not None and not entry.targets:
            return entry
        entry.left_out = None
        for name, what in (("check_period", "checked"), ("notification_period", "told of")):
            if of.get(name) not in _AT_ALL_TIMES:
                entry.differences.append(
                    f"it is {what} at all times, and not in {of.get(name)!r}: hours of people "
                    "stand in routes (`when`, `quiet`)"
                )
        if of.get("notifications_enabled") == "0":
            entry.differences.append("nobody was told of it: give it a silence, or no route")
        for name in ("contacts", "contact_groups", "notification_interval", "event_handler"):
            if of.get(name):
                entry.ignored.append(Ignored(of.place, name, _IGNORED.get(name, _WHY["contact"])))
        entry.differences = list(dict.fromkeys(entry.differences))
        return entry


_IGNORED: Final = {
    "notification_interval": "reminders are `remind_every` of a route",
    "event_handler": "portquorum runs nothing: a webhook can",
}


def _number(of: Object, name: str, default: float) -> float:
    try:
        return float(of.get(name) or default)
    except ValueError:
        return default


def _by_arguments(line: Command, entry: Found) -> dict[str, Any]:
    """A plugin that is not known here: the host and port among its arguments.

    Raises:
        ValueError: it has none.
    """
    words = [part for one in line.arguments for part in re.split(r"[\s:=]", one) if part]
    host = next((one for one in words if _ADDRESS.fullmatch(one) and not one.isdecimal()), "")
    after = words[words.index(host) + 1 :] if host else []
    port = next((int(one) for one in after if one.isdecimal() and 0 < int(one) < 65_536), 0)
    if not host or not port:
        raise ValueError(
            f"{line.plugin} is a plugin that is not known here, and its arguments name no host "
            "with a port: write the target by hand"
        )
    web = re.search(r"url|http|web|www|api", line.plugin) is not None
    entry.differences.append(
        f"{line.plugin} is a plugin that is not known here: only that "
        f"{'a web server answers' if web else 'the port takes connections'} is checked"
    )
    if web:
        return {"kind": "http", "host": host, "port": port, "probe": {"status": ["100-499"]}}
    return {"kind": "tcp", "host": host, "port": port}
