"""Who an event goes to, from the definitions of matching alone: slow, without any index."""

import re
from collections.abc import Iterable

from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from schemas.policy import Match, Route
from sinks.notifier.model import Channel, ChannelEvent, MassEvent
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.reference.wall_clock import takes_now, urls_now

Anything = Event | ChannelEvent | MassEvent
CONSOLE = Channel("console", "console://")


def severity(event: Anything) -> str:
    return "warning" if isinstance(event, RegionEvent | ChannelEvent) else event.severity


def fits(patterns: Iterable[str], text: str) -> bool:
    """True if one of the patterns is the text, with `*` for any characters."""
    return any(
        re.fullmatch(".*".join(map(re.escape, one.split("*"))), text, re.DOTALL) is not None
        for one in patterns
    )


def regions(event: Anything) -> set[str]:
    match event:
        case RegionEvent():
            return {event.region}
        case TargetsEvent():
            return set(event.silent_regions)
        case IncidentEvent():
            return {name for name, one in event.regions.items() if one.verdict == "down"}
    return set()


def matches(match: Match, event: Anything, also: str = "") -> bool:
    """True if the event has all that is asked for; `also` is one more severity that will do."""
    if match.severities and not {severity(event), also} & set(match.severities):
        return False
    if match.regions and not regions(event) & set(match.regions):
        return False
    of_targets = (match.teams, match.tags, match.targets, match.kinds, match.incident_types)
    if not isinstance(event, IncidentEvent):
        return not any(of_targets) and not match.criticalities
    return (
        (not match.teams or fits(match.teams, event.team or ""))
        and (not match.tags or any(fits(match.tags, tag) for tag in event.tags))
        and (not match.targets or fits(match.targets, event.target))
        and (not match.kinds or fits(match.kinds, event.kind))
        and (not match.incident_types or event.incident_type in match.incident_types)
        and (not match.criticalities or event.criticality in match.criticalities)
    )


def channels(routes: Routes, event: Event | MassEvent, now: int) -> tuple[Channel, ...]:
    """The channels for an event at `now`, each URL once; the console if there are no others."""
    if isinstance(event, RegionEvent) and routes.regions and event.region not in routes.regions:
        return ()
    for candidates, also in _rounds(routes, event):
        found: dict[str, Channel] = {}
        for route in candidates:
            if not takes_now(route, now) or not matches(route, event, also):
                continue
            for url in urls_now(route, now):
                found.setdefault(url, Channel(route.name, url))
            if route.stop:
                break
        if found:
            return tuple(found.values())
    return (CONSOLE,)


def _rounds(routes: Routes, event: Event | MassEvent) -> list[tuple[list[Route], str]]:
    """Who is asked first, and who if nobody of these takes it."""
    by_name = [routes.routes[name] for name in sorted(routes.routes)]
    if isinstance(event, IncidentEvent):
        team = routes.teams.get(event.team or "")
        named = [] if team is None else [one for one in team.routes if one in routes.routes]
        first = [routes.routes[one] for one in dict.fromkeys(named)]
        first += [
            one
            for one in by_name
            if one.teams and one not in first and fits(one.teams, event.team or "")
        ]
        return [(first, ""), (defaults(routes), "")]
    operators = [one for one in by_name if one.operators]
    if operators:
        return [(operators, "")]
    if isinstance(event, MassEvent):
        return [(defaults(routes), "")]
    # As in 0.1, but for the routes that are there for escalations alone.
    named = {name for team in routes.teams.values() for name in team.routes}
    late = {name for one in by_name for step in one.escalate for name in step.routes} - named
    everybody = [one for one in by_name if one.name not in late]
    return [(everybody, "warning" if isinstance(event, TargetsEvent) else "")]


def defaults(routes: Routes) -> list[Route]:
    """The routes that take what no other took, by name."""
    by_name = [routes.routes[name] for name in sorted(routes.routes)]
    said = [one for one in by_name if one.default]
    if said:
        return said
    named = {name for team in routes.teams.values() for name in team.routes}
    for route in by_name:
        named.update(route.fallback)
        named.update(name for step in route.escalate for name in step.routes)
    return [
        one
        for one in by_name
        if one.default is None and one.name not in named and not one.teams and not one.operators
    ]
