"""Explains a target from the state, as the rules see it."""

from collections.abc import Sequence
from typing import Final

from schemas.duration import COARSE, duration_text
from schemas.incident import IncidentType
from streams import diagnosis
from streams.diagnosis.words import names
from streams.explain import heartbeats, outlook, pauses, reasons, regions
from streams.explain.format import time_of_day
from streams.explain.model import (
    ExplainedStatus,
    Explanation,
    FlappingExplained,
    IncidentExplained,
    RecheckExplained,
    RegionExplained,
    ResolvedExplained,
    VotesExplained,
)
from streams.rules import (
    consensus,
    diagnosis_facts,
    episode,
    expiring,
    flapping,
    unwatched,
)
from streams.rules.consensus import Tally, majority
from streams.rules.episode import Sort
from streams.rules.host_status import host_targets, look_around
from streams.rules.incident_events import involved
from streams.state.host_view import Neighbours
from streams.state.partition_state import PartitionState
from streams.state.target_state import OpenIncident, Resolution, TargetState

_NO_INCIDENT: Final[dict[ExplainedStatus, str]] = {
    "pending": "No incident: no region has reported a result that counts yet.",
    "unknown": "No incident, and none can open: too few regions have a fresh result.",
    "up": "No incident: it is up.",
}
_CLOSED: Final = "No incident: it is closed, as it must be."


def explain(state: PartitionState, target_id: str) -> Explanation | None:
    """Why the target has an incident or has none; None when the state does not know the target."""
    if target_id in state.paused:
        return pauses.explained(state, state.paused[target_id])
    if target_id in state.jobs:
        return heartbeats.explained(state, state.jobs[target_id])
    entry = state.targets.get(target_id)
    if entry is None:
        return None
    counted = consensus.tally(state, entry)
    votes = _votes(counted)
    seen = regions.explained(state, entry)
    around = look_around(state, entry)
    return Explanation(
        target=entry.target,
        partition=state.partition,
        offset=state.offset,
        at=state.now,
        status=_status(state, entry, seen, counted),
        headline=_headline(state, entry, seen, counted),
        because=reasons.because(state, entry, seen, counted),
        would_change=_would_change(state, entry, seen, counted),
        votes=votes,
        regions=seen,
        incidents=tuple(_incident(state, entry, one, around) for one in entry.incidents),
        resolved=_resolved(entry),
        flapping=FlappingExplained(
            transitions=flapping.count(state, entry.id),
            limit=flapping.LIMIT,
            slow_transitions=flapping.count_slow(state, entry.id),
            slow_limit=flapping.SLOW_LIMIT,
        ),
        recheck=_recheck(state, entry),
        host_targets=host_targets(state, entry, around),
    )


def _votes(counted: Tally) -> VotesExplained:
    return VotesExplained(
        down=counted.down,
        failing=counted.failing,
        slow=counted.slow,
        need=counted.need,
        fresh=counted.fresh,
        majority=majority(counted.configured),
        configured=counted.configured,
    )


def _status(
    state: PartitionState,
    entry: TargetState,
    seen: tuple[RegionExplained, ...],
    counted: Tally,
) -> ExplainedStatus:
    """The status by confirmed verdicts, unlike the status that neighbours see."""
    if unwatched.is_unwatched(state, entry):
        return "unwatched"
    if all(one.last_word is None for one in seen):
        return "pending"
    if not counted.known:
        return "unknown"
    if counted.is_down:
        return "down"
    return "slow" if counted.is_slow else "up"


def _headline(
    state: PartitionState,
    entry: TargetState,
    seen: tuple[RegionExplained, ...],
    counted: Tally,
) -> str:
    if entry.incidents:
        kinds = names(
            f"{_type_words(entry, one.incident_type)} since {time_of_day(one.opened_at)} "
            f"({duration_text(state.now - one.opened_at, COARSE)})"
            for one in entry.incidents
        )
        return f"An incident is open: {kinds}."
    status = _status(state, entry, seen, counted)
    if status == "unwatched":
        since = state.log_at(unwatched.seen_until(state, entry))
        return (
            "No incident, and none can open: unwatched, too few regions have had a fresh result "
            f"since {time_of_day(since)} ({duration_text(state.now - since, COARSE)})."
        )
    if status in {"down", "slow"}:
        return f"No incident, though {_why_none(state, entry, status)}."
    if status == "up" and counted.failing:
        state_of_it = "open" if entry.policy.closed else "down"
        return f"No incident: too few regions say that it is {state_of_it}."
    return _CLOSED if status == "up" and entry.policy.closed else _NO_INCIDENT[status]


def _type_words(entry: TargetState, incident_type: IncidentType) -> str:
    """What the incident is called: of a port that must be closed nobody says `unreachable`."""
    if entry.policy.closed and incident_type == "unreachable":
        return "the port is open"
    return incident_type


def _why_none(state: PartitionState, entry: TargetState, status: ExplainedStatus) -> str:
    if status == "slow":
        return f"the regions agree that it is slow: {_by_hand(state, entry, 'slow')}"
    closed = entry.policy.closed
    if entry.held:
        still = "still open" if closed else "still not reachable"
        return f"it is {still}: {_by_hand(state, entry, 'down')}"
    return f"the regions agree that it is {'open' if closed else 'down'}: open_after runs"


