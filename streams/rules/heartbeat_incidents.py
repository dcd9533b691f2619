"""Rules 6, 9 and 16: the incidents of jobs that report themselves."""

from msgspec import structs

from schemas.control import Acknowledged, Resolved
from schemas.duration import EVENT, duration_text
from schemas.incident import (
    ClosedBecause,
    EventKind,
    IncidentEvent,
    IncidentType,
    RegionVerdict,
    Votes,
)
from schemas.result import REASON_TEXT, RECEIVER
from schemas.target import Target
from streams import diagnosis
from streams.diagnosis import Diagnosis, Facts
from streams.rules import flapping, heartbeat_words, ids, incident_event, incident_words
from streams.rules.ids import Deciding
from streams.state.heartbeats import Down, JobState
from streams.state.partition_state import PartitionState
from streams.state.pauses import PauseTerms
from streams.state.target_state import OpenIncident, Resolution


def fall(
    state: PartitionState, job: JobState, down: Down, deciding: Deciding
) -> list[IncidentEvent]:
    """The job is down, for this reason: opens an incident, or tells of another reason."""
    before, job.down = job.down, down
    if before is not None and before.reason == down.reason:
        job.down = structs.replace(down, since=before.since)
    incident = job.incident
    if incident is None:
        return [_open(state, job, down.since, deciding)]
    if incident.incident_type == "flapping":
        if before is None:
            _turn(state, job, incident, down=True)
            incident.outage_at = down.since
        return []
    if before is not None and before.reason == down.reason:
        return []
    changes = (REASON_TEXT[down.reason],)
    return [_told(state, job, incident, "updated", deciding, changes=changes)]


def rise(state: PartitionState, job: JobState, deciding: Deciding) -> list[IncidentEvent]:
    """The job succeeded: closes the incident, unless it flaps."""
    before, job.down = job.down, None
    incident = job.incident
    if incident is None:
        return []
    if incident.incident_type == "flapping":
        if before is not None:
            _turn(state, job, incident, down=False)
            incident.recovered_at = state.now
        return []
    flapping.note(state, job.id)
    return [close(state, job, incident, deciding, "recovered")]


def follow_flapping(
    state: PartitionState, job: JobState, deciding: Deciding
) -> list[IncidentEvent]:
    """Ends an incident of the type `flapping` when the job was quiet for long enough."""
    incident = job.incident
    if incident is None or incident.incident_type != "flapping":
        return []
    quiet_ms = flapping.quiet_ms(state, job.id, down=incident.down)
    if state.running - incident.turned_at < quiet_ms:
        return []
    if not incident.down:
        return [close(state, job, incident, deciding, "recovered")]
    event = close(state, job, incident, deciding, "steady")
    return [event, _open(state, job, incident.outage_at, deciding)]


def by_hand(
    state: PartitionState, job: JobState, record: Acknowledged | Resolved, deciding: Deciding
) -> list[IncidentEvent]:
    """Acknowledges or resolves the incident that is open; it may be another one."""
    incident = job.incident
    if incident is None or incident.incident_id != record.incident_id:
        return []
    by, note = record.by, record.note or None
    if isinstance(record, Resolved):
        event = close(
            state, job, incident, deciding, "resolved", by_hand=Resolution(by, state.now, note)
        )
        job.down = None
        return [event]
    if incident.acknowledged_by == by and note in {None, incident.acknowledged_note}:
        return follow_flapping(state, job, deciding)
    incident.acknowledged_by, incident.acknowledged_note = by, note
    if events := follow_flapping(state, job, deciding):
        return events
    said = f": {note}" if note else ""
    changes = (f"acknowledged by {by}{said}",)
    return [_told(state, job, incident, "updated", deciding, changes=changes)]


