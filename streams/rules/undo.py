"""A copy of one target, to restore if a rule fails halfway."""

from typing import Final

import msgspec
from msgspec import Struct, structs

from streams.state.heartbeats import JobState
from streams.state.partition_state import PartitionState
from streams.state.target_state import TargetState, Trouble
from streams.state.windows import SavedWindow

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Trouble).decode


class Undo(Struct, frozen=True, gc=False):
    """What the state had of a target; `of_result` and `of_target` make one.

    `windows` stand in the columns from `at` on. `trouble` is encoded as a checkpoint has it.
    `hosts_with_news` is the number of hosts with news: a rule adds at most that of the target, at
    the end. The indexes that only save work are not kept, but made anew.
    """

    entry: TargetState
    at: int
    windows: tuple[SavedWindow, ...]
    trouble: bytes | None
    woken: bool
    hosts_with_news: int
    transitions: tuple[int, ...] | None


def of_result(state: PartitionState, entry: TargetState, position: int) -> Undo:
    """For a change by a result of the region at `position`: only that window changes.

    It costs about half a microsecond, and stands on the way of every result that says news.
    """
    at, trouble = entry.slot + position, entry.trouble
    return Undo(
        entry,
        at,
        (state.columns.save(at),),
        None if trouble is None else _encode(trouble),
        entry.id in state.woken,
        len(state.news),
        state.transitions.get(entry.id),
    )


def of_target(state: PartitionState, entry: TargetState) -> Undo:
    """For any change of a target, its replacement or removal included."""
    slot, trouble = entry.slot, entry.trouble
    return Undo(
        entry,
        slot,
        tuple(map(state.columns.save, range(slot, slot + len(entry.policy.regions)))),
        None if trouble is None else _encode(trouble),
        entry.id in state.woken,
        len(state.news),
        state.transitions.get(entry.id),
    )


def put_back(state: PartitionState, undo: Undo) -> None:
    """Makes of the target what it was; the rest of the state stays as it is.

    It must be in the state, or another definition of it.
    """
    entry = undo.entry
    if state.targets[entry.id] is not entry:
        state.columns.reclaim(entry.slot, len(entry.policy.regions))
        state.add(entry)
    for at, window in enumerate(undo.windows, undo.at):
        state.columns.load(at, window)
    entry.trouble = None if undo.trouble is None else _decode(undo.trouble)
    state.hot.pop(entry.id, None)
    if entry.hot:
        # When time alone changes something is not known any more: as after a restart.
        state.hot[entry.id] = 0
    if undo.woken:
        state.woken.setdefault(entry.id, None)
    if len(state.news) > undo.hosts_with_news:
        state.news.pop(entry.host_key)
    _put_back_transitions(state, entry.id, undo.transitions)
    state.around.clear()


class UndoJob(Struct, frozen=True, gc=False):
    """What the state had of a job."""

    job: JobState
    transitions: tuple[int, ...] | None


def of_job(state: PartitionState, job: JobState) -> UndoJob:
    """For any change of a job: all that it has is replaced and not changed, but its incident."""
    incident = None if job.incident is None else structs.replace(job.incident)
    return UndoJob(structs.replace(job, incident=incident), state.transitions.get(job.id))


def put_back_job(state: PartitionState, undo: UndoJob) -> None:
    """Makes of the job what it was; the rest of the state stays as it is."""
    job = undo.job
    state.jobs[job.id] = job
    state.job_index.note(job)
    _put_back_transitions(state, job.id, undo.transitions)


def _put_back_transitions(
    state: PartitionState, target_id: str, transitions: tuple[int, ...] | None
) -> None:
    if state.transitions.get(target_id) == transitions:
        return
    state.transitions.pop(target_id, None)
    if transitions is not None:
        state.transitions[target_id] = transitions
        # Who turned longest ago stands first.
        in_time = sorted(state.transitions.items(), key=lambda turned: turned[1][-1])
        state.transitions = dict(in_time)
