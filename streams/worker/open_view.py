"""What a partition of [incidents.open] holds, and where it differs from the state. Pure."""

from collections.abc import Iterator, Mapping

import msgspec
from aiokafka import ConsumerRecord
from msgspec import Struct

from schemas import incident
from schemas.incident import IncidentEvent
from streams.state.partition_state import PartitionState
from streams.worker.event_producer import OpenWrite, content_of


class OpenIncidentRef(Struct, frozen=True, gc=False):
    """An incident that the state has open: its target, and its opening (UTC ms of the log).

    `told_at` is the `at` of its last event, 0 if the state does not know it.
    """

    target: str
    opened_at: int
    told_at: int = 0


class HeldEvent(Struct, frozen=True, gc=False):
    """The last record of an incident.

    `at` is that of its event (UTC ms), -1 if the record is no event of an open incident with this
    id; `newest_at` is the latest of all records of the incident.
    """

    offset: int
    content: int
    at: int
    newest_at: int


class OpenView:
    """The newest record of each incident in one partition of [incidents.open].

    `removed` has the offsets of the last removals, for the owner to empty; `next_offset` is that
    after the last record.
    """

    def __init__(self) -> None:
        self.held: dict[bytes, HeldEvent] = {}
        self.removed: dict[bytes, int] = {}
        self.next_offset = 0

    def take(self, record: ConsumerRecord) -> None:
        """Takes the next record. One from before the last means that the topic was made anew."""
        if record.offset < self.next_offset:
            self.clear()
        self.next_offset = record.offset + 1
        key = record.key or b""
        if record.value is None:
            self.held.pop(key, None)
            self.removed[key] = record.offset
            return
        at = _at(record)
        before = self.held.get(key)
        newest_at = at if before is None else max(at, before.newest_at)
        content = content_of(record.value, record.headers)
        self.held[key] = HeldEvent(record.offset, content, at, newest_at)

    def clear(self) -> None:
        """Forgets everything: the topic begins anew."""
        self.held.clear()
        self.removed.clear()
        self.next_offset = 0


def _at(record: ConsumerRecord) -> int:
    """The `at` of the event of an open incident; -1 of a record that is none, or not by its key.

    Whoever may write to the topic may write anything, and after a compaction that is all there is.
    """
    try:
        event = incident.decode(record.value)
    except msgspec.DecodeError:
        return -1
    ours = (
        isinstance(event, IncidentEvent)
        and event.event != "closed"
        and event.incident_id.encode() == record.key
        and dict(record.headers).get("ce_id") == event.event_id.encode()
    )
    return event.at if ours else -1


class OpenDifferences(Struct, frozen=True):
    """Incidents that are held and not open (`closed`), and those whose newest event is not held."""

    closed: frozenset[bytes]
    behind: frozenset[bytes]

    def __bool__(self) -> bool:
        return bool(self.closed or self.behind)


def differences(
    view: OpenView,
    open_now: Mapping[bytes, OpenIncidentRef],
    writes: Mapping[bytes, OpenWrite],
) -> OpenDifferences:
    """Where the view differs from the open incidents of a state.

    The newest event of an incident is the one that we wrote last (`writes`), byte for byte; of one
    that we have not written about, it is the one of the time that the state knows; where it knows
    none (0.1), it is the latest that was ever held.
    """
    behind = []
    for key, ref in open_now.items():
        held, write = view.held.get(key), writes.get(key)
        if held is None or held.at < 0:
            behind.append(key)
        elif write is not None and write.content is not None:
            if held.content != write.content:
                behind.append(key)
        elif held.at != (ref.told_at or held.newest_at):
            behind.append(key)
    return OpenDifferences(frozenset(view.held.keys() - open_now.keys()), frozenset(behind))


def open_incidents(state: PartitionState) -> dict[bytes, OpenIncidentRef]:
    """The open incidents of a state, by their id as a key of [incidents.open]."""
    found = {
        one.incident_id.encode(): OpenIncidentRef(target_id, one.opened_at, one.told_at)
        for target_id in state.hot
        for one in state.targets[target_id].incidents
    }
    for job_id in state.job_index.troubled:
        job_incident = state.jobs[job_id].incident
        if job_incident is not None:
            found[job_incident.incident_id.encode()] = OpenIncidentRef(
                job_id, job_incident.opened_at, job_incident.told_at
            )
    return found


class NewestEvents:
    """The newest event of each of some incidents, found in the records of [incidents] in order.

    Events may be repeated on [incidents], an old one even after a newer one (by a worker that was
    stopped and wakes up): the newest is the one that came last for the first time.
    """

    def __init__(self, incidents: Mapping[bytes, OpenIncidentRef]) -> None:
        self._subjects = {ref.target.encode() for ref in incidents.values()}
        self._wanted = incidents.keys()
        self._seen: set[bytes] = set()
        self._newest: dict[bytes, tuple[bytes, ConsumerRecord]] = {}

    def may_concern(self, record: ConsumerRecord) -> bool:
        """True if the headers do not rule out that the record is about one of the incidents."""
        headers = dict(record.headers)
        return bool(record.value) and headers.get("ce_subject") in self._subjects

    def take(self, event: IncidentEvent, record: ConsumerRecord) -> None:
        """Takes an event and its record."""
        key, event_id = event.incident_id.encode(), event.event_id.encode()
        if key not in self._wanted or event_id in self._seen:
            return
        self._seen.add(event_id)
        self._newest[key] = event.event.encode(), record

    def still_open(self) -> Iterator[tuple[bytes, ConsumerRecord]]:
        """The incidents whose newest event is no closing, with the event's record."""
        for key, (kind, record) in self._newest.items():
            if kind != b"closed":
                yield key, record
