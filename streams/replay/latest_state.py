"""Reads the present state of a partition from the log, for readers that only look."""

from msgspec import Struct

from foundation.settings import Settings
from schemas import topics
from streams import results_log
from streams.checkpoint import restore, store
from streams.rules.process import step
from streams.state.partition_state import PartitionState


class Latest(Struct, frozen=True):
    """The state after the last record of the log at the time of the request.

    `checkpoint_at` is the time when the newest checkpoint on [state] was written (the worker's
    clock, UTC ms; None if there is none), `behind` the number of records after it. `complete` is
    False if the log no longer has all records after the starting state.
    """

    state: PartitionState
    checkpoint_at: int | None
    behind: int
    complete: bool


async def read(settings: Settings, partition: int) -> Latest:
    """Takes the newest complete checkpoint of a partition and applies the log after it.

    It only reads: joins no group, writes to no topic, and drops the messages that the rules give.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
        results_log.LogStalledError: the log gives nothing although it has records.
    """
    bound = (await results_log.bounds(settings, [partition]))[partition]
    shelf = (await store.read(settings, topics.STATE.name, [partition]))[partition]
    state, _ = restore.from_shelf(shelf, settings.partitions, log_end=bound.end)
    checkpoint_at = None
    if state is None:
        state = (await restore.from_archive(settings, partition, bound.end)).state
    else:
        checkpoint_at = next(
            found.head.written_at for found in shelf.complete() if found.head.offset == state.offset
        )
    begun = state.offset
    async for record in results_log.read(settings, partition, begun + 1, bound.end):
        step(state, record.offset, record.timestamp, record.value, record.headers)
    return Latest(state, checkpoint_at, bound.end - begun - 1, begun + 1 >= bound.begin)
