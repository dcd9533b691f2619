"""Resolves written entries to targets and policy: defaults, names, ids and limits."""

from collections.abc import Collection, Iterable
from typing import Any, Final

from msgspec import Struct

from portquorum.inventory.decode import MOST_PROBLEMS, Entries, Entry
from portquorum.inventory.document import (
    DefaultsEntry,
    RegionEntry,
    TargetEntry,
    TeamEntry,
)
from portquorum.inventory.drills import drill_plans
from portquorum.inventory.errors import SHOWN, InventoryError, Problem, Where
from portquorum.inventory.groups import PortGroups, told_once, without_told
from portquorum.inventory.heartbeats import KIND as HEARTBEAT
from portquorum.inventory.order import find_circle, with_dependency_hosts
from portquorum.inventory.references import AnyName, no_target, not_defined, unknown
from portquorum.inventory.routes import RouteResolver
from portquorum.inventory.targets import TargetResolver
from portquorum.inventory.windows import WindowResolver
from producers.checks import address_policy, name_server
from producers.checks.model import Vantage
from schemas.partition import canonical_host
from schemas.policy import WEB, Policy, Region, Team
from schemas.result import RECEIVER
from schemas.target import Target


class Known(Struct, frozen=True):
    """The names that other sources define, by name → source: usable here, not definable again.

    `vantages` are those of `regions`, as far as they define what is reachable; `goals` are the
    teams with an SLO or a price for their targets. `fallbacks` are the routes that stand in for
    those of `routes`; `hosts` are the canonical hosts of `targets`, as far as they have one.
    """

    regions: dict[str, str] = {}
    teams: dict[str, str] = {}
    routes: dict[str, str] = {}
    targets: dict[str, str] = {}
    vantages: dict[str, Vantage] = {}
    goals: dict[str, Team] = {}
    fallbacks: dict[str, tuple[str, ...]] = {}
    hosts: dict[str, str] = {}


class Inventory(Struct, frozen=True):
    """Everything of one source, resolved. The targets' `version` is 0 until `apply` sets it.

    `warnings`: valid content that will hardly do what was meant.
    """

    source: str
    policy: tuple[Policy, ...]
    targets: tuple[Target, ...]
    warnings: tuple[Problem, ...] = ()


NOTHING_KNOWN: Final = Known()


def resolve(
    entries: Entries,
    source: str,
    problems: Iterable[Problem] = (),
    known: Known = NOTHING_KNOWN,
    now: int | None = None,
) -> Inventory:
    """Resolves all entries.

    Args:
        entries: as they are written.
        source: the name under which the targets are applied.
        problems: those of loading; they are raised together with those found here.
        known: what other sources brought.
        now: UTC ms, from when on a heartbeat knows its zone's offsets; None: now.

    Raises:
        InventoryError: with every problem.
    """
    return _Resolver(entries, source, list(problems), known, now).inventory()


