"""Advice on routes: whom the incidents of an inventory reach, and which routes nothing reaches.

Pure: every incident that can come to the targets is asked of the notifier's own routes, at each
time of the coming week at which other routes are on.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, get_args

from msgspec import Struct

from portquorum.inventory.errors import Problem, Where
from portquorum.inventory.heartbeats import REGIONS, is_job
from portquorum.inventory.resolve import Inventory
from schemas.duration import DAY_MS
from schemas.hours import is_on
from schemas.incident import (
    IncidentEvent,
    IncidentType,
    RegionEvent,
    RegionEventKind,
    RegionVerdict,
    Severity,
    TargetsEvent,
    Votes,
)
from schemas.policy import Region
from schemas.target import Criticality, Target
from schemas.wall_clock import local, zone_or_utc
from sinks.notifier.matching import Patterns
from sinks.notifier.model import DrillEvent, MassEvent
from sinks.notifier.routing import Considered, Routes
from streams.rules.incident_event import severity_of
from streams.state.policy import warn_days_of

_AHEAD_MS: Final = 8 * DAY_MS
"""Hours of a week have all been on within it, the night before included."""

_MOST_CHANGES: Final = 2_000
_SHOWN: Final = 5


class _Whose(Struct, frozen=True, order=True):
    """Of whom a line of advice is, and what nobody would be told."""

    team: str
    criticality: Criticality
    incident_type: IncidentType
    severity: Severity
    always: bool


def reach(inventory: Inventory, now: int) -> list[Problem]:
    """Sentences on whom nobody is told of, and on routes, for the week after `now` (UTC ms)."""
    routes = Routes.of(inventory.policy)
    if not inventory.targets:
        return []
    if not routes.routes:
        text = "there is none: nobody is told, incidents show in the notifier's log alone"
        return [Problem(Where(inventory.source, 0, ("routes",)), text)]
    asked = _Asked(routes, _moments(routes, now))
    regions = tuple(one.name for one in inventory.policy if isinstance(one, Region))
    if any(map(is_job, inventory.targets)):
        regions += REGIONS
    asked.all_that_happens(tuple(_alike(inventory.targets, routes)), regions)
    return [Problem(Where(inventory.source, 0, path), text) for path, text in asked.advice()]


class _Asked:
    """Asks the routes of one event after the other, and keeps what came of it."""

    def __init__(self, routes: Routes, moments: list[int]) -> None:
        self.routes = routes
        self.moments = moments
        self.unheard: dict[_Whose, list[str]] = defaultdict(list)
        """Ids of targets of which nobody is told."""
        self.when: dict[_Whose, int] = {}
        """The first time at which that is so."""
        self.taking: set[str] = set()
        self.refusing: dict[str, set[str]] = defaultdict(set)
        self.unsaid: set[str] = set()
        """Routes that take what no other took without saying so."""
        self.unheard_others: dict[tuple[str, str], set[int]] = defaultdict(set)
        """By what befalls no single target, and its region: the times at which nobody is told."""

    def all_that_happens(self, groups: tuple[list[Target], ...], regions: tuple[str, ...]) -> None:
        """Asks of what can happen to targets, each group alike to the routes, and to regions."""
        opened = [(group, _opened(group[0], kind)) for group in groups for kind in _kinds(group[0])]
        others = _others(regions)
        if self.routes.drill_every_ms:
            others.append(_OVERDUE)
        silent: list[list[int]] = [[] for _ in opened]
        for moment in self.moments:  # the routes keep one moment in mind
            for (_, event), times in zip(opened, silent, strict=True):
                if not self._taken(self.routes.considered(event, moment)):
                    times.append(moment)
            for other in others:
                if not self._taken(self.routes.considered(other, moment)):
                    self.unheard_others[_named(other)].add(moment)
        for (group, event), times in zip(opened, silent, strict=True):
            if times:
                whose = _Whose(
                    event.team or "",
                    event.criticality,
                    event.incident_type,
                    event.severity,
                    len(times) == len(self.moments),
                )
                self.unheard[whose] += [target.id for target in group]
                self.when[whose] = min(self.when.get(whose, times[0]), *times)

    def _taken(self, considered: list[Considered]) -> bool:
        """True if a route took the event, and not the console alone."""
        taken = False
        for one in considered:
            name = one.route.name
            if one.by == "console":
                continue
            if one.by == "default" and one.route.default is None:
                self.unsaid.add(name)
            if one.refusal is None:
                self.taking.add(name)
                taken = True
            else:
                self.refusing[name].add(one.refusal)
        return taken

    def advice(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Place and sentence of each piece of advice."""
        lines: dict[tuple[str, Criticality, tuple[str, ...], str], list[str]] = defaultdict(list)
        for whose, found in sorted(self.unheard.items()):
            at = "" if whose.always else self._hours(self.when[whose])
            key = whose.team, whose.criticality, tuple(sorted(found)), at
            lines[key].append(f"{whose.incident_type} ({whose.severity})")
        for (team, criticality, ids, at), what in lines.items():
            shown = _first_of(ids)
            targets = "target" if len(ids) == 1 else "targets"
            text = (
                f"{', '.join(what)} of {len(ids):,} {criticality} {targets} ({shown}) reaches "
                f"nobody but the notifier's log{at}; a route with `default: true` and without "
                "`tags` and other conditions would take it"
            )
            yield ("teams", team) if team else ("targets",), text
        yield from self._advice_on_others()
        reached = self._and_what_they_call()
        for name in sorted(self.routes.routes.keys() - reached):
            yield ("routes", name), f"nothing in this inventory reaches it: {self._why(name)}"
        for name in sorted(self.unsaid & self.taking):
            text = (
                "it takes what no other route took, since none says `default: true`; write "
                "that here, or `default: false` if it is not meant"
            )
            yield ("routes", name), text

    def _advice_on_others(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Advice on what befalls no single target."""
        lines: dict[tuple[str, str], list[str]] = defaultdict(list)
        for (what, region), times in sorted(self.unheard_others.items()):
            at = "" if len(times) == len(self.moments) else self._hours(min(times))
            lines[what, at].append(region)
        for (what, at), regions in lines.items():
            text = (
                f"{what}{_first_of(regions)} reaches nobody but the notifier's log{at}; a route "
                "with `operators: true` that takes warnings, without `tags` and the like, would "
                "take it"
            )
            yield ("routes",), text

    def _and_what_they_call(self) -> set[str]:
        """The routes that take something, those they fall back on or escalate to, and so on."""
        found: set[str] = set()
        waiting = list(self.taking)
        while waiting:
            name = waiting.pop()
            route = self.routes.routes.get(name)
            if route is not None and name not in found:
                found.add(name)
                waiting += (*route.fallback, *(to for step in route.escalate for to in step.routes))
        return found

    def _why(self, name: str) -> str:
        if name in self.refusing:
            fields = " and ".join(sorted(self.refusing[name])).replace("hours", "when")
            return (
                f"what could come to it differs in {fields}, or a route with `stop` takes it before"
            )
        return (
            "no team that has targets names it, its `teams` match none, it is no default, and no "
            "route that takes something names it; or a route with `stop` is always before it"
        )

    def _hours(self, moment: int) -> str:
        zones = {one.timezone for one in self.routes.routes.values() if one.when}
        zone = zone_or_utc(zones.pop() if len(zones) == 1 else None)
        return f" at some hours (first {local(moment, zone):%a %Y-%m-%d %H:%M} {zone.key})"


def _first_of(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _named(event: RegionEvent | TargetsEvent | MassEvent | DrillEvent) -> tuple[str, str]:
    """What befalls no single target in words, and the region that it is of."""
    match event:
        case RegionEvent():
            return "what befalls regions: ", event.region
        case TargetsEvent():
            return "targets that nobody can judge", ""
        case MassEvent():
            return "an outage of very many targets", ""
        case DrillEvent():
            return "a fire drill that is overdue", ""


def _others(regions: Iterable[str]) -> list[RegionEvent | TargetsEvent | MassEvent | DrillEvent]:
    """What can happen to regions, to targets that nobody can judge, and to very many targets."""
    events: list[RegionEvent | TargetsEvent | MassEvent | DrillEvent] = [
        RegionEvent(event_id="", event=kind, region=region, at=0, summary="")
        for region in regions
        for kind in get_args(RegionEventKind)
    ]
    events += [
        TargetsEvent(
            event_id="",
            event="targets.unwatched",
            partition=0,
            cause_id="",
            severity=severity,
            count=1,
            most_critical=(),
            silent_regions=dict.fromkeys(regions),
            since=0,
            at=0,
            summary="",
        )
        for severity in _SEVERITIES
    ]
    return [*events, MassEvent(event_id="", event="mass.down", down=0, total=0, since=0, at=0)]


_OVERDUE: Final = DrillEvent(
    event_id="", event="drill.overdue", every_ms=0, planned_at=0, since=0, at=0
)
_SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "info")


def _moments(routes: Routes, now: int) -> list[int]:
    """A time of the coming week for each set of routes that are on together."""
    found: dict[frozenset[str], int] = {}
    at: int | None = now
    for _ in range(_MOST_CHANGES):
        if at is None or at > now + _AHEAD_MS:
            break
        on = (one.name for one in routes.routes.values() if is_on(one.when, one.timezone, at))
        found.setdefault(frozenset(on), at)
        at = routes.next_change(at)
    return list(found.values())


def _alike(targets: Iterable[Target], routes: Routes) -> Iterator[list[Target]]:
    """The targets in groups that no route tells apart."""
    of_targets = [Patterns.of(one.targets) for one in routes.routes.values() if one.targets]
    of_regions = [frozenset(one.regions) for one in routes.routes.values() if one.regions]
    groups: dict[object, list[Target]] = defaultdict(list)
    for target in targets:
        alike = (
            *(target.team, target.tags, target.kind, target.criticality, _kinds(target)),
            tuple(patterns.fit(target.id) for patterns in of_targets),
            tuple(bool(regions.intersection(target.regions)) for regions in of_regions),
        )
        groups[alike].append(target)
    yield from groups.values()


def _kinds(target: Target) -> tuple[IncidentType, ...]:
    """The types of incidents that the target can have."""
    found: list[IncidentType] = ["unreachable", "flapping"]
    if target.latency is not None:
        found.append("slow")
    if warn_days_of(target.probe):
        found.append("expiring")
    return tuple(found)


def _opened(target: Target, kind: IncidentType) -> IncidentEvent:
    """An event in the form that routes match, seen by all regions; of no incident."""
    return IncidentEvent(
        event_id="",
        event="opened",
        incident_id="",
        incident_type=kind,
        severity=severity_of(kind, target.criticality),
        target=target.id,
        name=target.name,
        kind=target.kind,
        host=target.host,
        port=target.port,
        team=target.team,
        tags=target.tags,
        criticality=target.criticality,
        depends_on=target.depends_on,
        regions={region: RegionVerdict(verdict="down") for region in target.regions},
        votes=Votes(down=0, need=0, fresh=0, configured=0),
        first_failed_at=0,
        opened_at=0,
        closed_at=None,
        closed_because=None,
        at=0,
        host_targets=(),
        summary="",
        first_steps=(),
        runbook=target.runbook,
    )
