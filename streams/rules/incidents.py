"""Rules 6, 7, 9 and 12: the opening and closing of incidents."""

from collections.abc import Collection, Mapping
from typing import Final

from schemas.control import Acknowledged, Resolved
from schemas.incident import ClosedBecause, IncidentEvent, IncidentType
from streams.rules import (
    consensus,
    episode,
    expiring,
    flapping,
    ids,
    incident_event,
    incident_events,
)
from streams.rules.consensus import Tally
from streams.rules.ids import Deciding
from streams.state import latency_levels
from streams.state.partition_state import PartitionState
from streams.state.pauses import PauseTerms
from streams.state.target_state import OpenIncident, Resolution, TargetState

_NEVER: Final = 2**62


def judge(
    state: PartitionState,
    entry: TargetState,
    deciding: Deciding,
    *,
    counted: Tally | None = None,
    told: dict[str, tuple[str, ...]] | None = None,
    news: bool = False,
) -> list[IncidentEvent]:
    """Opens, updates or closes the incidents of a target, or leaves them unchanged.

    One record gives at most one event for each incident. `counted` are the votes of the regions if
    the caller has them, `told` are the caller's own changes, by incident id; with `news` of the
    host the diagnosis is repeated.
    """
    if entry.trouble is None:
        return []
    counted = counted or consensus.tally(state, entry)
    told = told or {}
    events = [
        *_judge_outage(state, entry, counted, deciding, told),
        *_judge_slowness(state, entry, counted, deciding),
        *_judge_certificate(state, entry, counted, deciding),
    ]
    spoken: Collection[str] = {event.incident_id for event in events} if events else ()
    for incident in entry.incidents:
        if incident.incident_id not in spoken:
            event = incident_events.updated(
                state,
                entry,
                incident,
                counted,
                deciding,
                told=told.get(incident.incident_id, ()),
                news=news,
            )
            events += [event] if event else []
    state.note_heat(entry, _next_deadline(state, entry))
    return events


def look_again(
    state: PartitionState, entry: TargetState, deciding: Deciding
) -> list[IncidentEvent]:
    """Repeats the diagnosis after news of the host, when nothing else is due."""
    counted = consensus.tally(state, entry)
    events = (
        incident_events.updated(state, entry, incident, counted, deciding, news=True)
        for incident in entry.incidents
    )
    return [event for event in events if event is not None]


def close(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    deciding: Deciding,
    because: ClosedBecause,
    *,
    abandoned: tuple[str, ...] = (),
    by_hand: Resolution | None = None,
    paused: PauseTerms | None = None,
) -> IncidentEvent:
    """Closes an open incident of `entry`; a flapping one drops its transitions."""
    event = incident_events.closed(
        state,
        entry,
        incident,
        deciding,
        because,
        abandoned=abandoned,
        by_hand=by_hand,
        paused=paused,
    )
    trouble = entry.troubled()
    match incident.incident_type:
        case "slow":
            trouble.slow_incident = None
        case "expiring":
            trouble.expiring_incident = None
        case _:
            trouble.incident = None
    if incident.incident_type == "flapping":
        state.transitions.pop(entry.id, None)
    return event


def resolve(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    deciding: Deciding,
    record: Resolved,
) -> list[IncidentEvent]:
    """Closes an incident by hand: the next one opens only after consensus has denied it once.

    If consensus denies it at this moment, that is enough. After a resolved slow incident, the
    present latency is the usual one in every region.
    """
    by_hand = Resolution(record.by, state.now, record.note or None)
    event = close(state, entry, incident, deciding, "resolved", by_hand=by_hand)
    counted, trouble = consensus.tally(state, entry), entry.troubled()
    if incident.incident_type == "slow":
        trouble.slow_held = counted.is_slow or not counted.known
        trouble.slow_held_by = by_hand if trouble.slow_held else None
        for at in range(entry.slot, entry.slot + len(entry.policy.regions)):
            latency_levels.accept(state.columns, at)
    elif incident.incident_type == "expiring":
        trouble.expiring_held = True
        trouble.expiring_held_by = by_hand
    else:
        trouble.held = not consensus.denies(state, entry, counted)
        trouble.held_by = by_hand if trouble.held else None
    state.note_heat(entry, 0)
    return [event]


