"""The times at which a subject changes by itself: limits after its end, fallback. Pure."""

from typing import Final

from schemas.duration import DAY_MS, HOUR_MS
from sinks.notifier.decision.subjects import Listener, OpenSubject
from sinks.notifier.decision.transitions import OPENINGS
from sinks.notifier.model import Action
from sinks.notifier.routing import Routes

CLOSING_MS: Final = DAY_MS
"""So long after the close it is tried to tell of it."""

MISSED_MS: Final = HOUR_MS
"""So long after the close it is tried to tell of an outage that nobody was told of."""

KEPT_MS: Final = DAY_MS
"""So long after the close a subject is kept: its events are known if they are read again."""

FALLBACK_AGAIN_MS: Final = 10_000
"""Interval at which a channel is looked at that was not tried in time."""


def limit(subject: OpenSubject, action: Action, held_until: int = 0) -> int | None:
    """When the notifier gives up an action (UTC ms); None while the subject is open.

    What was held until `held_until` is tried for as long from then on.
    """
    if subject.phase != "closed":
        return None
    since = max(subject.changed_at, held_until)
    return since + (MISSED_MS if action == "missed" else CLOSING_MS)


def kept_until(subject: OpenSubject) -> int | None:
    """When a subject that is over is forgotten; None: as long as a first fire drill is awaited."""
    return None if subject.awaits_first_drill else subject.changed_at + KEPT_MS


def held_until(listener: Listener) -> int:
    """When the news of a channel became due, or got room, if it was held; 0 if it was not."""
    return max(listener.due_at if listener.held_before else 0, listener.limited_until)


def fallback_at(listener: Listener, action: Action, routes: Routes) -> int | None:
    """When the fallback of the channel's route is told; None without a fallback, or never.

    Only the beginning of an outage goes to a fallback: who was not told of it needs no end.
    """
    if listener.fallback_asked or not listener.due_at:
        return None
    if action not in OPENINGS and action != "missed":
        return None
    route = routes.routes.get(listener.channel.route)
    if route is None or not route.fallback:
        return None
    return max(listener.due_at + route.fallback_after_ms, listener.fallback_not_before)
