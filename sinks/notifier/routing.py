"""Chooses the receivers of an event: a pure choice among the routes of the policy.

A target's team names its routes. A target without a team (or with a team without routes) uses the
routes that no team names. Region events use every route that takes warnings; events of a region
that the policy no longer has go nowhere. Events of unwatched targets use these routes, and those
that take their severity. An event without any route goes to the console, so that no
event is lost unseen.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from schemas.policy import Policy, Region, Route, Team
from sinks.notifier.console import SCHEME

REGION_EVENTS: Final = frozenset(
    {"region.silent", "region.returned", "region.suspect", "region.cleared"}
)
TARGETS_EVENTS: Final = frozenset({"targets.unwatched", "targets.watched"})
INCIDENT_EVENTS: Final = frozenset({"opened", "worsened", "closed"})
"""Events that people are told of; `updated` and `improved` are for those who follow the topic."""

CONSOLE: Final = Route(name="console", urls=(f"{SCHEME}://",))
"""The route if the policy has none."""


class Channel(Struct, frozen=True):
    """One URL of a route, as configured (secrets not filled in)."""

    route: str
    position: int
    url: str

    @property
    def scheme(self) -> str:
        """The URL's scheme; `secret` if it comes from a placeholder."""
        scheme, found, _ = self.url.partition("://")
        return scheme.lower() if found and scheme.isalnum() else "secret"

    @property
    def name(self) -> str:
        """`route/position/scheme`: the channel's name in the send log."""
        return f"{self.route}/{self.position}/{self.scheme}"


def told(event: Event) -> bool:
    """True if people are notified of such an event at all."""
    match event:
        case IncidentEvent():
            return event.event in INCIDENT_EVENTS
        case RegionEvent():
            return event.event in REGION_EVENTS
        case TargetsEvent():
            return event.event in TARGETS_EVENTS


class Routes(Struct, frozen=True):
    """The routes and teams of the policy by name, and its regions (empty: not known)."""

    routes: dict[str, Route] = {}
    teams: dict[str, Team] = {}
    regions: frozenset[str] = frozenset()

    @classmethod
    def of(cls, policy: Iterable[Policy]) -> "Routes":
        """The routes, teams and regions among the entries of [policy]."""
        entries = list(policy)
        return cls(
            {entry.name: entry for entry in entries if isinstance(entry, Route)},
            {entry.name: entry for entry in entries if isinstance(entry, Team)},
            frozenset(entry.name for entry in entries if isinstance(entry, Region)),
        )

    def channels(self, event: Event) -> tuple[Channel, ...]:
        """The channels for `event`, in a fixed order; a URL of two routes appears once."""
        if isinstance(event, RegionEvent) and self.regions and event.region not in self.regions:
            return ()
        candidates = self._candidates(event)
        if not candidates:
            candidates = [CONSOLE]
        found: dict[str, Channel] = {}
        for route in candidates:
            if _takes(route, event):
                for position, url in enumerate(route.urls):
                    found.setdefault(url, Channel(route.name, position, url))
        return tuple(found.values())

    def _candidates(self, event: Event) -> list[Route]:
        if not isinstance(event, IncidentEvent):
            return [self.routes[name] for name in sorted(self.routes)]
        team = self.teams.get(event.team or "")
        if team is not None:
            named = [self.routes[name] for name in team.routes if name in self.routes]
            if named:
                return named
        taken = {name for other in self.teams.values() for name in other.routes}
        return [self.routes[name] for name in sorted(self.routes) if name not in taken]


def severity(event: Event) -> str:
    """The severity of an event; `warning` for a region that becomes silent or returns."""
    return "warning" if isinstance(event, RegionEvent) else event.severity


def _takes(route: Route, event: Event) -> bool:
    fitting = {severity(event)}
    if isinstance(event, TargetsEvent):
        fitting.add("warning")
    if route.severities and fitting.isdisjoint(route.severities):
        return False
    if not isinstance(event, IncidentEvent):
        return not route.tags and not route.kinds
    if route.tags and not set(route.tags) & set(event.tags):
        return False
    return not route.kinds or event.kind in route.kinds
