"""What a wing found, through the inventory's own loader: the inventory, and the report.

Whatever that loader does not take is left out with its problem, so that `inventory check` of what
is written ends with 0. No entry is lost on the way: those in are those in the report.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from portquorum.importing.identity import Ids
from portquorum.importing.model import (
    Found,
    Ignored,
    Import,
    Options,
    Outcome,
    Place,
    Report,
    Secret,
    Taken,
    Timing,
)
from portquorum.importing.operators import with_operators
from portquorum.importing.private_hosts import is_address, is_private
from portquorum.inventory import tree
from portquorum.inventory.decode import Entries, decode
from portquorum.inventory.errors import InventoryError, Problem
from portquorum.inventory.heartbeats import KIND as HEARTBEAT
from portquorum.inventory.resolve import Inventory, resolve
from producers.checks import name_server
from schemas.partition import canonical_host
from schemas.plain_text import one_line
from schemas.target import Target

_FILE: Final = "the inventory"
_ORDER: Final = ("name", "id", "kind", "host", "port")
_LONGEST_NAME: Final = 200
_LONGEST_TAG: Final = 64
_MOST_ROUNDS: Final = 1_000


class _Entry(Struct):
    """An entry on its way: `targets` have ids; empty once it is left out."""

    found: Found
    targets: list[dict[str, Any]] = []
    ids: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    differences: list[str] = []
    left_out: str | None = None

    def leave_out(self, why: str) -> None:
        self.targets, self.left_out = [], one_line(why)


def assemble(found: Import, options: Options) -> tuple[dict[str, Any], Report]:
    """The inventory as plain values, and the report on all entries of `found`."""
    entries = _identified(found.entries)
    warnings: list[str] = []
    regions = _regions(entries, options, warnings)
    places = [place for place in found.connectivity if _is_place(place)]
    for region in regions.values() if places else ():
        region["connectivity"] = list(dict.fromkeys(places))
    _connect(entries)
    routes, told = with_operators(found)
    teams, maintenance = dict(found.teams), list(found.maintenance)
    dropped: list[Ignored] = []
    document: dict[str, Any] = {}
    inventory: Inventory | None = None
    for _ in range(_MOST_ROUNDS):
        by_key = _by_key(entries)
        windows = [window for one in maintenance if (window := _window(one, by_key))]
        document, owners = _document(regions, teams, routes, entries, windows)
        inventory, problems = _resolved(document)
        if inventory is not None:
            break
        if not _without(problems, entries, owners, (routes, teams, maintenance), dropped):
            _without_all(problems, entries)
    by_id = {} if inventory is None else {target.id: target for target in inventory.targets}
    warnings += [f"{one.what} was left out: {one.why}" for one in dropped]
    warnings += _remarks(entries, inventory)
    return document, Report(
        source=found.source,
        entries=tuple(_taken(entry, by_id) for entry in entries),
        routes={name: tuple(told.get(name, ())) for name in routes},
        secrets=_used(found.secrets, document),
        ignored=(*found.ignored, *dropped),
        unreadable=tuple(found.unreadable),
        warnings=tuple(warnings),
    )


def _identified(found: Iterable[Found]) -> list[_Entry]:
    ids, entries = Ids(), []
    for one in found:
        entry = _Entry(one, differences=list(one.differences), left_out=one.left_out)
        if one.left_out is None and not (one.targets or one.routes or one.taken):
            entry.left_out = "it names nothing that could be checked"
        if entry.left_out is None:
            entry.targets = [_target(target, one) for target in one.targets]
            given = [
                ids.give(one.group, str(t["name"]), _place(t), str(t.get("id", "")))
                for t in entry.targets
            ]
            entry.ids = tuple(name for name, _ in given)
            entry.renamed = tuple(name for name, other in given if other)
            entry.targets = [
                _ordered(target | {"id": name})
                for target, name in zip(entry.targets, entry.ids, strict=True)
            ]
        entries.append(entry)
    return entries


def _target(target: Mapping[str, Any], of: Found) -> dict[str, Any]:
    """With a name, and the group as a tag."""
    name = one_line(str(target.get("name") or of.name)).strip()[:_LONGEST_NAME].strip()
    group = one_line(of.group).strip()[:_LONGEST_TAG].strip()
    tags = list(dict.fromkeys([*([group] if group else []), *target.get("tags", ())]))
    return {**target, "name": name or _place(target)} | ({"tags": tags} if tags else {})


def _ordered(target: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: target[name] for name in _ORDER if name in target}
    return known | {name: value for name, value in target.items() if name not in known}


def _place(target: Mapping[str, Any]) -> str:
    words = [target.get("host") or target.get("kind", ""), target.get("port", "")]
    return " ".join(str(word) for word in words if word)


def _regions(
    entries: Iterable[_Entry], options: Options, warnings: list[str]
) -> dict[str, dict[str, Any]]:
    """The regions, made fit for the private hosts among the targets."""
    private = [(entry, host) for entry in entries for host in _private(entry)]
    if options.private == "refuse":
        for entry, host in private:
            entry.leave_out(f"{host} is a private host, and --private refuse leaves these out")
        private = []
    hosts = dict.fromkeys(host for _, host in private)
    region: dict[str, Any] = {}
    if hosts and options.private == "internal":
        region = {"internal": True}
        warnings.append(
            f"{_number(len(hosts), 'host')} of {_number(len(private), 'target')} can be reached "
            "from within a network alone, so the regions are `internal: true`: their probers may "
            "reach private addresses, and have to stand where these hosts are"
        )
    elif hosts:
        literal = sorted(canonical_host(host) for host in hosts if is_address(canonical_host(host)))
        names = [host for host in hosts if canonical_host(host) not in literal]
        region = {"allow": literal} if literal else {}
        warnings.append(
            f"{_number(len(literal), 'private address', 'private addresses')} may be reached by "
            "`allow:` of the regions"
        )
        if names:
            warnings.append(
                f"{_number(len(names), 'host')} are private names whose addresses are not known "
                f"here ({', '.join(names[:3])}, …): add their networks to `allow:`"
            )
    return {name: dict(region) for name in options.regions}


def _private(entry: _Entry) -> list[str]:
    hosts = [str(one["host"]) for one in entry.targets if "host" in one]
    servers = [
        name_server.place_of(str(one["resolver"])).ip for one in entry.targets if "resolver" in one
    ]
    return [place for place in (*hosts, *servers) if is_private(place)]


def _is_place(text: str) -> bool:
    host, _, port = text.rpartition(":")
    try:
        canonical_host(host)
    except ValueError:
        return False
    return port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65536


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _used(secrets: Iterable[Secret], document: Mapping[str, Any]) -> tuple[Secret, ...]:
    """The secrets that what is written needs, not those of entries that were left out."""
    text = json.dumps(document)
    return tuple(one for one in secrets if f"${{{one.name}}}" in text)


def _by_key(entries: Iterable[_Entry]) -> dict[str, list[_Entry]]:
    """The entries by key; a source that has one twice means all of them."""
    found: dict[str, list[_Entry]] = {}
    for entry in entries:
        if entry.found.key:
            found.setdefault(entry.found.key, []).append(entry)
    return found


def _connect(entries: list[_Entry]) -> None:
    """Turns references by key into ids; one to an entry that was left out is a difference."""
    by_key = _by_key(entries)
    for entry in entries:
        wanted: list[str] = []
        for key in entry.found.depends_on:
            others = [one for one in by_key.get(key, ()) if one.targets]
            if not others:
                entry.differences.append(f"it does not depend on {key!r}, which was left out")
            wanted += [name for one in others if one is not entry for name in one.ids]
        for target in entry.targets:
            own = [one for key in _keys(target) for one in by_key.get(key, ())]
            ids = [*wanted, *(name for one in own if one is not entry for name in one.ids)]
            target.pop("depends_on", None)
            if ids:
                target["depends_on"] = list(dict.fromkeys(ids))


def _keys(target: Mapping[str, Any]) -> list[str]:
    """The keys of `depends_on: ["key:…"]` of one target."""
    named: list[str] = target.get("depends_on", [])
    return [one.removeprefix("key:") for one in named]


def _window(
    written: Mapping[str, Any], by_key: Mapping[str, list[_Entry]]
) -> dict[str, Any] | None:
    """A maintenance window with ids in place of keys; None if none of its targets is left."""
    targets: list[str] = []
    for name in written.get("targets", ()):
        if name.startswith("key:"):
            there = by_key.get(name.removeprefix("key:"), ())
            targets += [one for entry in there if entry.targets for one in entry.ids]
        else:
            targets.append(name)
    return {**written, "targets": list(dict.fromkeys(targets))} if targets else None


def _document(
    regions: Mapping[str, Any],
    teams: Mapping[str, Any],
    routes: Mapping[str, Any],
    entries: Iterable[_Entry],
    windows: list[dict[str, Any]],
) -> tuple[dict[str, Any], list[_Entry]]:
    """The inventory, and of each target in it the entry."""
    kept = {target["id"] for entry in entries for target in entry.targets}
    owners, targets = [], []
    for entry in entries:
        for target in entry.targets:
            wanted = [name for name in target.get("depends_on", ()) if name in kept]
            others = {name: value for name, value in target.items() if name != "depends_on"}
            targets.append(others | ({"depends_on": wanted} if wanted else {}))
            owners.append(entry)
    sections: dict[str, Any] = {
        "regions": dict(regions),
        "teams": dict(teams),
        "routes": dict(routes),
        "targets": targets,
        "maintenance": windows,
    }
    return {name: value for name, value in sections.items() if value}, owners


def _resolved(document: Mapping[str, Any]) -> tuple[Inventory | None, tuple[Problem, ...]]:
    entries = Entries()
    problems = decode(tree.Root(_FILE, tree.planted(document), 0), entries)
    try:
        return resolve(entries, "import", problems), ()
    except InventoryError as error:
        return None, error.problems


def _without(
    problems: Iterable[Problem],
    entries: Iterable[_Entry],
    owners: list[_Entry],
    sections: tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]],
    dropped: list[Ignored],
) -> bool:
    """Takes out what has a problem; whether anything was."""
    routes, teams, maintenance = sections
    named = {"routes": routes, "teams": teams}
    changed = False
    circle: list[_Entry] = []
    windows: set[int] = set()
    for problem in problems:
        path = problem.where.path
        section, rest = (path[0], path[1:]) if path else ("", ())
        if section == "targets" and rest and isinstance(rest[0], int):
            entry = owners[rest[0]]
            if rest[1:2] == ("depends_on",):
                circle.append(entry)
            elif entry.targets:
                entry.leave_out(_said(problem, rest[1:]))
            changed = True
        elif section in named and rest and rest[0] in named[str(section)]:
            del named[str(section)][str(rest[0])]
            what = f"the {str(section).removesuffix('s')} {str(rest[0])!r}"
            dropped.append(Ignored(Place(""), what, _said(problem, rest[1:])))
            _without_route(entries, str(rest[0]), _said(problem, rest[1:]))
            changed = True
        elif section == "maintenance" and rest and isinstance(rest[0], int):
            windows.add(rest[0])
            dropped.append(Ignored(Place(""), "a maintenance window", _said(problem, rest[1:])))
            changed = True
    _without_windows(maintenance, entries, windows)
    for entry in circle:
        entry.differences.append("it depends on nothing here: the dependencies were a circle")
        for target in entry.targets:
            target.pop("depends_on", None)
    return changed


def _without_route(entries: Iterable[_Entry], name: str, why: str) -> None:
    """Leaves out the entries that became a route that is wrong."""
    for entry in entries:
        if name in entry.found.routes:
            entry.leave_out(why)


def _without_windows(
    maintenance: list[dict[str, Any]], entries: Iterable[_Entry], positions: set[int]
) -> None:
    by_key = _by_key(entries)
    written = [position for position, one in enumerate(maintenance) if _window(one, by_key)]
    for position in sorted(positions, reverse=True):
        if position < len(written):
            del maintenance[written[position]]


def _without_all(problems: Iterable[Problem], entries: Iterable[_Entry]) -> None:
    """The last resort for a problem without a place: everything is left out with it."""
    why = next((one.message for one in problems), "unknown")
    for entry in entries:
        if entry.targets:
            entry.leave_out(why)


def _said(problem: Problem, path: tuple[str | int, ...]) -> str:
    shown = ".".join(str(part) for part in path)
    return f"{shown}: {problem.message}" if shown else problem.message


def _taken(entry: _Entry, by_id: Mapping[str, Target]) -> Taken:
    found = entry.found
    outcome: Outcome = "nearly" if entry.differences else "exact"
    if entry.left_out is not None:
        outcome = "left_out"
    taken = outcome != "left_out"
    return Taken(
        place=found.place,
        name=f"{found.group}/{found.name}" if found.group else found.name,
        outcome=outcome,
        ids=(*entry.ids, *(f"routes.{name}" for name in found.routes)) if taken else (),
        renamed=entry.renamed if taken else (),
        differences=tuple(dict.fromkeys(entry.differences)) if taken else (),
        why=entry.left_out,
        networked=found.networked,
        ignored=tuple(found.ignored),
        before=found.before,
        after=_after(entry, by_id),
    )


def _after(entry: _Entry, by_id: Mapping[str, Target]) -> Timing | None:
    """The timing of the entry's first target; a job has none."""
    first = by_id.get(entry.ids[0]) if entry.targets else None
    if first is None or first.kind == HEARTBEAT:
        return None
    again = first.retries * first.retry_delay_ms
    return Timing(
        interval_s=first.interval_ms / 1000,
        timeout_s=first.timeout_ms / 1000,
        told_after_s=max(first.open_after_ms, again) / 1000,
    )


def _remarks(entries: Iterable[_Entry], inventory: Inventory | None) -> list[str]:
    """Warnings of the loader, each sentence once with its number, and what else is new."""
    probes = [t.get("probe") or {} for entry in entries for t in entry.targets]
    found: list[str] = []
    clear = sum(1 for probe in probes if probe.get("insecure"))
    if clear:
        found.append(
            f"{_number(clear, 'target')} with a secret that goes without TLS, or to a server whose "
            "certificate is not verified, as before: `insecure: true` stands there"
        )
    warning = sum("critical_days" in probe and "warn_days" not in probe for probe in probes)
    if warning:
        found.append(
            f"{_number(warning, 'target')} with TLS open an incident of type `expiring` 14 days "
            "before a certificate ends, which is new; `warn_days: 0` turns that off"
        )
    warned = Counter(one.message for one in inventory.warnings) if inventory is not None else {}
    return found + [f"{text} (× {count})" if count > 1 else text for text, count in warned.items()]
