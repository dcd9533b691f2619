"""Divides the state of a partition among several. Pure.

With a partition count that is a multiple of the earlier one, the hosts of a new partition all come
from one earlier partition: its number modulo the earlier count.
"""

from collections.abc import Mapping
from typing import TypeVar

from msgspec import structs

from schemas.partition import host_key, partition_for
from streams.checkpoint import decoder
from streams.state.partition_state import PartitionState

_Kept = TypeVar("_Kept")

FIRST_OFFSET = 0
"""The offset of a part: that of the one record that its new log begins with, a tick."""


def part_of(parent: PartitionState, number: int, partitions: int) -> PartitionState:
    """The state of partition `number` of `partitions`, whose hosts `parent` has had.

    What concerns regions, and hosts of other partitions, is in each part; what was told of
    unwatched targets is in the part with the parent's number. `parent` stays as it is.
    """
    state = decoder.decode(decoder.encode(parent), parent.partition, parent.partitions)
    _drop_targets(state, number, partitions)
    state.rechecks = _of_hosts(state.rechecks, number, partitions)
    state.news = _of_hosts(state.news, number, partitions)
    if number != parent.partition:
        state.coverage.told = None
    for name, region in state.regions.items():
        if partition_for(name, partitions) != number:
            state.regions[name] = structs.replace(region, secrets=None)
    state.partition, state.partitions, state.offset = number, partitions, FIRST_OFFSET
    return state


def _drop_targets(state: PartitionState, number: int, partitions: int) -> None:
    """Removes targets, jobs and paused targets whose hosts belong elsewhere."""

    def is_ours(host: str | None, target_id: str) -> bool:
        return partition_for(host_key(host, target_id), partitions) == number

    for entry in list(state.targets.values()):
        if not is_ours(entry.host, entry.id):
            state.transitions.pop(entry.id, None)
            state.remove(entry.id)
    for job in list(state.jobs.values()):
        if not is_ours(job.target.host, job.id):
            state.transitions.pop(job.id, None)
            del state.jobs[job.id]
            state.job_index.forget(job.id)
    for target_id, paused in list(state.paused.items()):
        target = paused.target
        # Where a target that is not known yet will come is not known: each part keeps its pause.
        if target is not None and not is_ours(target.host, target_id):
            del state.paused[target_id]


def _of_hosts(found: Mapping[str, _Kept], number: int, partitions: int) -> dict[str, _Kept]:
    return {key: value for key, value in found.items() if partition_for(key, partitions) == number}
