"""The incidents that are open, and those that closed within 24 h."""

import zlib
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import UNSET, Struct, structs

from portquorum.web.answers import IncidentState
from schemas.duration import DAY_MS
from schemas.incident import Event, IncidentEvent, IncidentType, decode
from schemas.probe import JOB

MOST_CLOSED: Final = 10_000
"""Closed incidents in memory; older ones are in the history."""

MOST_OPEN: Final = 200_000
"""More than two an each of 100,000 targets: a forger must not fill the memory."""

SUMMARY_CHARS: Final = 1_000

_OUTAGES: Final[frozenset[IncidentType]] = frozenset({"unreachable", "flapping"})

STATE_OF: Final[dict[IncidentType, IncidentState]] = {
    "unreachable": "down",
    "flapping": "flapping",
    "slow": "slow",
    "expiring": "expiring",
}


class KeptIncident(Struct, frozen=True, gc=False):
    """The newest event of an incident.

    `event` is without what only the incident's own page shows; `packed` is the whole value.
    `is_improved`: most regions reach the target again, as `subscribers.md` tells it.
    """

    event: IncidentEvent
    packed: bytes
    is_improved: bool

    def whole(self) -> IncidentEvent:
        """The event with all its fields."""
        found = decode(zlib.decompress(self.packed))
        if not isinstance(found, IncidentEvent):
            raise TypeError("an event of an incident was kept, and is none")
        return found

    @property
    def is_open(self) -> bool:
        """False once it has closed."""
        return self.event.event != "closed"


class IncidentBook:
    """Keeps incidents by id: the newest event of each, from whichever topic it came first."""

    def __init__(self) -> None:
        self.open: dict[str, KeptIncident] = {}
        self.closed: dict[str, KeptIncident] = {}
        """In the order in which they closed, as far as that was seen."""
        self.resolved: dict[str, KeptIncident] = {}
        """By target the outage that somebody closed by hand while it went on: nobody has said since
        that the target answers (`forget_resolved`), and no other outage of it has opened."""
        self.version = 0
        self.unacknowledged = 0
        self._of_target: dict[str, set[str]] = {}

    def of_target(self, target: str) -> Iterator[KeptIncident]:
        """The open incidents of a target."""
        return (self.open[one] for one in self._of_target.get(target, ()))

    def open_targets(self) -> int:
        """How many targets have an open incident."""
        return len(self._of_target)

    def get(self, incident_id: str) -> KeptIncident | None:
        """An incident that is open, or closed and still in memory."""
        return self.open.get(incident_id) or self.closed.get(incident_id)

    def beginning(self, text: str) -> list[KeptIncident]:
        """Those whose id begins with `text`, in any case; closed ones only if no open one does."""
        begin = text.strip().lower()
        if not begin:
            return []
        for there in (self.open, self.closed):
            found = [kept for one, kept in there.items() if one.lower().startswith(begin)]
            if found:
                return found
        return []

    def apply(self, event: IncidentEvent, value: bytes) -> bool:
        """The newest event of an incident; True if it is news.

        Events of one incident come in order, but its topics do not: what is older than what is
        known, or speaks of a closed incident, is none.
        """
        known = self.get(event.incident_id)
        if known is not None and (
            not known.is_open or event.at < known.event.at or event.event_id == known.event.event_id
        ):
            return False
        if known is None and event.event != "closed" and len(self.open) >= MOST_OPEN:
            return False
        kept = KeptIncident(slim(event), zlib.compress(value, 1), _is_improved(event, known))
        self._forget_open(event.incident_id)
        if kept.is_open:
            self.open[event.incident_id] = kept
            self._of_target.setdefault(event.target, set()).add(event.incident_id)
            self.unacknowledged += event.acknowledged_by is None
        else:
            self.closed[event.incident_id] = kept
            if len(self.closed) > MOST_CLOSED:
                del self.closed[next(iter(self.closed))]
        self._note_resolved(kept, known)
        self.version += 1
        return True

    def forget_resolved(self, target: str) -> None:
        """An outage that was closed by hand is over, or nobody looks for its end."""
        self.version += self.resolved.pop(target, None) is not None

    def remove(self, incident_id: str) -> KeptIncident | None:
        """Takes out an open incident without a closing event: the stream repaired its topic."""
        found = self._forget_open(incident_id)
        if found is not None:
            self.version += 1
        return found

    def forget_old(self, now: int) -> bool:
        """Forgets what closed more than 24 h before `now`; True if there was some."""
        old = [
            one
            for one, kept in self.closed.items()
            if (kept.event.closed_at or kept.event.at) < now - DAY_MS
        ]
        for one in old:
            del self.closed[one]
        self.version += bool(old)
        return bool(old)

    def _note_resolved(self, kept: KeptIncident, known: KeptIncident | None) -> None:
        """A word by hand makes no port answer: the outage goes on, as in the view `outages`."""
        event = kept.event
        if event.incident_type not in _OUTAGES:
            return
        if kept.is_open:
            self.resolved.pop(event.target, None)
        elif event.closed_because == "resolved" and _goes_on(event, known):
            self.resolved[event.target] = kept
            if len(self.resolved) > MOST_CLOSED:
                del self.resolved[next(iter(self.resolved))]

    def _forget_open(self, incident_id: str) -> KeptIncident | None:
        found = self.open.pop(incident_id, None)
        if found is None:
            return None
        event = found.event
        self.unacknowledged -= event.acknowledged_by is None
        ids = self._of_target[event.target]
        ids.discard(incident_id)
        if not ids:
            del self._of_target[event.target]
        return found


def read_event(value: bytes) -> Event | None:
    """The event of a value; None if it can't be read, or contradicts itself."""
    try:
        return decode(value)
    except msgspec.DecodeError:
        return None


def slim(event: IncidentEvent) -> IncidentEvent:
    """An event without the other ports of its host, first steps and changes."""
    return structs.replace(
        event,
        host_targets=(),
        first_steps=(),
        changes=(),
        runbook=None,
        summary=event.summary[:SUMMARY_CHARS],
        regions={
            name: structs.replace(one, detail=None) if one.detail else one
            for name, one in event.regions.items()
        },
    )


def text(value: object) -> str | None:
    """A text that may be absent."""
    return None if value is UNSET or value is None else str(value)


def _goes_on(closing: IncidentEvent, known: KeptIncident | None) -> bool:
    """True if consensus had not denied the outage when it was closed by hand.

    That of a job is over: each run is another one.
    """
    if closing.kind == JOB:
        return False
    if known is None:
        return closing.votes.down >= closing.votes.need
    return not known.is_improved


def _is_improved(event: IncidentEvent, known: KeptIncident | None) -> bool:
    match event.event:
        case "improved":
            return True
        case "updated" if known is not None:
            return known.is_improved
        case "updated":
            return event.incident_type == "unreachable" and event.votes.down < event.votes.need
        case _:
            return False
