"""Rule 16: the signals and deadlines of jobs that report themselves."""

from typing import Final

from msgspec import structs

from schemas.control import TargetRemoved
from schemas.incident import ClosedBecause, IncidentEvent
from schemas.result import RECEIVER, CheckResult
from schemas.target import Target
from streams.rules import heartbeat_incidents
from streams.rules.heartbeat_due import due_after, due_later, probe_of
from streams.rules.heartbeat_words import words_of
from streams.rules.ids import Deciding
from streams.state.heartbeats import (
    MOST_COUNTED,
    MOST_RUNS,
    Down,
    JobState,
    Report,
    Run,
    pack_definition,
    run_ms,
)
from streams.state.partition_state import PartitionState
from streams.state.pauses import PauseTerms

LATE_MS: Final = 30_000
AHEAD_MS: Final = 15_000
"""Longest time from the start of a signal to its append time, and from there to its start, in ms:
one that waited for longer tells of another time."""

LEAST_EARLY_MS: Final = 60_000
"""Least time before a report is due in which it may have come early, in ms: not heard is not
missed."""


def take_signal(
    state: PartitionState, job: JobState, result: CheckResult, deciding: Deciding
) -> list[IncidentEvent]:
    """Takes a signal of a job, if it counts."""
    identity = (result.prober, result.started_at, result.attempt)
    if (
        result.region != RECEIVER
        or result.signal in {None, "log"}
        or not -AHEAD_MS <= state.now - result.started_at <= LATE_MS
        or result.started_at <= job.floor
        or identity in job.counted
    ):
        return []
    job.counted = (*job.counted[1 - MOST_COUNTED :], identity)
    events: list[IncidentEvent] = []
    if result.signal != "start":
        events = _end(state, job, result, deciding)
    elif not _has_ended(job, result, state.now):
        _begin(job, result.run, state.now)
    events += heartbeat_incidents.follow_flapping(state, job, deciding)
    state.job_index.note(job)
    return events


def _has_ended(job: JobState, start: CheckResult, now: int) -> bool:
    """Whether a start comes after what may be its end: it was taken earlier, by another receiver.

    A newest report that is ahead of now is of a time before the broker's clock was set back.
    """
    last = job.last
    return last is not None and start.started_at < last.started_at <= now + AHEAD_MS


def _begin(job: JobState, name: str | None, now: int) -> None:
    others = [run for run in job.runs if run.name != name]
    job.runs = (*others, Run(name, now))[-MOST_RUNS:]
    job.held_until = max(job.held_until, now + run_ms(job.probe))


def _end(
    state: PartitionState, job: JobState, result: CheckResult, deciding: Deciding
) -> list[IncidentEvent]:
    now, failed = state.now, result.signal == "fail"
    names = [run.name for run in job.runs]
    began = job.runs[-1].began if job.runs else None
    left: tuple[Run, ...] = ()
    if result.run is not None and result.run in names:
        place = names.index(result.run)
        began, left = job.runs[place].began, job.runs[place + 1 :]
    job.runs = left
    job.last = Report(now, failed, result.exit_code, began, result.started_at)
    job.since = job.reported = now
    job.after, job.held_until = None, 0
    job.due = due_after(job.probe, now)
    if failed:
        down = Down("job_failed", now, result.exit_code, began, words_of(result))
        return heartbeat_incidents.fall(state, job, down, deciding)
    return heartbeat_incidents.rise(state, job, deciding)


def look(state: PartitionState, job: JobState, deciding: Deciding) -> list[IncidentEvent]:
    """Looks at the deadlines of a job that have come, and at the end of its flapping."""
    said: Down | None = None
    heard_until = state.receivers.newest_beat
    while (deadline := job.next_deadline) <= heard_until:
        down = _missed(state, job) if job.deadline == deadline else _overran(state, job, deadline)
        said = down or said
    events = [] if said is None else heartbeat_incidents.fall(state, job, said, deciding)
    events += heartbeat_incidents.follow_flapping(state, job, deciding)
    state.job_index.note(job)
    return events


