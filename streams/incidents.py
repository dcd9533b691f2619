"""Rule 6: when an incident opens, what is told of it, and when it closes."""

from typing import Final

from schemas.incident import (
    ClosedBecause,
    EventKind,
    IncidentEvent,
    IncidentType,
    RegionVerdict,
    Severity,
    Votes,
)
from schemas.result import REASON_TEXT, Reason
from streams import consensus, diagnosis, ids
from streams.columns import Window
from streams.consensus import Tally, majority
from streams.diagnosis import Diagnosis, Facts
from streams.freshness import is_fresh
from streams.ids import Deciding
from streams.neighbours import Neighbours, host_targets, look_around
from streams.state import PartitionState
from streams.target_state import OpenIncident, TargetState

TYPE: IncidentType = "unreachable"
SEVERITY: Severity = "critical"
_NEVER: Final = 2**62


def judge(
    state: PartitionState,
    entry: TargetState,
    deciding: Deciding,
    *,
    told: tuple[str, ...] = (),
    around: Neighbours | None = None,
) -> IncidentEvent | None:
    """Opens, updates or closes the incident of a target, or leaves all as it is.

    At most one event comes of one record. `told` are changes that the caller made; `around` is
    given when something of the host changed, so that the diagnosis is looked at again.
    """
    counted = consensus.tally(state, entry)
    event = None
    if entry.incident is None:
        if entry.held:
            entry.troubled().held = counted.is_down or not counted.known
        elif counted.is_down and _lasted(state, entry, counted):
            event = _open(state, entry, counted, deciding)
    else:
        abandoned = _abandoned(state, entry)
        if _recovered(state, entry, abandoned):
            event = close(state, entry, deciding, "recovered", abandoned)
        else:
            event = _update(state, entry, counted, deciding, told=told, around=around)
    state.note_heat(entry, _next_deadline(state, entry))
    return event


def close(
    state: PartitionState,
    entry: TargetState,
    deciding: Deciding,
    because: ClosedBecause,
    abandoned: tuple[str, ...] = (),
) -> IncidentEvent:
    """Closes the open incident of `entry`."""
    incident = _incident(entry)
    counted = consensus.tally(state, entry)
    seconds = max(0, state.now - incident.first_failed_at) // 1000
    event = _event(
        state,
        entry,
        "closed",
        deciding,
        votes=counted.votes,
        around=look_around(state, entry),
        summary=f"{entry.target.place} {_closing_words(because, abandoned)} "
        f"after {_duration(seconds)}.",
        closed_because=because,
        abandoned=abandoned,
    )
    entry.troubled().incident = None
    return event


def acknowledge(
    state: PartitionState, entry: TargetState, deciding: Deciding, by: str
) -> IncidentEvent | None:
    """Notes who has seen the open incident; None if that is known and nothing else changed."""
    incident = _incident(entry)
    told: tuple[str, ...] = ()
    if incident.acknowledged_by != by:
        incident.acknowledged_by = by
        told = (f"acknowledged by {by}",)
    return judge(state, entry, deciding, told=told)


def _lasted(state: PartitionState, entry: TargetState, counted: Tally) -> bool:
    hold = entry.policy.open_after_ms
    return not hold or state.running - _outage(state, entry, counted)[1] >= hold


def _outage(state: PartitionState, entry: TargetState, counted: Tally) -> tuple[int, int]:
    """When the outage began: effective time, and running time.

    It began when as many regions failed as are needed, and with the failures that came at most
    one interval before that; a region that had failed on its own for long is another story.
    """
    starts = sorted(
        (window.failing.since, window.failing.running_since)
        for window in state.windows(entry)
        if window is not None
        and window.down
        and window.failing is not None
        and is_fresh(window, state.running)
    )
    decided = starts[counted.need - 1][0]
    reach = entry.policy.interval_ms + entry.policy.timeout_ms
    return next(start for start in starts if start[0] >= decided - reach)


def _next_deadline(state: PartitionState, entry: TargetState) -> int:
    """The running time before which time alone changes nothing of `entry`."""
    running = state.running
    deadlines = []
    for window in state.windows(entry):
        if window is None:
            continue
        if is_fresh(window, running):
            deadlines.append(window.fresh_until + 1)
            if window.failing is not None and entry.incident is None:
                deadlines.append(window.failing.running_since + entry.policy.open_after_ms)
        elif window.down:
            deadlines.append(window.fresh_until + entry.policy.abandon_after_ms)
    return min((at for at in deadlines if at > running), default=_NEVER)


def _open(
    state: PartitionState, entry: TargetState, counted: Tally, deciding: Deciding
) -> IncidentEvent:
    entry.troubled().incident = OpenIncident(
        incident_id=ids.incident_id(entry.id, TYPE, deciding),
        opened_at=state.now,
        first_failed_at=_outage(state, entry, counted)[0],
        seen={},
        diagnosis="",
    )
    around = look_around(state, entry)
    known = diagnosis.gather(state, entry, around)
    found = diagnosis.diagnose(known)
    _remember(state, entry, found)
    return _event(
        state,
        entry,
        "opened",
        deciding,
        votes=counted.votes,
        around=around,
        summary=_summary(known, found, counted),
        found=found,
    )