def close(
    state: PartitionState,
    job: JobState,
    incident: OpenIncident,
    deciding: Deciding,
    because: ClosedBecause,
    *,
    by_hand: Resolution | None = None,
    paused: PauseTerms | None = None,
) -> IncidentEvent:
    """Closes the incident of a job; a flapping one drops its transitions."""
    target = job.target
    fast = flapping.quiet_ms(state, job.id, down=False) == flapping.QUIET_MS
    words = heartbeat_words.closing(because, incident.incident_type, fast=fast)
    if paused is not None:
        words = incident_words.paused(paused)
    lasted = duration_text(state.now - incident.first_failed_at, EVENT)
    event = _event(
        state,
        job,
        incident,
        "closed",
        deciding,
        target=target,
        summary=f"{target.name} {words} after {lasted}.",
        because=because,
        by_hand=by_hand,
    )
    job.incident = None
    if incident.incident_type == "flapping":
        state.transitions.pop(job.id, None)
    return event if paused is None else incident_event.of_pause(event, paused)


def verdict_of(job: JobState) -> RegionVerdict:
    """What the receivers say of a job, as an event carries it."""
    down = job.down
    if down is None:
        last = job.last
        if last is None:
            return RegionVerdict(verdict="pending")
        return RegionVerdict(verdict="up", since=last.at)
    return RegionVerdict(
        verdict="down",
        reason=down.reason,
        detail=heartbeat_words.detail(down),
        since=down.since,
    )


def _open(state: PartitionState, job: JobState, began_at: int, deciding: Deciding) -> IncidentEvent:
    flaps = flapping.exceeded_by_next(state, job.id)
    flapping.note(state, job.id)
    of: IncidentType = "flapping" if flaps else "unreachable"
    target = job.target
    incident = job.incident = OpenIncident(
        incident_id=ids.incident_id(job.id, of, deciding),
        incident_type=of,
        opened_at=state.now,
        first_failed_at=began_at,
        seen={},
        diagnosis="",
        turned_at=state.running,
        outage_at=began_at,
        severity=incident_event.severity_of(of, target.criticality),
    )
    return _told(state, job, incident, "opened", deciding)


def _turn(state: PartitionState, job: JobState, incident: OpenIncident, *, down: bool) -> None:
    incident.down, incident.turned_at = down, state.running
    flapping.note(state, job.id)


def _told(
    state: PartitionState,
    job: JobState,
    incident: OpenIncident,
    kind: EventKind,
    deciding: Deciding,
    *,
    changes: tuple[str, ...] = (),
) -> IncidentEvent:
    """An event that tells how the job is now; stores what it says in `incident`."""
    target, down = job.target, job.down
    if down is None:
        text = f"{target.name} fails and succeeds again and again; now it succeeds."
        return _event(
            state, job, incident, kind, deciding, target=target, summary=text, changes=changes
        )
    found = _diagnosis(state, target, down)
    incident.seen, incident.diagnosis = {RECEIVER: ("down", down.reason)}, found.likely
    return _event(
        state,
        job,
        incident,
        kind,
        deciding,
        target=target,
        summary=heartbeat_words.summary(job, target, down, found, incident.incident_type),
        found=found,
        changes=changes,
    )


def _diagnosis(state: PartitionState, target: Target, down: Down) -> Diagnosis:
    known = Facts(target=target, failing=((RECEIVER, down.reason),), at=state.now)
    return diagnosis.diagnose(known)


def _event(
    state: PartitionState,
    job: JobState,
    incident: OpenIncident,
    kind: EventKind,
    deciding: Deciding,
    *,
    target: Target,
    summary: str,
    found: Diagnosis | None = None,
    changes: tuple[str, ...] = (),
    because: ClosedBecause | None = None,
    by_hand: Resolution | None = None,
) -> IncidentEvent:
    return incident_event.build(
        state,
        incident,
        kind,
        deciding,
        target=target,
        regions={RECEIVER: verdict_of(job)},
        votes=Votes(down=int(job.down is not None), need=1, fresh=1, configured=1),
        summary=summary,
        found=found,
        changes=changes,
        closed_because=because,
        by_hand=by_hand,
    )
