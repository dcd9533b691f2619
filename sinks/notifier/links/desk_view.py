"""What links ask the notifier: the incidents that are open, and the silences. Pure."""

from collections.abc import Mapping
from typing import Protocol

import msgspec
from msgspec import Struct

from schemas import notifier_state
from schemas.incident import IncidentEvent
from schemas.notifier_state import SILENCES_KEY, SilencesInForce, Subject, subject_key
from schemas.policy import Policy, Silence
from sinks.notifier.channels.classes import scheme_of
from sinks.notifier.decision.stored_events import decode_stored
from sinks.notifier.decision.subjects import INCIDENT


class KnownIncident(Struct, frozen=True):
    """An incident in the notifier's state, and its newest event."""

    subject: Subject
    event: IncidentEvent

    @property
    def open(self) -> bool:
        """False if it is over, and kept only to tell of its end."""
        return self.subject.phase != "closed"


class LinkMemory(Protocol):
    """A notifier's memory, of the active one or of one that stands by."""

    @property
    def values(self) -> Mapping[bytes, bytes]:
        """The newest valid values of [notifier-state]."""

    @property
    def policy(self) -> Mapping[bytes, Policy]:
        """The entries of [policy]."""


def incident(known: LinkMemory, incident_id: str) -> KnownIncident | None:
    """The incident, if the state has it."""
    raw = known.values.get(subject_key(f"{INCIDENT}{incident_id}"))
    return None if raw is None else decoded(raw)


def incident_of_key(known: LinkMemory, key: str, scheme: str) -> KnownIncident | None:
    """The incident whose alert has the key `key` in an on-call system of this scheme."""
    mark = key.encode("utf-8", "replace")
    for raw in list(known.values.values()):
        if mark not in raw:
            continue
        found = decoded(raw)
        if found is not None and any(
            one.open_key == key and scheme_of(one.url) == scheme for one in found.subject.audience
        ):
            return found
    return None


def decoded(raw: bytes) -> KnownIncident | None:
    """The incident of a value of the state; None if it is another value, or unreadable."""
    try:
        subject = notifier_state.decode(raw)
        if not isinstance(subject, Subject) or not subject.key.startswith(INCIDENT):
            return None
        event = decode_stored(bytes(subject.event))
    except msgspec.DecodeError:
        return None
    return KnownIncident(subject, event) if isinstance(event, IncidentEvent) else None


def silence_of(known: LinkMemory, target: str, now: int) -> Silence | None:
    """The last-ending silence of this very target that is on at `now` (UTC ms)."""
    found = [
        one
        for one in list(known.policy.values())
        if isinstance(one, Silence)
        and one.targets == (target,)
        and one.begins_at <= now < one.ends_at
    ]
    return max(found, key=lambda one: one.ends_at, default=None)


def heeds(known: LinkMemory, silence: Silence) -> bool:
    """True if the active notifier says that it heeds this silence."""
    raw = known.values.get(SILENCES_KEY)
    try:
        found = None if raw is None else notifier_state.decode(raw)
    except msgspec.DecodeError:
        return False
    return isinstance(found, SilencesInForce) and found.silences.get(silence.name) == (
        silence.ends_at
    )