def _update(
    state: PartitionState,
    entry: TargetState,
    counted: Tally,
    deciding: Deciding,
    *,
    told: tuple[str, ...],
    around: Neighbours | None,
) -> IncidentEvent | None:
    incident = _incident(entry)
    changes = (*told, *_changes(incident, _saying(state, entry)))
    if not changes and around is None:
        return None
    around = around or look_around(state, entry)
    known = diagnosis.gather(state, entry, around)
    found = None
    # While regions recover one by one, those that succeed say nothing of the cause.
    if known.failing and not incident.recovery_asked:
        found = diagnosis.diagnose(known)
        if found.likely != incident.diagnosis:
            changes = (*changes, f"it now looks like this: {found.sentence}")
    if not changes:
        return None
    _remember(state, entry, found)
    return _event(
        state,
        entry,
        "updated",
        deciding,
        votes=counted.votes,
        around=around,
        summary=_summary(known, found, counted) if found else _progress(known),
        found=found,
        changes=changes,
    )


def _recovered(state: PartitionState, entry: TargetState, abandoned: tuple[str, ...]) -> bool:
    fresh = 0
    for region, window in zip(entry.policy.regions, state.windows(entry), strict=True):
        if window is None or region in abandoned:
            continue
        if is_fresh(window, state.running):
            fresh += 1
            if window.down or window.successes < entry.policy.recover_after:
                return False
        elif window.down:
            return False
    return fresh >= majority(len(entry.policy.regions) - len(abandoned))


def _abandoned(state: PartitionState, entry: TargetState) -> tuple[str, ...]:
    """The regions that went stale with `down` as their last word, too long ago to wait for."""
    limit = entry.policy.abandon_after_ms
    return tuple(
        sorted(
            region
            for region, window in zip(entry.policy.regions, state.windows(entry), strict=True)
            if window is not None
            and window.down
            and not is_fresh(window, state.running)
            and state.running - window.fresh_until >= limit
        )
    )


def _saying(state: PartitionState, entry: TargetState) -> dict[str, tuple[str, Reason | None]]:
    return {
        region: (said.verdict, None if said.verdict == "up" else said.reason)
        for region, said in _regions(state, entry).items()
    }


def _regions(state: PartitionState, entry: TargetState) -> dict[str, RegionVerdict]:
    pairs: list[tuple[str, Window | None]] = sorted(
        zip(entry.policy.regions, state.windows(entry), strict=True), key=lambda pair: pair[0]
    )
    return {region: consensus.region_verdict(state, window) for region, window in pairs}


def _remember(state: PartitionState, entry: TargetState, found: Diagnosis | None) -> None:
    incident = _incident(entry)
    incident.seen = _saying(state, entry)
    if found is not None:
        incident.diagnosis = found.likely


def _changes(
    incident: OpenIncident, saying: dict[str, tuple[str, Reason | None]]
) -> tuple[str, ...]:
    changes = []
    for region, (verdict, reason) in saying.items():
        if incident.seen.get(region) == (verdict, reason):
            continue
        if verdict == "down":
            text = REASON_TEXT[reason] if reason else "failed"
            changes.append(f"{region}: {text}")
        elif verdict == "up":
            changes.append(f"{region}: succeeds")
        else:
            changes.append(f"{region}: no fresh result")
    gone = sorted(set(incident.seen) - set(saying))
    return (*changes, *(f"{region}: no longer checks this target" for region in gone))


def _event(
    state: PartitionState,
    entry: TargetState,
    kind: EventKind,
    deciding: Deciding,
    *,
    votes: Votes,
    around: Neighbours,
    summary: str,
    found: Diagnosis | None = None,
    changes: tuple[str, ...] = (),
    closed_because: ClosedBecause | None = None,
    abandoned: tuple[str, ...] = (),
) -> IncidentEvent:
    target, incident = entry.target, _incident(entry)
    return IncidentEvent(
        event_id=ids.event_id(incident.incident_id, kind, deciding),
        event=kind,
        incident_id=incident.incident_id,
        incident_type=TYPE,
        severity=SEVERITY,
        target=target.id,
        name=target.name,
        kind=target.kind,
        host=target.host,
        port=target.port,
        team=target.team,
        tags=target.tags,
        criticality=target.criticality,
        depends_on=target.depends_on,
        regions=_regions(state, entry),
        votes=votes,
        first_failed_at=incident.first_failed_at,
        opened_at=incident.opened_at,
        closed_at=None if closed_because is None else state.now,
        closed_because=closed_because,
        at=state.now,
        host_targets=host_targets(state, entry, around),
        summary=summary,
        first_steps=found.first_steps if found else (),
        runbook=target.runbook,
        changes=changes,
        abandoned_regions=abandoned,
        acknowledged_by=incident.acknowledged_by,
    )


def _summary(known: Facts, found: Diagnosis, counted: Tally) -> str:
    place = known.target.place
    texts = " / ".join(REASON_TEXT[reason] for reason in known.reasons)
    return (
        f"{place} is unreachable from {counted.down} of {counted.configured} regions ({texts}). "
        f"{found.sentence}"
    )


def _progress(known: Facts) -> str:
    """What is said while an incident is on its way to its end."""
    place = known.target.place
    if not known.failing:
        return f"{place} is still an incident: not every region has succeeded again."
    still = ", ".join(f"{region} ({REASON_TEXT[reason]})" for region, reason in known.failing)
    working = ", ".join(known.working) or "no region"
    return f"{place} is reachable again from {working}; not yet from {still}."


def _closing_words(because: ClosedBecause, abandoned: tuple[str, ...]) -> str:
    match because:
        case "recovered" if abandoned:
            return f"is reachable again ({', '.join(abandoned)} long silent and not waited for)"
        case "recovered":
            return "is reachable again from every region"
        case "resolved":
            return "was resolved by hand"
        case "target_removed":
            return "is no longer watched; its incident ends"
        case "target_changed":
            return "was given another place; its incident ends"


def _duration(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def _incident(entry: TargetState) -> OpenIncident:
    if entry.incident is None:
        raise ValueError(f"target {entry.id} has no open incident")
    return entry.incident
