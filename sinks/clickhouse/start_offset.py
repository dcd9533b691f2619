"""Where in the log a lane begins: committed, pending, after what is stored, or at the beginning."""

from aiokafka import TopicPartition
from msgspec import Struct

from foundation.telemetry import logger
from schemas.topics import Topic
from sinks.clickhouse import metrics
from sinks.clickhouse.context import Services
from sinks.clickhouse.pending_block import Pending
from sinks.clickhouse.tables import OF_TOPIC
from sinks.clickhouse.writer import gap_rows


class Place(Struct, frozen=True):
    """The next offset to read, and the pending range that begins there.

    `stalls` is the stall watch's count before the offsets were read.
    """

    position: int
    pending: Pending | None
    stalls: int


async def find(
    services: Services, topic: Topic, partition: TopicPartition, out_of_range: bool
) -> Place:
    """The place to begin; `out_of_range` says that the log was seen not to have the last one.

    A place that the log does not have any more is recorded as a gap; reading goes on at the
    log's beginning.

    Raises:
        aiokafka.errors.KafkaError, TimeoutError, NotInsertedError, PendingError: not known now.
    """
    committed = await services.offsets.read(partition)
    if committed.offset is None:
        position = await _after_stored(services, topic, partition)
        return Place(position, None, committed.stalls)
    if out_of_range:
        begin, end = await services.offsets.bounds(partition)
        if not begin <= committed.offset <= end:
            await record_gap(services, topic, partition, expected=committed.offset, found=begin)
            pending = committed.pending
            # What is left of a pending range keeps its token: all of it may have landed.
            keep = pending is not None and committed.offset < begin <= pending.last
            return Place(begin, pending if keep else None, committed.stalls)
    return Place(committed.offset, committed.pending, committed.stalls)


async def _after_stored(services: Services, topic: Topic, partition: TopicPartition) -> int:
    """Where to go on when the group has no commit: after what the tables have.

    Tables with a unique column don't count: what they have is not inserted again anyway.
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
        # The topic was made anew: its offsets mean other messages now.
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
    services: Services,
    topic: Topic,
    partition: TopicPartition,
    *,
    expected: int,
    found: int,
    at: int = 0,
) -> None:
    """Says, counts and stores that the log has `found` next where `expected` was due.

    `at` is the log's time (UTC ms) of what was found, 0 if it is not known.
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
