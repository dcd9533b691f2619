"""When further routes are told of an outage that nobody acknowledges. Pure."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from schemas.policy import EscalationStep
from sinks.notifier.decision.subjects import OpenSubject
from sinks.notifier.routing import Routes

_LONGEST: Final = 250
"""A name of a route is cut so that the name of its step is one, too."""


class DueStep(Struct, frozen=True):
    """A step of a route's escalation that was not taken, and its time (UTC ms)."""

    route: str
    step: EscalationStep
    name: str
    at: int


def steps_ahead(subject: OpenSubject, routes: Routes) -> Iterator[DueStep]:
    """The steps that were not taken in this episode; none once it is closed or acknowledged.

    Its time counts from the first time that a channel of the route was due in this episode: who is
    spared is not due.
    """
    if subject.phase == "closed" or subject.acknowledged:
        return
    began: dict[str, int] = {}
    for one in subject.listeners.values():
        if one.opening_due_at:
            name = one.channel.route
            began[name] = min(began.get(name, one.opening_due_at), one.opening_due_at)
    for name, at in began.items():
        route = routes.routes.get(name)
        for number, step in enumerate(() if route is None else route.escalate, 1):
            taken = f"{name[:_LONGEST]}/{number}"
            if taken not in subject.escalated:
                yield DueStep(name, step, taken, at + step.after_ms)
