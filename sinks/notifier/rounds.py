"""The order in which routes are considered for an event, whatever time it is. Pure."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal

from schemas.incident import Event, IncidentEvent
from schemas.policy import Route, Team
from sinks.notifier.matching import Matcher, Patterns, matcher
from sinks.notifier.model import DrillEvent, MassEvent

FoundBy = Literal["team", "teams", "default", "operators", "everybody", "console"]
"""Why a route is considered: the team names it, its `teams` match, it takes what no other took, it
is for operators, no route is for operators, or it is the console for what nobody took."""

Round = tuple[tuple[FoundBy, Route, Matcher], ...]


class Rounds:
    """The rounds of a policy; a later round counts if no route of an earlier one took the event."""

    def __init__(self, routes: Mapping[str, Route], teams: Mapping[str, Team]) -> None:
        self._routes = routes
        self._teams = teams
        self._by_name = [routes[name] for name in sorted(routes)]

    def of(self, event: Event | MassEvent | DrillEvent) -> tuple[Round, ...]:
        """The rounds for an event, in order."""
        if isinstance(event, IncidentEvent):
            return (self._of_team(event.team or ""), self._defaults)
        if any(one.operators for one in self._by_name):
            return (self._of_operators,)
        own = isinstance(event, MassEvent | DrillEvent)
        return (self._defaults if own else self._of_everybody,)

    def reaches(self, team: str) -> bool:
        """True if a route is considered for incidents of a team."""
        return bool(self._of_team(team) or self._defaults)

    def _of_team(self, name: str) -> Round:
        """The routes that a team names, then those whose `teams` match its name."""
        team = self._teams.get(name)
        named = [] if team is None else [one for one in team.routes if one in self._routes]
        others = [
            route.name
            for route in self._by_name
            if route.name not in named and route.teams and Patterns.of(route.teams).fit(name)
        ]
        return self._round("team", named) + self._round("teams", others)

    @cached_property
    def _defaults(self) -> Round:
        """The routes that take what no other took.

        If none says that it is one, as an inventory of 0.1: those that nothing else brings in.
        """
        said = [one.name for one in self._by_name if one.default]
        if said:
            return self._round("default", said)
        brought = {name for team in self._teams.values() for name in team.routes}
        for one in self._by_name:
            brought.update(one.fallback)
        brought |= self._escalated
        return self._round(
            "default",
            [
                one.name
                for one in self._by_name
                if one.default is None
                and not one.teams
                and not one.operators
                and one.name not in brought
            ],
        )

    @cached_property
    def _of_operators(self) -> Round:
        return self._round("operators", [one.name for one in self._by_name if one.operators])

    @cached_property
    def _of_everybody(self) -> Round:
        """Without a route for operators, every route that matches, as in 0.1.

        A route that is there for escalations alone is no route of the first hour.
        """
        named = {name for team in self._teams.values() for name in team.routes}
        late = self._escalated - named
        return self._round("everybody", [one.name for one in self._by_name if one.name not in late])

    @cached_property
    def _escalated(self) -> frozenset[str]:
        steps = [step for one in self._routes.values() for step in one.escalate]
        return frozenset(name for step in steps for name in step.routes)

    def _round(self, by: FoundBy, names: Iterable[str]) -> Round:
        routes = [self._routes[name] for name in dict.fromkeys(names)]
        return tuple((by, route, matcher(route)) for route in routes)
