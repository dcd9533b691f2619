"""Whose turn it is when deadlines are looked at: what takes long is spread over several looks."""

from typing import Final

from streams.state.partition_state import PartitionState

AT_ONCE: Final = 1_000
"""So many targets with news of their host, and so many that the guard woke, in one look at most:
some tens of milliseconds, in which the worker does nothing else."""


def due(state: PartitionState) -> set[str]:
    """The targets to be judged: whose deadline has come, or whom the guard woke longest ago.

    One that is still to wait for its turn waits with all, so that it makes no difference whether
    its deadline is known (it is not after a restart).
    """
    woken = list(state.woken)[:AT_ONCE]
    for target_id in woken:
        del state.woken[target_id]
    come = (target_id for target_id, deadline in state.hot.items() if deadline <= state.running)
    return {*woken, *(target_id for target_id in come if target_id not in state.woken)}


def none(state: PartitionState, running: int) -> bool:
    """Whether a look at that running time would find no target to look at, as things are."""
    return not (state.news or state.woken or any(at <= running for at in state.hot.values()))


def news(state: PartitionState) -> set[str]:
    """The targets with incidents on hosts with news, the longest waiting hosts first.

    Those hosts have no news any more. A host is not cut in two, however many targets it has.
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