def acknowledge(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    deciding: Deciding,
    record: Acknowledged,
) -> list[IncidentEvent]:
    """Records who has acknowledged an incident, with the note; no event if nothing changes.

    Another person's acknowledgement replaces person and note. The same person's replaces the note
    if it has one.
    """
    told: dict[str, tuple[str, ...]] = {}
    by, note = record.by, record.note or None
    if incident.acknowledged_by != by or note not in {None, incident.acknowledged_note}:
        incident.acknowledged_by, incident.acknowledged_note = by, note
        said = f": {note}" if note else ""
        told[incident.incident_id] = (f"acknowledged by {by}{said}",)
    return judge(state, entry, deciding, told=told)


def _judge_outage(
    state: PartitionState,
    entry: TargetState,
    counted: Tally,
    deciding: Deciding,
    told: Mapping[str, tuple[str, ...]],
) -> list[IncidentEvent]:
    incident = entry.incident
    if incident is not None:
        return _follow_outage(state, entry, incident, counted, deciding, told=told)
    if entry.held:
        trouble = entry.troubled()
        trouble.held = not consensus.denies(state, entry, counted)
        if not trouble.held:
            trouble.held_by = None
    elif counted.is_down and _lasted(state, entry, counted):
        return [_open_outage(state, entry, counted, deciding)]
    return []


def _follow_outage(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    counted: Tally,
    deciding: Deciding,
    *,
    told: Mapping[str, tuple[str, ...]],
) -> list[IncidentEvent]:
    abandoned = episode.abandoned(state, entry)
    if len(abandoned) == len(entry.policy.regions):
        return [close(state, entry, incident, deciding, "abandoned", abandoned=abandoned)]
    if incident.incident_type == "flapping":
        return _judge_flapping(state, entry, incident, counted, deciding, abandoned=abandoned)
    if episode.over(state, entry, abandoned, "down"):
        if incident.down:
            flapping.note(state, entry.id)
        return [close(state, entry, incident, deciding, "recovered", abandoned=abandoned)]
    if incident.down and episode.improved(state, entry, counted, abandoned):
        _turn(state, entry, incident, down=False)
        changes = told.get(incident.incident_id, ())
        return [incident_events.improved(state, entry, incident, counted, deciding, told=changes)]
    if not incident.down and counted.is_down and _lasted(state, entry, counted):
        return _worsen(state, entry, incident, counted, deciding)
    return []


def _worsen(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    counted: Tally,
    deciding: Deciding,
) -> list[IncidentEvent]:
    """Begins the next episode of an open incident, or flapping in its place."""
    if flapping.exceeded_by_next(state, entry.id):
        event = close(state, entry, incident, deciding, "flapping")
        return [event, _open_outage(state, entry, counted, deciding)]
    _turn(state, entry, incident, down=True)
    incident.outage_at = episode.began(state, entry, counted, "down")[0]
    incident.episode += 1
    incident.acknowledged_by = incident.acknowledged_note = None
    return [incident_events.worsened(state, entry, incident, counted, deciding)]


def _open_outage(
    state: PartitionState, entry: TargetState, counted: Tally, deciding: Deciding
) -> IncidentEvent:
    began_at, _ = episode.began(state, entry, counted, "down")
    flaps = flapping.exceeded_by_next(state, entry.id)
    flapping.note(state, entry.id)
    incident = _new(state, entry, "flapping" if flaps else "unreachable", began_at, deciding)
    entry.troubled().incident = incident
    return incident_events.opened(state, entry, incident, counted, deciding)


def _judge_flapping(
    state: PartitionState,
    entry: TargetState,
    incident: OpenIncident,
    counted: Tally,
    deciding: Deciding,
    *,
    abandoned: tuple[str, ...],
) -> list[IncidentEvent]:
    if incident.down and (
        episode.improved(state, entry, counted, abandoned)
        or episode.over(state, entry, abandoned, "down")
    ):
        _turn(state, entry, incident, down=False)
    elif not incident.down and counted.is_down and _lasted(state, entry, counted):
        _turn(state, entry, incident, down=True)
        incident.outage_at = episode.began(state, entry, counted, "down")[0]
    quiet_ms = flapping.quiet_ms(state, entry.id, down=incident.down)
    if state.running - incident.turned_at < quiet_ms:
        return []
    if incident.down and counted.is_down:
        event = close(state, entry, incident, deciding, "steady")
        flapping.note(state, entry.id)
        successor = _new(state, entry, "unreachable", incident.outage_at, deciding)
        entry.troubled().incident = successor
        return [event, incident_events.opened(state, entry, successor, counted, deciding)]
    if not incident.down and episode.heard(state, entry, abandoned):
        return [close(state, entry, incident, deciding, "recovered", abandoned=abandoned)]
    return []


