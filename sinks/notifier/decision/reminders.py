"""When people are told again of an outage that nobody acknowledged. Pure."""

from sinks.notifier.decision.subjects import Listener, OpenSubject
from sinks.notifier.routing import Routes


def may_remind(subject: OpenSubject, listener: Listener) -> bool:
    """True if the channel was told of an outage that goes on, and nobody has acknowledged it."""
    if subject.phase != "down" or subject.acknowledged or not listener.told_at:
        return False
    return listener.told_phase == "down" and listener.told_episode == subject.episode


def reminder_at(subject: OpenSubject, listener: Listener, routes: Routes) -> int | None:
    """When a channel that was told is told again; None if it is not.

    On-call systems remind by themselves: this is for people.
    """
    if not may_remind(subject, listener):
        return None
    route = routes.routes.get(listener.channel.route)
    if route is None or not route.remind_every_ms:
        return None
    return listener.told_at + route.remind_every_ms
