"""What comes by time alone: reminders, and the escalation to further routes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from schemas.incident import IncidentEvent
from schemas.policy import Route
from tests.unit.sinks.notifier.reference.subject import NOTHING, Actions, Member, Subject


def reminds_after(routes: Iterable[Route]) -> tuple[int, int]:
    """The shortest and the longest time until a reminder by these routes; 0: none."""
    every = [one.remind_every_ms for one in routes]
    if not any(every):
        return 0, 0
    return min(one for one in every if one), 0 if 0 in every else max(every)


def reminder(subject: Subject, member: Member, routes: Iterable[Route], now: int) -> Actions:
    """What a channel that knows what is true is told again: `reminder`, or nothing."""
    routes = list(routes)
    shortest, longest = reminds_after(routes)
    knows = member.told == subject.state() and not member.missed
    if not shortest or subject.phase != "down" or subject.acknowledged or not knows:
        return NOTHING
    # Who was told by a route that is gone listens by none: whether it is reminded is left open.
    gone = not any(one.name == member.route for one in routes)
    plain = isinstance(subject.event, IncidentEvent) and not subject.disturbed
    loose = gone or not plain or not member.told_at
    if longest and not loose and member.standing == "must" and now >= member.told_at + longest:
        return {"reminder"}, set()
    early = loose or now >= member.told_at + shortest
    return (set(), {"reminder"}) if early else NOTHING


@dataclass
class Due:
    """For each route of an episode: when the first of its channels was due, in bounds."""

    episode: tuple[int, int] = (0, 0)
    routes: dict[str, tuple[int, int | None]] = field(default_factory=dict)

    def note(self, subject: Subject, route: str, early: int, late: int | None) -> None:
        """A channel of this route may have something to be told, from `late` on it has."""
        self.renew(subject)
        known = self.routes.setdefault(route, (early, late))
        if known[1] is None:
            self.routes[route] = (known[0], late)

    def later(self, late: int) -> None:
        """Another notifier may know of it from then on only."""
        self.routes = {
            name: (early, None if before is None else max(before, late))
            for name, (early, before) in self.routes.items()
        }

    def renew(self, subject: Subject) -> None:
        """A new episode is escalated anew."""
        now = subject.outage, subject.episode
        if self.episode != now:
            self.episode, self.routes = now, {}

    def steps(
        self, subject: Subject, route_of: Callable[[str], Route | None], now: int
    ) -> list[tuple[str, tuple[str, ...], bool]]:
        """The route, its further routes, and whether they must be told by now."""
        self.renew(subject)
        found = []
        for name, (early, late) in self.routes.items():
            route = route_of(name)
            for step in () if route is None else route.escalate:
                if now >= early + step.after_ms:
                    due = late is not None and now >= late + step.after_ms
                    found.append((name, step.routes, due))
        return found

    def times(self, route_of: Callable[[str], Route | None]) -> list[int]:
        """When a step may begin, and when it must have."""
        return [
            at + step.after_ms
            for name, bounds in self.routes.items()
            for step in getattr(route_of(name), "escalate", ())
            for at in bounds
            if at is not None
        ]