def _missed(state: PartitionState, job: JobState) -> Down | None:
    """The deadline of a report has come: whether it is missed, and the next due time."""
    due, deadline = job.due, job.deadline
    if due is None:
        raise LookupError(f"expected a due time of {job.id!r}, found none")
    heard_again = state.receivers.deaf_until(may_have_come(job, due), deadline)
    job.after = due
    job.since = state.now if heard_again is None else heard_again
    job.due = due_later(job.probe, due, job.since)
    if heard_again is not None:
        return None
    began = job.runs[-1].began if job.runs else None
    return Down("heartbeat_missed", max(1, due), began=began)


def may_have_come(job: JobState, due: int) -> int:
    """The earliest time at which the report that is due may have come."""
    if job.probe.schedule is None and not job.reported:
        # The due time follows from the definition: it says nothing of when the job reports.
        return job.since
    return max(due - max(job.probe.grace_ms, LEAST_EARLY_MS), job.reported)


def _overran(state: PartitionState, job: JobState, deadline: int) -> Down | None:
    """The deadline of a run has come: whether it overran."""
    limit = job.probe.max_runtime_ms or 0
    run = next(run for run in job.runs if not run.overran and run.began + limit == deadline)
    if state.receivers.deaf_until(run.began, deadline) is not None:
        job.runs = tuple(one for one in job.runs if one is not run)
        return None
    told = structs.replace(run, overran=True)
    job.runs = tuple(told if one is run else one for one in job.runs)
    return Down("job_overran", max(1, deadline), began=run.began)


def put(state: PartitionState, target: Target, since: int, *, floor: int = 0) -> None:
    """Adds a job that is judged from `since` on.

    Raises:
        RecordRefusedError: it can't be judged; nothing was changed.
    """
    probe = probe_of(target)
    job = JobState(
        target.id, pack_definition(target), probe, since, due_after(probe, since), floor=floor
    )
    state.jobs[job.id] = job
    state.job_index.note(job)


def define(state: PartitionState, job: JobState, target: Target) -> None:
    """Takes another definition of a job.

    Another interval, schedule or zone: its report is due as after a definition. All else holds for
    what is expected already.

    Raises:
        RecordRefusedError: it can't be judged; nothing was changed.
    """
    new, old = probe_of(target), job.probe
    job.definition, job.probe = pack_definition(target), new
    if (old.interval_ms, old.schedule, old.zone) != (new.interval_ms, new.schedule, new.zone):
        job.since, job.after = state.now, None
        job.due = due_after(new, job.since)
    elif new.schedule is not None:
        _expect(job)
    state.job_index.note(job)


def _expect(job: JobState) -> None:
    """Reckons anew when the next report is due by a schedule."""
    if job.after is None:
        job.due = due_after(job.probe, job.since)
    else:
        job.due = due_later(job.probe, job.after, job.since)


def remove(
    state: PartitionState,
    job: JobState,
    deciding: Deciding,
    because: ClosedBecause,
    *,
    paused: PauseTerms | None = None,
) -> list[IncidentEvent]:
    """Takes a job out of all that is judged; closes its incident."""
    events = []
    if job.incident is not None:
        events.append(
            heartbeat_incidents.close(state, job, job.incident, deciding, because, paused=paused)
        )
    state.transitions.pop(job.id, None)
    del state.jobs[job.id]
    state.job_index.forget(job.id)
    return events


def remove_by(
    state: PartitionState, job: JobState, removal: TargetRemoved, deciding: Deciding
) -> list[IncidentEvent]:
    """Removes a job; ignores a removal older than its definition."""
    if removal.version < job.target.version:
        return []
    removed = removal.because == "removed"
    return remove(state, job, deciding, "target_removed" if removed else "target_changed")


def set_back(state: PartitionState, step: int) -> None:
    """The broker's clock is set back by `step` ms: all times lie as far back as before.

    When a report is due by a schedule follows anew.
    """
    for job in state.jobs.values():
        job.since -= step
        job.after = None if job.after is None else job.after - step
        job.due = None if job.due is None else job.due - step
        job.held_until = job.held_until and job.held_until - step
        job.reported = job.reported and job.reported - step
        job.floor = job.floor and job.floor - step
        job.runs = tuple(structs.replace(run, began=run.began - step) for run in job.runs)
        if job.probe.schedule is not None:
            _expect(job)
    state.job_index.clear()
    for job in state.jobs.values():
        state.job_index.note(job)
