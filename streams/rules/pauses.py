"""Rule 15: targets that are paused, or not enabled, are not judged.

Such a target is in no index of the state: it has no windows, votes for nothing, is no neighbour of
others, and nobody misses it. What is kept is its definition.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import structs

from schemas.control import TargetPaused, TargetRemoved
from schemas.incident import IncidentEvent
from schemas.target import Target
from streams.rules import heartbeat_due, heartbeats, incidents
from streams.rules.ids import Deciding
from streams.state.freshness import LONGEST_LATE_MS
from streams.state.heartbeats import KIND
from streams.state.partition_state import PartitionState, Removed
from streams.state.pauses import PausedTarget, PauseTerms, pack_target
from streams.state.policy import terms_of
from streams.state.target_details import pack
from streams.state.target_state import TargetState

CLOCK_MS: Final = 1_000
"""How far a prober's clock may be behind the log, in ms, when it takes up what was paused."""


def pause(state: PartitionState, record: TargetPaused, deciding: Deciding) -> list[IncidentEvent]:
    """Pauses a target, known or not; its open incidents close (`target_paused`).

    A later pause replaces an earlier one. One whose end has passed is none, and ends what was.
    """
    if record.until is not None and record.until <= state.now:
        resume(state, record.target)
        return []
    terms = PauseTerms(record.by, state.now, record.until, record.note or None)
    entry, job = state.targets.get(record.target), state.jobs.get(record.target)
    events: list[IncidentEvent] = []
    known = state.paused.get(record.target)
    if job is not None:
        known = PausedTarget(job.definition, 0)
        events = heartbeats.remove(state, job, deciding, "target_paused", paused=terms)
    elif entry is not None:
        known = PausedTarget(pack_target(entry.target), state.newest(entry))
        events = _set_aside(state, entry, deciding, terms)
    elif known is None:
        known = PausedTarget(None, 0)
    state.paused[record.target] = structs.replace(known, pause=terms)
    if record.until is not None:
        state.pause_ends.add(record.target, record.until)
    return events


def define(state: PartitionState, target: Target, deciding: Deciding) -> list[IncidentEvent]:
    """Takes the definition of a target that is paused, not enabled by now, or not enabled by it.

    Ignores one that is older than the known one. If it is not enabled, open incidents close
    (`target_paused`); if it is, and the target is not paused, it is judged from now on.
    """
    # What can't be judged is refused now, and not when the pause is over.
    if target.kind == KIND:
        heartbeat_due.probe_of(target)
    else:
        state.policy(terms_of(target))
        pack(target)
    entry, paused = state.targets.get(target.id), state.paused.get(target.id)
    job = state.jobs.get(target.id)
    known = None
    for one in (paused, job, entry):
        if one is not None:
            known = one.target
            break
    if known is not None and target.version < known.version:
        return []
    events: list[IncidentEvent] = []
    definition = pack_target(target)
    if paused is not None:
        state.paused[target.id] = structs.replace(paused, definition=definition)
        if paused.pause is None and target.enabled:
            _take_up(state, target.id, state.now)
    elif job is not None:
        events = heartbeats.remove(state, job, deciding, "target_paused")
        state.paused[target.id] = PausedTarget(definition, 0)
    elif entry is not None:
        floor = state.newest(entry)
        events = _set_aside(state, entry, deciding, None)
        state.paused[target.id] = PausedTarget(definition, floor)
    else:
        state.paused[target.id] = PausedTarget(definition, 0)
    return events


def resume(state: PartitionState, target_id: str) -> None:
    """Ends the pause of a target, if it has one."""
    paused = state.paused.get(target_id)
    if paused is not None and paused.pause is not None:
        _end(state, target_id, paused, state.now)


def end_due(state: PartitionState) -> Iterable[Exception]:
    """Ends the pauses whose time has come; returns the errors of those that could not be ended."""
    errors = []
    while state.pause_ends.due(state.now):
        target_id, until = state.pause_ends.take()
        paused = state.paused.get(target_id)
        if paused is None or paused.pause is None or paused.pause.until != until:
            continue
        try:
            _end(state, target_id, paused, until)
        except Exception as error:  # noqa: BLE001 - one target must not cost the others their turn
            errors.append(error)
    return errors


def remove(state: PartitionState, removal: TargetRemoved) -> None:
    """Removes a paused target; ignores a removal older than the definition.

    The pause goes with it: whoever sets the target again, here or in another partition, writes the
    pause again. One of a target that is still to be set stays.
    """
    paused = state.paused[removal.target]
    target = paused.target
    if target is None or removal.version < target.version:
        return
    del state.paused[removal.target]
    state.removed[removal.target] = Removed(paused.floor, state.running + LONGEST_LATE_MS)


def _set_aside(
    state: PartitionState, entry: TargetState, deciding: Deciding, terms: PauseTerms | None
) -> list[IncidentEvent]:
    """Takes a target out of all that is judged."""
    events = [
        incidents.close(state, entry, incident, deciding, "target_paused", paused=terms)
        for incident in entry.incidents
    ]
    state.transitions.pop(entry.id, None)
    state.remove(entry.id)
    return events


def _end(state: PartitionState, target_id: str, paused: PausedTarget, at: int) -> None:
    target = paused.target
    if target is None:
        del state.paused[target_id]
        return
    state.paused[target_id] = structs.replace(paused, pause=None)
    if target.enabled:
        _take_up(state, target_id, at)


def _take_up(state: PartitionState, target_id: str, at: int) -> None:
    """Judges a target as a new one, by results that started after `at` (log time)."""
    paused, removed = state.paused[target_id], state.removed.get(target_id)
    target = paused.target
    if target is None:
        raise LookupError(f"expected a definition of {target_id!r}, found none")
    if target.kind == KIND:
        heartbeats.put(state, target, at, floor=at - CLOCK_MS)
        del state.paused[target_id]
        state.removed.pop(target_id, None)
        return
    seen = paused.floor if removed is None else max(paused.floor, removed.floor)
    state.put(target, floor=max(seen, at - CLOCK_MS))
    del state.paused[target_id]
    state.removed.pop(target_id, None)
