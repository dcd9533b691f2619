"""The start of a pipeline: commit, pending range, end of the stored rows, or log's beginning."""

from aiokafka import TopicPartition
from msgspec import Struct

from foundation.telemetry import logger
from schemas.topics import Topic
from sinks.clickhouse import metrics
from sinks.clickhouse.context import SinkContext
from sinks.clickhouse.pending_block import Pending
from sinks.clickhouse.tables import OF_TOPIC
from sinks.clickhouse.writer import gap_rows


class StartOffset(Struct, frozen=True):
    """The next offset to read, and the pending range that begins there.

    `stalls` is the suspend detector's count before the offsets were read.
    """

    position: int
    pending: Pending | None
    stalls: int


async def find(
    services: SinkContext, topic: Topic, partition: TopicPartition, out_of_range: bool
) -> StartOffset:
    """The start offset; `out_of_range` means that the log no longer has the last one.

    An offset that the log no longer has is recorded as a gap; reading goes on at the log's
    beginning.

    Raises:
        aiokafka.errors.KafkaError, TimeoutError, NotInsertedError, PendingError: not known now.
    """
    committed = await services.offsets.read(partition)
    if committed.offset is None:
        position = await _after_stored(services, topic, partition)
        return StartOffset(position, None, committed.stalls)
    if out_of_range:
        begin, end = await services.offsets.bounds(partition)
        if not begin <= committed.offset <= end:
            await record_gap(services, topic, partition, expected=committed.offset, found=begin)
            pending = committed.pending
            # What is left of a pending range keeps its token: all of it may have landed.
            keep = pending is not None and committed.offset < begin <= pending.last
            return StartOffset(begin, pending if keep else None, committed.stalls)
    return StartOffset(committed.offset, committed.pending, committed.stalls)


async def _after_stored(services: SinkContext, topic: Topic, partition: TopicPartition) -> int:
    """The start offset without a commit of the group: after the rows in the tables.

    Tables with a unique column don't count: their rows are never inserted again anyway.
    """
    begin, end = await services.offsets.bounds(partition)
    tables = [table for table in OF_TOPIC.get(topic.name, ()) if table.unique is None]
    highest = await services.writer.highest(tables, partition.partition)
    if highest is None:
        return begin
    stored, at = highest
    if begin <= stored < end and topic.log_append_time:
        same = await services.offsets.time_at(partition, stored) == at
    else:
        same = stored < end
    if not same:
        # The topic was created again: its offsets now belong to other messages.
        await record_gap(services, topic, partition, expected=stored + 1, found=begin)
        return begin
    if stored + 1 < begin:
        await record_gap(services, topic, partition, expected=stored + 1, found=begin)
        return begin
    logger(__name__).info(
        "no committed offset: going on after the highest stored",
        topic=partition.topic,
        partition=partition.partition,
        stored=stored,
    )
    return stored + 1


async def record_gap(
    services: SinkContext,
    topic: Topic,
    partition: TopicPartition,
    *,
    expected: int,
    found: int,
    at: int = 0,
) -> None:
    """Logs, counts and stores a gap: the log has `found` next instead of `expected`.

    `at` is the log's time (UTC ms) of the found message, 0 if unknown.
    """
    metrics.GAPS.labels(topic.name).inc()
    logger(__name__).error(
        "the log does not have what was due: those messages are lost here",
        topic=partition.topic,
        partition=partition.partition,
        expected=expected,
        found=found,
    )
    rows = gap_rows(partition.topic, partition.partition, expected, found, max(at, 0))
    token = f"gap:{partition.topic}:{partition.partition}:{expected}-{found}:{at}"
    await services.writer.insert(rows, token, float("inf"))
