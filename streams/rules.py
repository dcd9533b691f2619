"""The rules: `(state, record) -> events`. The state changes in place, and by nothing else."""

from typing import Final

from schemas.control import Acknowledged, Beat, Control, Resolved, TargetRemoved, TargetSet
from schemas.incident import IncidentEvent, RegionEvent, TargetStatus
from schemas.recheck import RecheckRequest
from schemas.result import CheckResult
from streams import flapping, incidents, neighbours, rechecks, regions, targets, turns, windows
from streams.consensus import status, tally
from streams.ids import Deciding
from streams.records import Record
from streams.state import PartitionState
from streams.target_state import TargetState

Output = IncidentEvent | RegionEvent | RecheckRequest

GAP_MS: Final = 15_000
"""A longer silence of the log means that the broker was away: deadlines move by it."""

LOOK_EVERY_MS: Final = 1_000
"""Deadlines are looked at with a control record, but not more often than this."""


class RuleError(Exception):
    """A rule failed on a part of a record; the rest of the record was applied.

    `outputs` are those of the parts that went well, to be sent like any others.
    """

    def __init__(self, outputs: list[Output], causes: list[Exception]) -> None:
        super().__init__(f"{len(causes)} parts of a record failed, the first: {causes[0]!r}")
        self.outputs = outputs
        self.causes = causes


def apply(state: PartitionState, record: Record) -> list[Output]:
    """Applies one record to the state; returns what is to be sent, in order.

    A record at or below the state's offset was applied before: it changes nothing and gives
    nothing. The same state and record always give the same outputs, byte for byte.

    Raises:
        RuleError: a fault of ours; the state stands behind the record all the same.
    """
    if record.offset <= state.offset:
        return []
    _advance(state, record.append_time)
    state.offset = record.offset
    outputs: list[Output] = []
    failures: list[Exception] = []
    for entry, result in windows.take_calm(state, record.results) if record.results else ():
        try:
            _take(state, entry, result, outputs)
        except Exception as error:  # noqa: BLE001 - one result must not cost the others
            failures.append(error)
            # Whatever trouble it began is saved with the next checkpoint, and looked at again.
            state.note_heat(entry, 0)
            state.around.clear()
    if record.control is not None:
        try:
            _control(state, record.control, outputs)
        except Exception as error:  # noqa: BLE001 - what was decided before it must be sent
            failures.append(error)
    if failures:
        raise RuleError(outputs, failures) from failures[0]
    return outputs


def _advance(state: PartitionState, append_time: int) -> None:
    if append_time <= state.now:
        return
    gap = append_time - state.now
    if state.now and gap > GAP_MS:
        state.gaps += gap
        state.gap_end, state.gap_ms = append_time, gap
    state.now = append_time
    if gap <= GAP_MS:
        regions.note_pause(state, gap)


def _take(
    state: PartitionState, entry: TargetState, result: CheckResult, outputs: list[Output]
) -> None:
    if state.hot.get(entry.id, 0) > state.running and windows.says_it_already(state, entry, result):
        # Nor has a deadline passed: a judgement would find all as the last one did.
        windows.take(state, entry, result)
        return
    # While nothing is in trouble no diagnosis can rest on a success of a calm target.
    calm = entry.trouble is None and not state.hot
    before: TargetStatus | None = None
    if not calm or result.status != "up":
        before = neighbours.status_of(state, entry)
    change = windows.take(state, entry, result)
    if change == "ignored" or (change == "success" and calm and entry.trouble is None):
        return
    neighbours.note_heard(state, entry, result.region)
    request = None
    if change == "first_failure":
        if entry.incident is not None:
            entry.incident.recovery_asked = False
        request = rechecks.ask_for_failure(state, entry, result)
    elif change == "recovered":
        request = rechecks.ask_for_recovery(state, entry, result)
    if request is not None:
        outputs.append(request)
    counted = tally(state, entry)
    after = status(state, entry, counted)
    if after != before:
        neighbours.note_status(state, entry, after)
    outputs += incidents.judge(
        state, entry, Deciding(result, state.now, state.offset), counted=counted
    )


def _control(state: PartitionState, record: Control, outputs: list[Output]) -> None:
    deciding = Deciding(record, state.now, state.offset)
    match record:
        case TargetSet(target):
            outputs += targets.set_target(state, target, deciding)
        case TargetRemoved():
            outputs += targets.remove_target(state, record, deciding)
        case Acknowledged() | Resolved():
            outputs += _by_hand(state, record, deciding)
        case Beat():
            outputs += regions.take_beat(state, record, deciding)
    _look_at_deadlines(state, deciding, outputs)


def _by_hand(
    state: PartitionState, record: Acknowledged | Resolved, deciding: Deciding
) -> list[IncidentEvent]:
    entry = state.targets.get(record.target)
    if entry is None:
        return []
    for incident in entry.incidents:
        if incident.incident_id == record.incident_id:
            if isinstance(record, Acknowledged):
                return incidents.acknowledge(state, entry, incident, deciding, record.by)
            return incidents.resolve(state, entry, incident, deciding)
    return []


def _look_at_deadlines(state: PartitionState, deciding: Deciding, outputs: list[Output]) -> None:
    before = state.looked_at
    if state.running - before < LOOK_EVERY_MS:
        return
    state.looked_at = state.running
    outputs += regions.look_for_silence(state, deciding)
    outputs += rechecks.due(state)
    targets.forget_removed(state)
    flapping.forget(state)
    # What was seen of hosts is kept for about a second: in an outage each is seen often meanwhile.
    state.around.clear()
    due, news = turns.due(state), turns.news(state)
    if state.woken:
        # Some wait for their turn: it comes with the next control record.
        state.looked_at = before
    for target_id in sorted(due | news):
        entry = state.targets[target_id]
        if target_id in due:
            outputs += incidents.judge(state, entry, deciding, news=target_id in news)
        else:
            outputs += incidents.look_again(state, entry, deciding)
