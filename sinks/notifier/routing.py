"""Chooses the receivers of an event: a pure choice among the routes of the policy at a time.

An incident goes to the routes that its team names, in the team's order, then to those whose `teams`
match the team, by name. Each that is on and matches adds its channels, one with `stop` ends the
search. What none of them took goes to the routes that are the default, and what these did not
take either goes to the console, so that no event is lost unseen.

Events of regions, of targets that nobody can judge, of many targets at once and of fire drills go
to the routes of the operators. Events of a region that the policy no longer has go nowhere.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from schemas.policy import (
    DrillDone,
    DrillPlan,
    Maintenance,
    Pause,
    Policy,
    Region,
    Route,
    Silence,
    Team,
)
from sinks.notifier.matching import Matcher
from sinks.notifier.model import Channel, DrillEvent, MassEvent
from sinks.notifier.moments import RoutesInTime, urls_of
from sinks.notifier.rounds import FoundBy, Rounds

REGION_EVENTS: Final = frozenset(
    {
        "region.silent",
        "region.returned",
        "region.suspect",
        "region.cleared",
        "region.secrets_missing",
        "region.secrets_found",
    }
)
TARGETS_EVENTS: Final = frozenset({"targets.unwatched", "targets.watched"})
INCIDENT_EVENTS: Final = frozenset({"opened", "worsened", "closed"})
"""Events that people are told of; `updated` and `improved` are for those who follow the topic."""

CONSOLE: Final = Route(name="console", urls=("console://",))
"""The route if no other takes an event."""

_CONSOLE: Final = Channel(CONSOLE.name, CONSOLE.urls[0])

HOURS: Final = "hours"
URLS: Final = "urls"
"""Refusals of a route that is not on, and of one without channels, which takes nothing and stops
nothing; any other refusal is the name of a matching field."""


def told(event: Event) -> bool:
    """True if people are notified of such an event at all."""
    match event:
        case IncidentEvent():
            return event.event in INCIDENT_EVENTS
        case RegionEvent():
            return event.event in REGION_EVENTS
        case TargetsEvent():
            return event.event in TARGETS_EVENTS


_Fitting = tuple[tuple[Route, Matcher | None], ...]

_KNOWN: Final = 1_000
"""Number of sorts of targets (same team, tags, kind, …) whose routes are kept."""


def is_stand_in(channel: Channel) -> bool:
    """True for the console where no route takes an event: nobody was told by it."""
    return channel == _CONSOLE


class Considered(Struct, frozen=True):
    """A route that was looked at for an event; it took it if there is no `refusal`."""

    route: Route
    by: FoundBy
    channels: tuple[Channel, ...]
    refusal: str | None = None


class Routes(Struct, frozen=True, dict=True):
    """The routes, teams and regions (empty: not known) of the policy, and what spares people.

    `drill_every_ms` is the longest time between two fire drills, the shortest of all plans; 0: none
    is planned. `last_drill` is the newest one. `pauses` has the ends (UTC ms) of the pauses by
    target id, None: until it is resumed.
    """

    routes: dict[str, Route] = {}
    teams: dict[str, Team] = {}
    regions: frozenset[str] = frozenset()
    maintenance: tuple[Maintenance, ...] = ()
    silences: tuple[Silence, ...] = ()
    drill_every_ms: int = 0
    last_drill: DrillDone | None = None
    pauses: dict[str, int | None] = {}

    @classmethod
    def of(cls, policy: Iterable[Policy]) -> "Routes":
        """What concerns the notifier among the entries of [policy]."""
        entries = list(policy)
        windows = [entry for entry in entries if isinstance(entry, Maintenance)]
        silences = [entry for entry in entries if isinstance(entry, Silence)]
        plans = [entry.every_ms for entry in entries if isinstance(entry, DrillPlan)]
        drills = [entry for entry in entries if isinstance(entry, DrillDone)]
        return cls(
            {entry.name: entry for entry in entries if isinstance(entry, Route)},
            {entry.name: entry for entry in entries if isinstance(entry, Team)},
            frozenset(entry.name for entry in entries if isinstance(entry, Region)),
            tuple(sorted(windows, key=lambda one: one.name)),
            tuple(sorted(silences, key=lambda one: one.name)),
            min(plans, default=0),
            max(drills, key=lambda one: one.at, default=None),
            {entry.name: entry.until for entry in entries if isinstance(entry, Pause)},
        )

    # Who is told.

    def channels(self, event: Event | MassEvent | DrillEvent, now: int) -> tuple[Channel, ...]:
        """The channels for `event` at `now` (UTC ms), in a fixed order, each URL once."""
        if self.knows_no_region_of(event):
            return ()
        if isinstance(event, IncidentEvent):
            found = self._takers(event, now)
        else:
            taken = [one for one in self.considered(event, now) if one.refusal is None]
            found = [channel for one in taken for channel in one.channels]
        once: dict[str, Channel] = {}
        for channel in found:
            once.setdefault(channel.url, channel)
        return tuple(once.values())

    def considered(self, event: Event | MassEvent | DrillEvent, now: int) -> list[Considered]:
        """The routes that are looked at for `event`, in order, to the one that ends the search."""
        moment = self._in_time.moment(now)
        found: list[Considered] = []
        for candidates in self._all_rounds.of(event):
            took = False
            for by, route, fits in candidates:
                if route.name not in moment.on:
                    found.append(Considered(route, by, (), HOURS))
                    continue
                channels = moment.channels[route.name]
                refusal = _refusal(fits, event) if channels else URLS
                found.append(Considered(route, by, channels, refusal))
                if refusal is None:
                    took = True
                    if route.stop:
                        break
            if took:
                return found
        found.append(Considered(CONSOLE, "console", (_CONSOLE,)))
        return found

    def next_change(self, now: int) -> int | None:
        """The next time (UTC ms) after `now` at which hours, a shift or quiet hours begin or end.

        None: the routes do not depend on the time.
        """
        return self._in_time.next_change(now)

    def knows_no_region_of(self, event: Event | MassEvent | DrillEvent) -> bool:
        """True for an event of a region that the policy does not have."""
        if not isinstance(event, RegionEvent) or not self.regions:
            return False
        return event.region not in self.regions

    def _takers(self, event: IncidentEvent, now: int) -> list[Channel]:
        """The channels of `considered` that took an incident, in much less time."""
        moment = self._in_time.moment(now)
        for candidates in self._fitting(event):
            found: list[Channel] = []
            for route, rest in candidates:
                if route.name not in moment.on or (rest and rest.differs_alone(event) is not None):
                    continue
                channels = moment.channels[route.name]
                found += channels
                if route.stop and channels:
                    break
            if found:
                return found
        return [_CONSOLE]

    def _fitting(self, event: IncidentEvent) -> tuple[_Fitting, ...]:
        """What is left of the rounds by all that many targets have in common; it is kept for them.

        What is left to look at are names of targets, and regions.
        """
        common = (
            event.team,
            event.tags,
            event.kind,
            event.severity,
            event.incident_type,
            event.criticality,
        )
        found = self._known.get(common)
        if found is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            found = self._known[common] = tuple(
                tuple(
                    (route, fits if fits.looks_closer else None)
                    for _, route, fits in candidates
                    if fits.differs_in_common(event) is None
                )
                for candidates in self._all_rounds.of(event)
            )
        return found

    def reaches(self, team: str) -> bool:
        """True if there is a route for incidents of a team, whatever it takes."""
        return self._all_rounds.reaches(team)

    # What a route has.

    def channels_of(self, route: str, now: int) -> tuple[Channel, ...]:
        """The channels of a route at `now`, whatever its hours; none if there is no such route."""
        found = self._in_time.moment(now).channels.get(route)
        if found is None:
            return (_CONSOLE,) if route == CONSOLE.name else ()
        return found

    def is_on(self, route: str, now: int) -> bool:
        """True if it is the hours of a route at `now`."""
        return route in self._in_time.moment(now).on

    def urls(self, route: str) -> frozenset[str]:
        """The URLs of a route, those of everybody in its rotation too; none without the route."""
        return self._urls.get(route, frozenset())

    @cached_property
    def all_urls(self) -> frozenset[str]:
        """The URLs of all routes."""
        return frozenset().union(*self._urls.values())

    @cached_property
    def all_ids(self) -> frozenset[str]:
        """The ids of the channels of all routes."""
        return frozenset(Channel("", url).id for url in self.all_urls)

    # What does not depend on the time.

    @cached_property
    def _in_time(self) -> RoutesInTime:
        return RoutesInTime(self.routes)

    @cached_property
    def _urls(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(urls_of(route)) for name, route in self.routes.items()}

    @cached_property
    def _all_rounds(self) -> Rounds:
        return Rounds(self.routes, self.teams)

    @cached_property
    def _known(self) -> dict[object, tuple[_Fitting, ...]]:
        return {}


def _refusal(fits: Matcher, event: Event | MassEvent | DrillEvent) -> str | None:
    """Why a route does not take an event, None if it does.

    Targets that nobody can judge concern also who takes only warnings, however severe it is.
    """
    differs = fits.differs(event)
    if differs == "severities" and isinstance(event, TargetsEvent):
        return fits.differs(replace(event, severity="warning"))
    return differs
