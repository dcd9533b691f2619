"""The event of an incident: what it is made of, whatever the incident is about."""

from typing import Final

from msgspec import UNSET, structs

from schemas.incident import (
    ClosedBecause,
    EventKind,
    HostTarget,
    IncidentEvent,
    IncidentType,
    RegionVerdict,
    Severity,
    Votes,
)
from schemas.target import Criticality, Target
from streams.diagnosis import Diagnosis
from streams.rules import ids
from streams.rules.ids import Deciding
from streams.state.partition_state import PartitionState
from streams.state.pauses import PauseTerms
from streams.state.target_state import OpenIncident, Resolution

_OUTAGE: Final[dict[Criticality, Severity]] = {
    "critical": "critical",
    "important": "critical",
    "normal": "warning",
}
_SEVERITY: Final[dict[IncidentType, dict[Criticality, Severity]]] = {
    "unreachable": _OUTAGE,
    "flapping": _OUTAGE,
    "slow": {"critical": "critical", "important": "warning", "normal": "warning"},
    "expiring": {"critical": "warning", "important": "warning", "normal": "info"},
}

_FIRST_VERSIONS: Final[dict[IncidentType, Severity]] = {
    "unreachable": "critical",
    "flapping": "critical",
    "slow": "warning",
    "expiring": "warning",
}
"""The severities of incidents in checkpoints of 0.1, which has them by type alone."""


_AFTER_QUIET: Final[frozenset[ClosedBecause | None]] = frozenset({"recovered", "steady"})
"""The closings of a flapping incident that come long after its last recovery (rule 9)."""


def severity_of(incident_type: IncidentType, criticality: Criticality) -> Severity:
    """The severity of an incident that opens, by its type and the target's criticality (rule 6)."""
    return _SEVERITY[incident_type][criticality]


def build(
    state: PartitionState,
    incident: OpenIncident,
    kind: EventKind,
    deciding: Deciding,
    *,
    target: Target,
    regions: dict[str, RegionVerdict],
    votes: Votes,
    summary: str,
    host_targets: tuple[HostTarget, ...] = (),
    found: Diagnosis | None = None,
    changes: tuple[str, ...] = (),
    closed_because: ClosedBecause | None = None,
    abandoned: tuple[str, ...] = (),
    by_hand: Resolution | None = None,
) -> IncidentEvent:
    """The event that the deciding record causes; its `at` is stored in `incident`."""
    # Readers go by `at`: after the clock was set back an earlier one would be out of date for them,
    # and an end that came then would end nothing.
    incident.told_at = state.now if state.now >= incident.told_at else incident.told_at + 1
    return IncidentEvent(
        event_id=ids.event_id(incident.incident_id, kind, deciding),
        event=kind,
        incident_id=incident.incident_id,
        incident_type=incident.incident_type,
        severity=incident.severity or _FIRST_VERSIONS[incident.incident_type],
        target=target.id,
        name=target.name,
        kind=target.kind,
        host=target.host,
        port=target.port,
        team=target.team,
        tags=target.tags,
        criticality=target.criticality,
        depends_on=target.depends_on,
        regions=regions,
        votes=votes,
        first_failed_at=incident.first_failed_at,
        opened_at=incident.opened_at,
        closed_at=None if closed_because is None else state.now,
        closed_because=closed_because,
        at=incident.told_at,
        host_targets=host_targets,
        summary=summary,
        first_steps=found.first_steps if found else (),
        runbook=target.runbook,
        changes=changes,
        abandoned_regions=abandoned,
        acknowledged_by=incident.acknowledged_by,
        episode=incident.episode if incident.episode > 1 else UNSET,
        episode_began_at=incident.outage_at if incident.episode > 1 else UNSET,
        expires_at=incident.expires_at or UNSET,
        recovered_at=(closed_because in _AFTER_QUIET and incident.recovered_at) or UNSET,
        acknowledged_note=incident.acknowledged_note or UNSET,
        resolved_by=UNSET if by_hand is None else by_hand.by,
        resolved_note=UNSET if by_hand is None else by_hand.note or UNSET,
        target_version=target.version,
        expect="closed" if target.expect == "closed" else UNSET,
    )


def of_pause(event: IncidentEvent, paused: PauseTerms) -> IncidentEvent:
    """A closing event that tells of the pause which ends the incident."""
    return structs.replace(
        event,
        paused_by=paused.by,
        paused_until=UNSET if paused.until is None else paused.until,
        paused_note=paused.note or UNSET,
    )
