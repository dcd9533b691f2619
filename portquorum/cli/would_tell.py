"""Which routes would be told of an incident at a time, which would not, and why. Pure."""

from typing import Final

from msgspec import Struct

from schemas import hours
from schemas.incident import IncidentEvent
from schemas.policy import Route
from sinks.notifier.rounds import FoundBy
from sinks.notifier.routing import HOURS, URLS, Considered, Routes
from sinks.notifier.sparing.model import day_and_time
from sinks.notifier.sparing.quiet_hours import quiet

_FOUND: Final[dict[FoundBy, str]] = {
    "team": "its team names it",
    "teams": "its `teams` match",
    "default": "it takes what no route of the team does",
    "operators": "it is for operators",
    "everybody": "it takes what concerns everybody",
    "console": "no route takes it: it stands in the notifier's log",
}


class RouteConsidered(Struct, frozen=True, kw_only=True):
    """A route that is looked at for an incident, in the notifier's order.

    `found_by` says how the notifier comes to it: `team`, `teams`, `default` or `console`. `takes`:
    its channels are told. `why` has the reason in words.
    """

    route: str
    found_by: FoundBy
    takes: bool
    why: str
    channels: tuple[str, ...]


def considered(routes: Routes, event: IncidentEvent, now: int) -> tuple[RouteConsidered, ...]:
    """The routes that the notifier looks at for `event` at `now` (UTC ms)."""
    found: dict[str, RouteConsidered] = {}
    for one in routes.considered(event, now):
        # A default that its team names is looked at twice, with the same answer.
        found.setdefault(one.route.name, _explained(one, event, now))
    return tuple(found.values())


def _explained(one: Considered, event: IncidentEvent, now: int) -> RouteConsidered:
    takes = one.refusal is None
    return RouteConsidered(
        route=one.route.name,
        found_by=one.by,
        takes=takes,
        why="; ".join(_taken(one, event.severity, now)) if takes else _refused(one, event, now),
        channels=tuple(channel.name for channel in one.channels) if takes else (),
    )


def _taken(one: Considered, severity: str, now: int) -> list[str]:
    route = one.route
    words = [_FOUND[one.by]]
    end = hours.next_change(route.when, route.timezone, now)
    if end is not None:
        words.append(f"on until {_clock(end, route)}")
    if route.rotation is not None:
        person = hours.on_duty(route.rotation, route.timezone, now)
        until = _clock(hours.next_handover(route.rotation, route.timezone, now), route)
        words.append(f"{person.name} is on duty until {until}")
    held = quiet(route, severity, now)
    if held is not None:
        words.append(f"{held.why}, people are told at their end")
    if route.stop:
        words.append("no route after it is looked at")
    return words


def _refused(one: Considered, event: IncidentEvent, now: int) -> str:
    route = one.route
    if one.refusal == HOURS:
        begin = hours.next_change(route.when, route.timezone, now)
        return "its hours never come" if begin is None else f"off until {_clock(begin, route)}"
    if one.refusal == URLS:
        return "it has no channel"
    wanted = ", ".join(getattr(route, one.refusal or "", ()))
    has = {
        "severities": event.severity,
        "incident_types": event.incident_type,
        "criticalities": event.criticality,
        "kinds": event.kind,
        "teams": event.team or "none",
        "tags": ", ".join(event.tags) or "none",
        "targets": event.target,
        "regions": ", ".join(event.regions) or "none",
    }.get(one.refusal or "", "")
    return f"its {one.refusal} are {wanted}, and this has {has}"


def _clock(at: int, route: Route) -> str:
    """A time on the wall clock of the route's zone; with the day, since it may be far away."""
    return day_and_time(at, route.timezone)