class _Resolver:
    def __init__(
        self,
        entries: Entries,
        source: str,
        problems: list[Problem],
        known: Known,
        now: int | None,
    ) -> None:
        self.entries = entries
        self.source = source
        self.problems = problems
        self.known = known
        self.now = now
        self.warnings: list[Problem] = []
        self.ids: Collection[str] = frozenset()
        self.groups = PortGroups()
        self.regions = self._names("region", entries.regions, known.regions)
        self.vantages = known.vantages | {e.name: _vantage(e.value) for e in entries.regions}
        self.teams = self._names("team", entries.teams, known.teams)
        self.routes = self._names("route", entries.routes, known.routes)

    def inventory(self) -> Inventory:
        defaults = self._defaults()
        targets = self._targets(defaults)
        policy: list[Policy] = [
            *(self._region(entry) for entry in self.entries.regions),
            *(_team(entry) for entry in self.entries.teams),
            *RouteResolver(
                self.problems,
                self.warnings,
                routes=self.routes,
                teams=self.teams,
                regions=self.regions | {RECEIVER},
                ids=self.ids,
                groups=self.groups,
                fallbacks=self.known.fallbacks,
            ).resolve(self.entries.routes),
            *WindowResolver(
                self.ids,
                self.problems,
                self.warnings,
                tags=self._tags(targets),
                groups=self.groups,
            ).resolve(self.entries.maintenance),
        ]
        policy += drill_plans(self.entries.drills, self.problems)
        for entry in self.entries.teams:
            self.problems += unknown("route", entry.value.routes, self.routes, entry, "routes")
        if self.problems:
            raise InventoryError(told_once(self.problems, self.entries.templates.users))
        return Inventory(self.source, tuple(policy), tuple(targets), tuple(self.warnings))

    def _say(self, where: Where, message: str) -> None:
        self.problems.append(Problem(where, message))

    def _names(
        self, what: str, entries: Iterable[Entry[Any]], known: dict[str, str]
    ) -> frozenset[str]:
        """All usable names; a name that is taken is a problem."""
        first: dict[str, Where] = {}
        for entry in entries:
            if entry.name in first:
                self._say(entry.where(), f"the {what} {entry.name!r} stands at {first[entry.name]}")
            elif entry.name in known:
                owner = known[entry.name]
                self._say(
                    entry.where(),
                    f"the {what} {entry.name!r} belongs to the source {owner!r}; "
                    "it can be used here by its name: leave the definition out",
                )
            first.setdefault(entry.name, entry.where())
        names = frozenset(first) | frozenset(known)
        return AnyName(names) if f"{what}s" in self.entries.broken else names

    def _tags(self, targets: Iterable[Target]) -> Collection[str] | None:
        """The tags that targets have; None if there are others that are not known here."""
        if "targets" in self.entries.broken or self.problems or self.known.targets:
            return None
        return frozenset(tag for target in targets for tag in target.tags)

    def _defaults(self) -> Entry[DefaultsEntry] | None:
        for again in self.entries.defaults[1:]:
            first = self.entries.defaults[0].where()
            self._say(again.where(), f"defaults stand once in an inventory; the first: {first}")
        return self.entries.defaults[0] if self.entries.defaults else None

    def _region(self, entry: Entry[RegionEntry]) -> Region:
        value = entry.value
        if entry.name == RECEIVER:
            text = f"expected another name: {RECEIVER!r} stands for the receivers of heartbeats"
            self._say(entry.where(), text)
        if value.source is not None and not _is_address(value.source):
            expected = f"expected an IP address of this machine, found {value.source!r}"
            self._say(entry.where("source"), expected)
        for position, place in enumerate(value.connectivity):
            if not _is_place(place):
                expected = f"expected host:port, found {place!r}"
                self._say(entry.where("connectivity", position), expected)
            else:
                self._reference_reachable(entry, position, place)
        for field, networks in (("allow", value.allow), ("deny", value.deny)):
            for position, text in enumerate(networks):
                if not _is_network(text):
                    expected = f"expected a network such as 10.1.0.0/16, found {text!r}"
                    self._say(entry.where(field, position), expected)
        return Region(
            name=entry.name,
            internal=value.internal,
            source=value.source,
            connectivity=value.connectivity,
            allow=value.allow,
            deny=value.deny,
        )

    def _reference_reachable(self, entry: Entry[RegionEntry], position: int, place: str) -> None:
        """Warns of a connectivity reference that the region's own probers will refuse to ask."""
        host = canonical_host(place.rpartition(":")[0])
        if not _is_address(host):
            return
        why = _vantage(entry.value).blocked_because(host)
        if why is not None:
            message = (
                f"{why}, so the region's probers never ask this reference; name another one, add "
                "internal: true to the region if its probers may reach private addresses, or the "
                "network to its allow"
            )
            self.warnings.append(Problem(entry.where("connectivity", position), message))

    def _reachable(self, entry: Entry[TargetEntry], target: Target) -> None:
        """Warns of an address that the probers of a region will refuse to connect to."""
        by_address = target.host is not None and _is_address(target.host)
        if by_address:
            self._blocked(entry, target, "host", target.host or "")
        elif target.resolver is not None:
            self._blocked(entry, target, "resolver", name_server.place_of(target.resolver).ip)

    def _blocked(self, entry: Entry[TargetEntry], target: Target, field: str, address: str) -> None:
        reasons = {
            region: why
            for region in target.regions
            if (why := self.vantages.get(region, Vantage()).blocked_because(address))
        }
        if not reasons:
            return
        regions = "regions" if len(reasons) > 1 else "region"
        message = (
            f"{next(iter(reasons.values()))}, and {target.id!r} is checked from the {regions} "
            f"{', '.join(reasons)}: that gives only address_blocked; add internal: true to the "
            "region if its probers may reach private addresses, or the network to its allow"
        )
        self.warnings.append(Problem(entry.where(field), message))

    def _targets(self, defaults: Entry[DefaultsEntry] | None) -> list[Target]:
        resolver = TargetResolver(self.source, defaults, self.problems, self.now)
        written = tuple(entry.name for entry in self.entries.regions)
        resolver.regions = written or tuple(sorted(self.known.regions))
        resolver.goals |= self.known.goals
        resolver.goals |= {entry.name: entry.value for entry in self.entries.teams}
        resolver.groups = self.groups
        checked = (entry for entry in self.entries.targets if entry.value.kind != HEARTBEAT)
        if not self.regions and (first_checked := next(checked, None)) is not None:
            file = first_checked.where().file
            self._say(
                Where(file, 0, ("regions",)),
                "expected at least one region, found none: `regions: {local: {internal: true}}` "
                "is one on this machine (jobs alone need none)",
            )
            return []
        ids = {resolver.id_of(entry) for entry in self.entries.targets}
        self.ids = frozenset(ids | self.known.targets.keys())
        parts = [(resolver.group_of(one), resolver.id_of(one)) for one in self._parts()]
        self.groups.add(parts, self.ids)
        if "targets" in self.entries.broken:
            self.ids = AnyName(self.ids)
        if defaults is not None:
            self._references(defaults, defaults.value.regions, defaults.value.team, ())
        targets: list[Target] = []
        first: dict[str, Entry[TargetEntry]] = {}
        told: set[Where] = set()
        for entry in self.entries.targets:
            if len(self.problems) > MOST_PROBLEMS:
                break
            before, warned = len(self.problems), len(self.warnings)
            target = self._target(entry, resolver, first)
            if target is not None:
                targets.append(target)
                self._reachable(entry, target)
            if entry.whole is not None:  # all of its ports have the same problem
                told = told if entry.part else set()
                without_told(self.problems, before, told)
                without_told(self.warnings, warned, told)
                told |= {one.where for one in self.problems[before:]}
                told |= {one.where for one in self.warnings[warned:]}
        depends_on = {key: self.groups.ids(one.value.depends_on) for key, one in first.items()}
        circle = find_circle(depends_on)
        if circle:
            chain = " → ".join(circle)
            self._say(first[circle[0]].where("depends_on"), f"targets depend in a circle: {chain}")
        return with_dependency_hosts(targets, self.known.hosts)

    def _target(
        self,
        entry: Entry[TargetEntry],
        resolver: TargetResolver,
        first: dict[str, Entry[TargetEntry]],
    ) -> Target | None:
        """The target of an entry, which `first` then has; None, with a problem, if it is wrong."""
        value = entry.value
        self._references(entry, value.regions, value.team, value.depends_on)
        target = resolver.resolve(entry)
        target_id = resolver.id_of(entry)
        if target_id in first:
            other = first[target_id]
            self._say(
                entry.where(),
                f"the id {target_id!r} is taken by {other.where()}; "
                "give one of them another `id:` or `name:`",
            )
            return None
        if target_id:
            first[target_id] = entry
        owner = self.known.targets.get(target_id)
        if owner is not None:
            self._say(entry.where(), _owned(target_id, owner))
            return None
        return target

    def _parts(self) -> Iterable[Entry[TargetEntry]]:
        """The targets that are one of several by the ports of an entry."""
        return (entry for entry in self.entries.targets if entry.whole is not None)

    def _suggested(self) -> Collection[str]:
        """The ids of which one may be suggested; none once more problems are found than shown."""
        return self.ids if len(self.problems) < SHOWN else ()

    def _references(
        self,
        entry: Entry[TargetEntry] | Entry[DefaultsEntry],
        regions: Iterable[str] | None,
        team: str | None,
        depends_on: Iterable[str],
    ) -> None:
        self.problems += unknown("region", regions or (), self.regions, entry, "regions")
        if team is not None and team not in self.teams:
            self._say(entry.where("team"), not_defined("team", team, self.teams))
        for position, other in enumerate(depends_on):
            if other not in self.ids and other not in self.groups:
                self._say(entry.where("depends_on", position), no_target(other, self._suggested()))