def _turn(state: PartitionState, entry: TargetState, incident: OpenIncident, *, down: bool) -> None:
    """Records a transition within an open incident."""
    incident.down, incident.turned_at = down, state.running
    if not down and incident.incident_type == "flapping":
        incident.recovered_at = state.now
    flapping.note(state, entry.id)


def _judge_slowness(
    state: PartitionState, entry: TargetState, counted: Tally, deciding: Deciding
) -> list[IncidentEvent]:
    trouble = entry.troubled()
    incident = trouble.slow_incident
    if incident is None:
        if trouble.slow_held:
            trouble.slow_held = not counted.denies_slow
            if not trouble.slow_held:
                trouble.slow_held_by = None
        elif counted.is_slow:
            began_at, _ = episode.began(state, entry, counted, "slow")
            incident = trouble.slow_incident = _new(state, entry, "slow", began_at, deciding)
            return [incident_events.opened(state, entry, incident, counted, deciding)]
        return []
    if entry.policy.latency is None:
        return [close(state, entry, incident, deciding, "policy_changed")]
    abandoned = episode.abandoned(state, entry)
    if len(abandoned) == len(entry.policy.regions):
        return [close(state, entry, incident, deciding, "abandoned", abandoned=abandoned)]
    if episode.over(state, entry, abandoned, "slow"):
        return [close(state, entry, incident, deciding, "recovered", abandoned=abandoned)]
    return []


def _judge_certificate(
    state: PartitionState, entry: TargetState, counted: Tally, deciding: Deciding
) -> list[IncidentEvent]:
    trouble = entry.troubled()
    incident = trouble.expiring_incident
    if incident is None:
        if trouble.expiring_held:
            trouble.expiring_held = not expiring.clean(state, entry)
            if not trouble.expiring_held:
                trouble.expiring_held_by = None
        elif expiring.opens(state, entry, counted):
            began_at = min(row.since for row in expiring.seen(state, entry).values())
            incident = _new(state, entry, "expiring", began_at, deciding)
            trouble.expiring_incident = incident
            return [incident_events.opened(state, entry, incident, counted, deciding)]
        return []
    abandoned = episode.abandoned(state, entry)
    if len(abandoned) == len(entry.policy.regions):
        return [close(state, entry, incident, deciding, "abandoned", abandoned=abandoned)]
    if expiring.over(state, entry, abandoned):
        return [close(state, entry, incident, deciding, "recovered", abandoned=abandoned)]
    return []


def _new(
    state: PartitionState,
    entry: TargetState,
    incident_type: IncidentType,
    began_at: int,
    deciding: Deciding,
) -> OpenIncident:
    return OpenIncident(
        incident_id=ids.incident_id(entry.id, incident_type, deciding),
        incident_type=incident_type,
        opened_at=state.now,
        first_failed_at=began_at,
        seen={},
        diagnosis="",
        turned_at=state.running,
        outage_at=began_at,
        severity=incident_event.severity_of(incident_type, entry.target.criticality),
    )


def _lasted(state: PartitionState, entry: TargetState, counted: Tally) -> bool:
    hold = entry.policy.open_after_ms
    return not hold or state.running - episode.began(state, entry, counted, "down")[1] >= hold


def _next_deadline(state: PartitionState, entry: TargetState) -> int:
    """The running time before which time alone changes nothing for `entry`."""
    running, policy = state.running, entry.policy
    deadlines = []
    incident = entry.incident
    if incident is not None and incident.incident_type == "flapping":
        quiet_ms = flapping.quiet_ms(state, entry.id, down=incident.down)
        deadlines.append(incident.turned_at + quiet_ms)
    trouble, columns, slot = entry.troubled(), state.columns, entry.slot
    waits = bool(entry.incidents)
    end = slot + len(policy.regions)
    for position, fresh_until in enumerate(columns.fresh_until[slot:end]):
        if running <= fresh_until:
            deadlines.append(fresh_until + 1)
            row = trouble.failing.get(position)
            if row is not None and policy.open_after_ms:
                deadlines.append(row.running_since + policy.open_after_ms)
        if waits:
            deadlines.append(fresh_until + max(1, policy.abandon_after_ms))
    return min([at for at in deadlines if at > running], default=_NEVER)
