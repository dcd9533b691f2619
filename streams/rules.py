"""The rules: `(state, record) -> events`. The state changes in place, and by nothing else."""

from typing import Final

from schemas.control import Acknowledged, Beat, Control, Resolved, TargetRemoved, TargetSet
from schemas.incident import IncidentEvent, RegionEvent
from schemas.partition import host_key
from schemas.recheck import RecheckRequest
from schemas.result import CheckResult
from streams import incidents, rechecks, regions, targets, windows
from streams.ids import Deciding
from streams.records import Record
from streams.state import PartitionState, TargetState

Output = IncidentEvent | RegionEvent | RecheckRequest

GAP_MS: Final = 15_000
"""A longer silence of the log means that the broker was away: deadlines move by it."""

LOOK_EVERY_MS: Final = 1_000
"""Deadlines are looked at with a control record, but not more often than this."""


def apply(state: PartitionState, record: Record) -> list[Output]:
    """Applies one record to the state; returns what is to be sent, in order.

    A record at or below the state's offset was applied before: it changes nothing and gives
    nothing. The same state and record always give the same outputs, byte for byte.
    """
    if record.offset <= state.offset:
        return []
    _advance(state, record.append_time)
    outputs: list[Output] = []
    for result in record.results:
        entry = state.targets.get(result.target)
        if entry is not None:
            _take(state, entry, result, outputs)
    if record.control is not None:
        _control(state, record.control, outputs)
    state.offset = record.offset
    return outputs


def _advance(state: PartitionState, append_time: int) -> None:
    if append_time <= state.now:
        return
    gap = append_time - state.now
    if state.now and gap > GAP_MS:
        state.gaps += gap
    state.now = append_time


def _take(
    state: PartitionState, entry: TargetState, result: CheckResult, outputs: list[Output]
) -> None:
    calm = entry.target.id not in state.hot
    change = windows.take(state, entry, result)
    if change == "ignored" or (change == "success" and calm):
        return
    deciding = Deciding(result, state.now)
    request = None
    if change == "first_failure":
        if entry.incident is not None:
            entry.incident.recovery_asked = False
        if result.cause != "recheck":
            request = rechecks.ask_for_failure(state, entry, alone=_fails_alone(entry))
    elif change == "recovered" and result.cause != "recheck":
        request = rechecks.ask_for_recovery(state, entry)
    if request is not None:
        outputs.append(request)
    event = incidents.judge(state, entry, deciding)
    if event is not None:
        outputs.append(event)
    state.note_heat(entry)
    if change != "success":
        _judge_neighbours(state, entry, deciding, outputs)


def _fails_alone(entry: TargetState) -> bool:
    failing = sum(window is not None and window.failing is not None for window in entry.windows)
    return failing == 1


def _judge_neighbours(
    state: PartitionState, entry: TargetState, deciding: Deciding, outputs: list[Output]
) -> None:
    """The diagnosis of an incident rests on the other targets of the host: look again."""
    target = entry.target
    for other_id in state.hosts[host_key(target.host, target.id)]:
        other = state.targets[other_id]
        if other_id != target.id and other.incident is not None:
            event = incidents.judge(state, other, deciding)
            if event is not None:
                outputs.append(event)
            state.note_heat(other)


def _control(state: PartitionState, record: Control, outputs: list[Output]) -> None:
    deciding = Deciding(record, state.now)
    match record:
        case TargetSet(target):
            outputs += targets.set_target(state, target, deciding)
        case TargetRemoved():
            outputs += targets.remove_target(state, record, deciding)
        case Acknowledged() | Resolved():
            event = _by_hand(state, record, deciding)
            if event is not None:
                outputs.append(event)
        case Beat():
            outputs += regions.take_beat(state, record, deciding)
    _look_at_deadlines(state, deciding, outputs)


def _by_hand(
    state: PartitionState, record: Acknowledged | Resolved, deciding: Deciding
) -> IncidentEvent | None:
    entry = state.targets.get(record.target)
    if entry is None or entry.incident is None:
        return None
    if entry.incident.incident_id != record.incident_id:
        return None
    if isinstance(record, Acknowledged):
        return incidents.acknowledge(state, entry, deciding, record.by)
    event = incidents.close(state, entry, deciding, "resolved")
    entry.held = True
    state.note_heat(entry)
    return event


def _look_at_deadlines(state: PartitionState, deciding: Deciding, outputs: list[Output]) -> None:
    if state.running - state.looked_at < LOOK_EVERY_MS:
        return
    state.looked_at = state.running
    outputs += regions.look_for_silence(state, deciding)
    outputs += rechecks.due(state)
    for target_id in sorted(state.hot):
        entry = state.targets[target_id]
        event = incidents.judge(state, entry, deciding)
        if event is not None:
            outputs.append(event)
        state.note_heat(entry)
