"""The rules: `(state, record) -> events`. Only they change the state, in place."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from msgspec import Struct, structs

from schemas.control import (
    Acknowledged,
    Beat,
    Control,
    Resolved,
    TargetPaused,
    TargetRemoved,
    TargetResumed,
    TargetSet,
)
from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent, TargetStatus
from schemas.recheck import RecheckRequest
from schemas.result import CheckResult
from streams.rules import (
    clock,
    dependency_rechecks,
    flapping,
    heartbeat_incidents,
    heartbeats,
    host_status,
    incidents,
    inventory_changes,
    pauses,
    rechecks,
    regions,
    undo,
    unwatched,
    work_budget,
)
from streams.rules.consensus import status, tally
from streams.rules.ids import Deciding
from streams.rules.record import Record
from streams.rules.results import says_it_already, take, take_calm
from streams.state.partition_state import PartitionState
from streams.state.target_state import TargetState

Output = IncidentEvent | RegionEvent | TargetsEvent | RecheckRequest

LOOK_EVERY_MS: Final = 1_000
"""Least time between two checks of the deadlines, which control records trigger, in ms."""


class FailedPart(Struct, frozen=True, gc=False):
    """A part of a record that was not applied: the state is as if it were absent.

    `result` is its index among the record's results; None for a control record. `blamed`: the part
    itself is at fault; otherwise a deadline of a target failed that was due at the same time.
    """

    error: Exception
    result: int | None = None
    blamed: bool = True


class RuleError(Exception):
    """Parts of a record could not be applied; the rest of the record was.

    `outputs` are those of the applied parts, to be sent like any others.
    """

    def __init__(self, outputs: list[Output], parts: list[FailedPart]) -> None:
        self.outputs = outputs
        self.parts = parts
        self.causes = [part.error for part in parts]
        super().__init__(f"{len(parts)} parts of a record failed, the first: {self.causes[0]!r}")


def apply(state: PartitionState, record: Record) -> list[Output]:
    """Applies one record to the state; returns the messages to send, in order.

    Ignores a record at or below the state's offset, which was applied before. The same state and
    record always give the same outputs, byte for byte. A result, or a control record, is applied as
    a whole or not at all: if a rule fails, its earlier changes are undone. (Two shortcuts need no
    undo, because they only add numbers within ranges: the success of a calm target, and a result
    that repeats its region's verdict.)

    Raises:
        RuleError: parts of it were not applied; the state's offset is still that of the record.
    """
    if record.offset <= state.offset:
        return []
    clock.advance(state, record.append_time)
    state.offset = record.offset
    outputs: list[Output] = []
    failed: list[FailedPart] = []
    if state.pause_ends.due(state.now):
        failed += [FailedPart(error, blamed=False) for error in pauses.end_due(state)]
    if record.results:
        _results(state, record.results, outputs, failed)
        if state.jobs:
            _signals(state, record.results, outputs, failed)
    if record.control is not None:
        _control(state, record.control, outputs, failed)
        _keep_order(state, outputs)
    if failed:
        raise RuleError(outputs, failed) from failed[0].error
    return outputs


def _keep_order(state: PartitionState, outputs: list[Output]) -> None:
    """Events of regions and unwatched targets, of which no `at` is before that of the last one."""
    for place, one in enumerate(outputs):
        if isinstance(one, (RegionEvent, TargetsEvent)):
            outputs[place] = structs.replace(one, at=state.coverage.next_event_at(one.at))


def _results(
    state: PartitionState,
    results: Sequence[CheckResult],
    outputs: list[Output],
    failed: list[FailedPart],
) -> None:
    try:
        for entry, result in take_calm(state, results):
            try:
                _take(state, entry, result, outputs)
            except Exception as error:  # noqa: BLE001 - one result must not cost the others
                place = next(place for place, one in enumerate(results) if one is result)
                failed.append(FailedPart(error, place))
    except Exception:  # noqa: BLE001 - of the short way only the long one can tell whose fault it is
        _results_one_by_one(state, results, outputs, failed)


def _signals(
    state: PartitionState,
    results: Sequence[CheckResult],
    outputs: list[Output],
    failed: list[FailedPart],
) -> None:
    """The results that are about jobs which report themselves (rule 16)."""
    for place, result in enumerate(results):
        job = state.jobs.get(result.target)
        if job is None:
            continue
        before = undo.of_job(state, job)
        try:
            deciding = Deciding(result, state.now, state.offset)
            outputs += heartbeats.take_signal(state, job, result, deciding)
        except Exception as error:  # noqa: BLE001 - one result must not cost the others
            undo.put_back_job(state, before)
            failed.append(FailedPart(error, place))


def _results_one_by_one(
    state: PartitionState,
    results: Sequence[CheckResult],
    outputs: list[Output],
    failed: list[FailedPart],
) -> None:
    """The general path for all results of a record; ignores those that were counted already."""
    known = {part.result for part in failed}
    for place, result in enumerate(results):
        entry = state.targets.get(result.target)
        if entry is None or place in known:
            continue
        try:
            _take(state, entry, result, outputs)
        except Exception as error:  # noqa: BLE001 - one result must not cost the others
            failed.append(FailedPart(error, place))


def _take(
    state: PartitionState, entry: TargetState, result: CheckResult, outputs: list[Output]
) -> None:
    if state.hot.get(entry.id, 0) > state.running and says_it_already(state, entry, result):
        # Nor has a deadline passed: a judgement would find all as the last one did.
        take(state, entry, result)
        return
    position = entry.policy.positions.get(result.region)
    if position is None:
        return
    before = undo.of_result(state, entry, position)
    try:
        _judge(state, entry, result, outputs)
    except Exception:
        undo.put_back(state, before)
        raise


def _judge(
    state: PartitionState, entry: TargetState, result: CheckResult, outputs: list[Output]
) -> None:
    # While nothing is in trouble no diagnosis can rest on a success of a calm target.
    calm = entry.trouble is None and not state.hot
    before: TargetStatus | None = None
    if not calm or result.status != "up":
        before = host_status.status_of(state, entry)
    change = take(state, entry, result)
    if change == "ignored" or (change == "success" and calm and entry.trouble is None):
        return
    host_status.note_heard(state, entry, result.region)
    position = entry.policy.positions[result.region]
    because = rechecks.reason_to_ask(state, entry, position, change)
    because_too = dependency_rechecks.reason_to_ask(entry, change)
    counted = tally(state, entry)
    after = status(state, entry, counted)
    if after != before:
        host_status.note_status(state, entry, after)
    events = incidents.judge(
        state, entry, Deciding(result, state.now, state.offset), counted=counted
    )
    # Last, since what was asked for is not undone; said first, since the others look meanwhile.
    request = None if because is None else rechecks.ask(state, entry, result, because)
    if request is not None:
        outputs.append(request)
    if because_too is not None:
        outputs += dependency_rechecks.ask(state, entry, result, because_too)
    outputs += events


def _control(
    state: PartitionState, record: Control, outputs: list[Output], failed: list[FailedPart]
) -> None:
    deciding = Deciding(record, state.now, state.offset)
    try:
        match record:
            case TargetSet(target):
                outputs += _or_undone(
                    state, target.id, lambda: inventory_changes.set_target(state, target, deciding)
                )
            case TargetRemoved():
                outputs += _or_undone(
                    state,
                    record.target,
                    lambda: inventory_changes.remove_target(state, record, deciding),
                )
            case TargetPaused():
                outputs += _or_undone(
                    state, record.target, lambda: pauses.pause(state, record, deciding)
                )
            case TargetResumed():
                pauses.resume(state, record.target)
            case Acknowledged() | Resolved():
                outputs += _or_undone(
                    state, record.target, lambda: _by_hand(state, record, deciding)
                )
            case Beat():
                outputs += regions.take_beat(state, record, deciding)
    except Exception as error:  # noqa: BLE001 - the time has come on all the same
        failed.append(FailedPart(error))
    _look_at_deadlines(state, deciding, outputs, failed)


def _or_undone(
    state: PartitionState, target_id: str, change: Callable[[], Sequence[Output]]
) -> Sequence[Output]:
    """Runs `change` and returns its value; if it raises, restores the target first."""
    entry, job = state.targets.get(target_id), state.jobs.get(target_id)
    before = None if entry is None else undo.of_target(state, entry)
    before_job = None if job is None else undo.of_job(state, job)
    try:
        return change()
    except Exception:
        if before is not None:
            undo.put_back(state, before)
        if before_job is not None:
            undo.put_back_job(state, before_job)
        raise


def _by_hand(
    state: PartitionState, record: Acknowledged | Resolved, deciding: Deciding
) -> list[IncidentEvent]:
    job = state.jobs.get(record.target)
    if job is not None:
        events = heartbeat_incidents.by_hand(state, job, record, deciding)
        state.job_index.note(job)
        return events
    entry = state.targets.get(record.target)
    if entry is None:
        return []
    for incident in entry.incidents:
        if incident.incident_id == record.incident_id:
            if isinstance(record, Acknowledged):
                return incidents.acknowledge(state, entry, incident, deciding, record)
            return incidents.resolve(state, entry, incident, deciding, record)
    return []


def _look_at_deadlines(
    state: PartitionState, deciding: Deciding, outputs: list[Output], failed: list[FailedPart]
) -> None:
    before = state.looked_at
    if state.running - before < LOOK_EVERY_MS:
        return
    state.looked_at = state.running
    outputs += regions.look_for_silence(state, deciding)
    try:
        outputs += unwatched.look(state, deciding)
    except Exception as error:  # noqa: BLE001 - it must not cost the targets their turn
        failed.append(FailedPart(error, blamed=False))
    # First: one check of a dependency may explain all the others.
    outputs += dependency_rechecks.due(state)
    outputs += rechecks.due(state)
    inventory_changes.forget_removed(state)
    flapping.forget(state)
    # What was seen of hosts is kept for about a second: in an outage each is seen often meanwhile.
    state.around.clear()
    due, news = work_budget.due(state), work_budget.news(state)
    if state.woken:
        # Some wait for their turn: it comes with the next control record.
        state.looked_at = before
    jobs, more_jobs = work_budget.jobs(state)
    if more_jobs:
        state.looked_at = before
    for target_id in sorted(due | news):
        try:
            outputs += _or_undone(
                state,
                target_id,
                partial(
                    _look_at,
                    state,
                    target_id,
                    deciding,
                    due=target_id in due,
                    news=target_id in news,
                ),
            )
        except Exception as error:  # noqa: BLE001 - one target must not cost the others their turn
            failed.append(FailedPart(error, blamed=False))
    for job in jobs:
        look = partial(heartbeats.look, state, job, deciding)
        try:
            outputs += _or_undone(state, job.id, look)
        except Exception as error:  # noqa: BLE001 - one job must not cost the others their turn
            failed.append(FailedPart(error, blamed=False))


def _look_at(
    state: PartitionState, target_id: str, deciding: Deciding, *, due: bool, news: bool
) -> list[IncidentEvent]:
    entry = state.targets[target_id]
    if due:
        return incidents.judge(state, entry, deciding, news=news)
    return incidents.look_again(state, entry, deciding)
