"""Objects with what their templates have: `use`, `register 0`, `+`, `null`; groups and members.

Source: https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/objectinheritance.html
"""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, field

from portquorum.importing.model import Place
from portquorum.importing.nagios.source import Source, Written

_OWN: Final = frozenset({"name", "use", "register"})
_DEPTH: Final = 30
_SAME: Final = {
    "normal_check_interval": "check_interval",
    "retry_check_interval": "retry_interval",
    "description": "service_description",
    "host": "host_name",
    "host_groups": "hostgroups",
    "service_groups": "servicegroups",
    "hostgroup": "hostgroup_name",
    "hostgroups": "hostgroups",
}
"""Older names of directives."""


class Object(Struct):
    """A host, service, command or group with all that it inherits."""

    kind: str
    values: dict[str, str]
    place: Place
    missing: list[str] = field(default_factory=list)
    """Templates that it names and that are not there."""

    def get(self, name: str) -> str:
        """A directive; empty if it is not there, or `null`."""
        value = self.values.get(name, "")
        return "" if value == "null" else value.removeprefix("+").strip()

    def names(self, name: str) -> list[str]:
        """The parts of a list."""
        return [part.strip() for part in self.get(name).split(",") if part.strip()]


class Objects(Struct):
    """All registered objects, by kind."""

    hosts: dict[str, Object] = field(default_factory=dict)
    services: list[Object] = field(default_factory=list)
    commands: dict[str, str] = field(default_factory=dict)
    groups: dict[str, Object] = field(default_factory=dict)
    service_groups: dict[str, Object] = field(default_factory=dict)
    others: list[Object] = field(default_factory=list)
    known: dict[str, set[str]] = field(default_factory=dict)
    """The hosts of groups that were asked for."""


def objects(found: Source) -> Objects:
    """The objects of a source, without templates."""
    templates = _Templates()
    for one in found.objects:
        one.values = {_renamed(one.kind, name): value for name, value in one.values.items()}
        name = one.values.get("name")
        if name:
            templates.written.setdefault((one.kind, name), one)
    made = Objects()
    for one in found.objects:
        if one.values.get("register") == "0":
            continue
        if one.kind == "command":
            made.commands[one.values.get("command_name", "")] = one.values.get("command_line", "")
            continue
        values, missing = templates.inherited(one)
        whole = Object(one.kind, values, one.place, missing)
        _sort(whole, made)
    return made


def _renamed(kind: str, name: str) -> str:
    if kind == "service" and name in {"hostgroup", "hostgroups", "host_groups"}:
        return "hostgroup_name"
    return _SAME.get(name, name) if kind in {"host", "service"} else name


def _sort(one: Object, made: Objects) -> None:
    match one.kind:
        case "host" if one.get("host_name"):
            made.hosts[one.get("host_name")] = one
        case "service" if one.get("service_description") or one.get("check_command"):
            made.services.append(one)
        case "hostgroup":
            made.groups[one.get("hostgroup_name")] = one
        case "servicegroup":
            made.service_groups[one.get("servicegroup_name")] = one
        case _:
            made.others.append(one)


class _Templates:
    """The templates by kind and name, each with what it inherits, which is found out once."""

    def __init__(self) -> None:
        self.written: dict[tuple[str, str], Written] = {}
        self._whole: dict[int, tuple[dict[str, str], list[str]]] = {}

    def inherited(self, one: Written, depth: int = 0) -> tuple[dict[str, str], list[str]]:
        """Its own values over those of its templates, the first of which counts most.

        Also the names of templates that are not there.
        """
        if id(one) in self._whole:
            return self._whole[id(one)]
        values: dict[str, str] = {}
        missing: list[str] = []
        self._whole[id(one)] = ({}, [])  # of a circle nothing is inherited
        for name in reversed([part.strip() for part in one.values.get("use", "").split(",")]):
            if not name or depth >= _DEPTH:
                continue
            template = self.written.get((one.kind, name))
            if template is None or template is one:
                missing.append(name)
                continue
            above, more = self.inherited(template, depth + 1)
            missing = list(dict.fromkeys([*missing, *more]))
            values = _over(above, values)
        own = {name: value for name, value in one.values.items() if name not in _OWN}
        self._whole[id(one)] = (_over(own, values), missing)
        return self._whole[id(one)]


def _over(above: Mapping[str, str], below: Mapping[str, str]) -> dict[str, str]:
    """`above` over `below`; a value with `+` is added to the one below."""
    values = dict(below)
    for name, value in above.items():
        known = values.get(name, "")
        if value.startswith("+") and known and known != "null":
            values[name] = f"{known},{value[1:]}"
        else:
            values[name] = value
    return values


def members(group: str, made: Objects) -> set[str]:
    """The names of the hosts of a host group, those of groups within it too."""
    if group in made.known:
        return made.known[group]
    found: set[str] = set()
    todo, seen = [group], {group}
    while todo:
        name = todo.pop()
        found |= {host for host, one in made.hosts.items() if name in one.names("hostgroups")}
        written = made.groups.get(name)
        if written is not None:
            found |= _chosen(written.names("members"), made.hosts)
            more = [one for one in written.names("hostgroup_members") if one not in seen]
            seen.update(more)
            todo += more
    made.known[group] = found
    return found


def hosts_of(service: Object, made: Objects) -> list[str]:
    """The names of the hosts that a service is of, in their order."""
    named = _chosen(service.names("host_name"), made.hosts, unknown=True)
    without: set[str] = set()
    for group in service.names("hostgroup_name"):
        if group.startswith("!"):
            without |= members(group[1:], made)
        elif group == "*":
            named |= set(made.hosts)
        else:
            named |= members(group, made)
    without |= {name[1:] for name in service.names("host_name") if name.startswith("!")}
    order = {name: at for at, name in enumerate(made.hosts)}
    return sorted(named - without, key=lambda name: (order.get(name, len(order)), name))


def groups_of(host: str, made: Objects) -> list[str]:
    """The names of the host groups of a host, in the order of the files."""
    own = made.hosts[host].names("hostgroups") if host in made.hosts else []
    return list(dict.fromkeys([*own, *(one for one in made.groups if host in members(one, made))]))


def _chosen(
    names: Iterable[str], known: Mapping[str, Object], *, unknown: bool = False
) -> set[str]:
    found: set[str] = set()
    for name in names:
        if name.startswith("!"):
            continue
        if re.search(r"[*?]", name):
            found |= set(fnmatch.filter(known, name))
        elif name in known or unknown:
            found.add(name)
    return found
