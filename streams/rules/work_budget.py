"""Spreads expensive work over several checks of the deadlines."""

from typing import Final

from streams.state.heartbeats import JobState
from streams.state.partition_state import PartitionState

AT_ONCE: Final = 1_000
"""Most targets with news of their host, and most targets that the guard woke, in one check of the
deadlines: some tens of milliseconds, in which the worker does nothing else."""


def due(state: PartitionState) -> set[str]:
    """The targets to judge: those with a due deadline, and those that the guard woke first.

    A woken target beyond the budget waits with all others, so that it makes no difference whether
    its deadline is known (after a restart it is not).
    """
    woken = list(state.woken)[:AT_ONCE]
    for target_id in woken:
        del state.woken[target_id]
    come = (target_id for target_id, deadline in state.hot.items() if deadline <= state.running)
    return {*woken, *(target_id for target_id in come if target_id not in state.woken)}


def none(state: PartitionState, running: int) -> bool:
    """True if a check at that running time would find no target in the present state."""
    return not (state.news or state.woken or any(at <= running for at in state.hot.values()))


def news(state: PartitionState) -> set[str]:
    """The targets with incidents on hosts with news, the longest waiting hosts first.

    Clears the news of those hosts. A host is never split, whatever its number of targets.
    """
    found: set[str] = set()
    looked_at = 0
    for key in list(state.news):
        if looked_at >= AT_ONCE:
            break
        del state.news[key]
        ids = state.on_host(key)
        looked_at += len(ids)
        found.update(one for one in ids if state.targets[one].incidents)
    return found


def jobs(state: PartitionState) -> tuple[list[JobState], bool]:
    """The jobs to look at, and whether others wait: first those with a deadline that has come.

    In the order of their deadlines; then those that flap, by id.
    """
    found, more = state.job_index.take_due(state.jobs, state.receivers.newest_beat, AT_ONCE)
    known = {job.id for job in found}
    flapping = sorted(state.job_index.flapping - known)
    return [*found, *(state.jobs[job_id] for job_id in flapping)], more
