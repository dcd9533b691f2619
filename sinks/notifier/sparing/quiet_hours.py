"""Quiet hours of a route: people are told at their end. Pure."""

from schemas.hours import is_on, next_change
from schemas.policy import Route
from sinks.notifier.sparing.model import Spared, clock_time


def quiet(route: Route | None, severity: str, now: int) -> Spared | None:
    """The quiet hours of a route, if they are on at `now` (UTC ms) for news of this severity."""
    if route is None or route.quiet is None or severity in route.quiet.unless:
        return None
    hours, zone = route.quiet.hours, route.timezone
    if not hours or not is_on(hours, zone, now):
        return None
    until = next_change(hours, zone, now)
    if until is None:
        return Spared("quiet", "quiet hours at all times")
    return Spared("quiet", f"quiet hours until {clock_time(until, zone)}", until)