def _by_hand(state: PartitionState, entry: TargetState, sort: Sort) -> str:
    """Who resolved the incident whose cause goes on, when, and the note."""
    trouble = entry.trouble
    found = None
    if trouble is not None:
        found = trouble.held_by if sort == "down" else trouble.slow_held_by
    if found is None:
        return "resolved by hand"
    ago = duration_text(max(0, state.now - found.at), COARSE)
    note = f", who wrote: {found.note}" if found.note else ""
    who = f" by {found.by}" if found.by else ""
    return f"resolved by hand{who} at {time_of_day(found.at)} ({ago} ago){note}"


def _resolved(entry: TargetState) -> tuple[ResolvedExplained, ...]:
    trouble = entry.trouble
    if trouble is None:
        return ()
    every: tuple[tuple[IncidentType, bool, Resolution | None], ...] = (
        ("unreachable", trouble.held, trouble.held_by),
        ("slow", trouble.slow_held, trouble.slow_held_by),
        ("expiring", trouble.expiring_held, trouble.expiring_held_by),
    )
    return tuple(
        ResolvedExplained(
            incident_type=incident_type,
            by=None if found is None else found.by,
            at=None if found is None else found.at,
            note=None if found is None else found.note,
        )
        for incident_type, held, found in every
        if held
    )


def _would_change(
    state: PartitionState,
    entry: TargetState,
    seen: tuple[RegionExplained, ...],
    counted: Tally,
) -> tuple[str, ...]:
    votes = _votes(counted)
    told: list[str] = []
    incident, closed = entry.incident, entry.policy.closed
    if not counted.known:
        told.append(outlook.unheard(seen, votes, is_open=incident is not None))
    if incident is not None and incident.incident_type == "flapping":
        quiet_ms = flapping.quiet_ms(state, entry.id, down=incident.down)
        quiet_at = regions.log_time(state, incident.turned_at + quiet_ms)
        down, up = ("open", "closed") if closed else ("down", "up")
        told.append(
            f"The flapping ends when it stays {down if incident.down else up} until "
            f"{time_of_day(quiet_at)} ({duration_text(quiet_at - state.now, COARSE)} from now)."
        )
    elif incident is not None:
        told.append(outlook.closing(seen, votes, "down", state.now, closed=closed))
        if not incident.down:
            told.append(outlook.worsening(incident.episode + 1, closed=closed))
    elif entry.held:
        told.append(outlook.resolved("down", closed=closed))
    elif counted.is_down:
        began = episode.began(state, entry, counted, "down")[1]
        opens_at = regions.log_time(state, began + entry.policy.open_after_ms)
        told.append(outlook.held_back(opens_at, state.now))
    elif counted.known:
        need_heard = _need_heard(entry, seen, votes)
        told += outlook.opening(seen, votes, need_heard=need_heard, closed=closed)
    return (
        *told,
        *_slow_would_change(state, entry, seen, counted),
        *_certificate_would_change(entry),
    )


def _need_heard(entry: TargetState, seen: Sequence[RegionExplained], votes: VotesExplained) -> int:
    """The quorum when another region fails now: a silent one can't contradict that (rule 5)."""
    silent = sum(
        one.counts and one.said.verdict == "up" and one.silent_since is not None for one in seen
    )
    return max(consensus.need(entry.policy.consensus, votes.fresh - silent), votes.majority)


def _slow_would_change(
    state: PartitionState,
    entry: TargetState,
    seen: tuple[RegionExplained, ...],
    counted: Tally,
) -> tuple[str, ...]:
    votes, limit, trouble = _votes(counted), entry.policy.latency, entry.trouble
    if trouble is not None and trouble.slow_incident is not None:
        return (outlook.closing(seen, votes, "slow", state.now),)
    if limit is None or not counted.known:
        return ()
    if trouble is not None and trouble.slow_held:
        return (outlook.resolved("slow"),)
    return outlook.slow_opening(seen, votes, limit)


def _certificate_would_change(entry: TargetState) -> tuple[str, ...]:
    trouble = entry.trouble
    if trouble is None:
        return ()
    if trouble.expiring_incident is not None:
        lacking = {
            region: trouble.endings[position].lacking(expiring.looks_of(entry.kind))
            for region, position in entry.policy.by_name
            if position in trouble.endings
        }
        return (outlook.expiring_closing(entry.kind, lacking, entry.policy.warn_days or 0),)
    return (outlook.expiring_resolved(entry.kind),) if trouble.expiring_held else ()


def _incident(
    state: PartitionState, entry: TargetState, incident: OpenIncident, around: Neighbours
) -> IncidentExplained:
    known = diagnosis_facts.gather(state, entry, around)
    found = diagnosis.diagnose(known, incident.incident_type) if involved(known, incident) else None
    return IncidentExplained(
        incident_id=incident.incident_id,
        incident_type=incident.incident_type,
        opened_at=incident.opened_at,
        first_failed_at=incident.first_failed_at,
        episode=incident.episode,
        improved=incident.incident_type == "unreachable" and not incident.down,
        acknowledged_by=incident.acknowledged_by,
        acknowledged_note=incident.acknowledged_note,
        likely=incident.diagnosis,
        sentence=None if found is None else found.sentence,
        first_steps=() if found is None else found.first_steps,
    )


def _recheck(state: PartitionState, entry: TargetState) -> RecheckExplained | None:
    last = state.rechecks.get(entry.host_key)
    if last is None:
        return None
    asked_at = None if last.asked_at is None else regions.log_time(state, last.asked_at)
    return RecheckExplained(asked_at=asked_at, waits=last.waiting_since is not None)
