"""Outages whose end is told by the flapping that takes their place: one message. Pure."""

from typing import Final

from schemas.incident import IncidentEvent
from sinks.notifier.decision.subjects import Listener, OpenSubject
from sinks.notifier.sparing.model import Spared

WHY: Final = "flapping: told as flapping, not as an end"
WAIT_MS: Final = 2_000
"""Least wait of such an end: the incident that takes its place comes right after it."""


class FlappingEnds:
    """Incidents that ended in flapping, and the flapping ones, by target."""

    def __init__(self, subjects: dict[str, OpenSubject]) -> None:
        self._subjects = subjects
        self._ended: dict[str, dict[str, None]] = {}
        self._flapping: dict[str, str] = {}

    def note(self, subject: OpenSubject) -> list[str]:
        """Takes in a subject; returns those whose end may be told otherwise now."""
        event = subject.event
        if not isinstance(event, IncidentEvent):
            return []
        if event.incident_type == "flapping":
            before = self._incident(self._flapping.get(event.target, ""))
            if before is None or before.opened_at <= event.opened_at:
                self._flapping[event.target] = subject.key
            return list(self._ended.get(event.target, ()))
        if ends_in_flapping(subject) and not subject.kept:
            self._ended.setdefault(event.target, {})[subject.key] = None
        else:
            self._drop(event.target, subject.key)
        return []

    def forget(self, subject: OpenSubject) -> None:
        """The subject is no longer known."""
        event = subject.event
        if isinstance(event, IncidentEvent):
            self._drop(event.target, subject.key)
            if self._flapping.get(event.target) == subject.key:
                del self._flapping[event.target]

    def told_in_its_place(self, subject: OpenSubject, one: Listener) -> Spared | None:
        """The reason not to tell a channel of this end: it is, or will be, told of the flapping."""
        other = self._other(subject, one)
        if other is None:
            return None
        coming = bool(other.due_at or other.in_flight)  # not if something spares it from that
        return Spared("flapping", WHY) if coming or _knows(other) else None

    def knows(self, subject: OpenSubject, one: Listener) -> bool:
        """True if the channel confirmed that it flaps."""
        other = self._other(subject, one)
        return other is not None and _knows(other)

    def _other(self, subject: OpenSubject, one: Listener) -> Listener | None:
        """What the channel knows of the flapping that took the place of this outage."""
        event = subject.event
        if not isinstance(event, IncidentEvent) or not ends_in_flapping(subject):
            return None
        other = self._subjects.get(self._flapping.get(event.target, ""))
        if other is None or not isinstance(other.event, IncidentEvent):
            return None
        return other.listeners.get(one.id) if other.event.opened_at >= event.opened_at else None

    def _incident(self, key: str) -> IncidentEvent | None:
        subject = self._subjects.get(key)
        event = None if subject is None else subject.event
        return event if isinstance(event, IncidentEvent) else None

    def _drop(self, target: str, key: str) -> None:
        known = self._ended.get(target, {})
        known.pop(key, None)
        if not known:
            self._ended.pop(target, None)


def ends_in_flapping(subject: OpenSubject) -> bool:
    """True if it is over because an incident of its flapping took its place."""
    event = subject.event
    return (
        subject.phase == "closed"
        and isinstance(event, IncidentEvent)
        and event.closed_because == "flapping"
    )


def _knows(one: Listener) -> bool:
    return one.told_phase is not None