def _owned(target: str, owner: str) -> str:
    """Whose an id is, and what to do."""
    if owner == WEB:
        return (
            f"the target {target!r} belongs to the page's own inventory: to have it in a file, "
            "export it (portquorum inventory export), remove it there (portquorum target remove), "
            "and apply again; or give this one another `id:`"
        )
    return (
        f"the target {target!r} belongs to the source {owner!r}: apply it with --source {owner}, "
        "or give this one another `id:`"
    )


def _team(entry: Entry[TeamEntry]) -> Team:
    value = entry.value
    return Team(
        name=entry.name,
        routes=value.routes,
        slo=value.slo,
        downtime_cost_per_hour=value.downtime_cost_per_hour,
    )


def _is_network(text: str) -> bool:
    try:
        address_policy.network(text)
    except ValueError:
        return False
    return True


def _vantage(region: RegionEntry) -> Vantage:
    """The networks that the region's probers may reach, without invalid ones (already reported)."""
    allow, deny = (tuple(filter(_is_network, names)) for names in (region.allow, region.deny))
    return Vantage(internal=region.internal, allow=allow, deny=deny)


def _is_address(text: str) -> bool:
    try:
        host = canonical_host(text)
    except ValueError:
        return False
    return ":" in host or host.replace(".", "").isdecimal()


def _is_place(text: str) -> bool:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        return False
    try:
        canonical_host(host)
    except ValueError:
        return False
    return True
