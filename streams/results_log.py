"""Reads ranges of the partitions of [results], without a consumer group."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from foundation import kafka
from foundation.kafka.clients import SOON_MS
from foundation.settings import Settings
from schemas import topics

STALLED_S: Final = 60.0
"""Time without any record after which a log that has records counts as broken, in s."""

_POLL_MS: Final = 500
_RECORDS_A_POLL: Final = 50


class LogStalledError(RuntimeError):
    """The log reports records, but does not deliver them."""


class Bounds:
    """The log's first available offset, and the offset after its last."""

    __slots__ = ("begin", "end")

    def __init__(self, begin: int, end: int) -> None:
        self.begin = begin
        self.end = end


async def bounds(settings: Settings, partitions: list[int]) -> dict[int, Bounds]:
    """The present bounds of the log in each partition.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    async with _reader(settings) as reader:
        parts = [_part(settings, partition) for partition in partitions]
        reader.assign(parts)
        begins = await reader.beginning_offsets(parts)
        ends = await reader.end_offsets(parts)
    return {part.partition: Bounds(begins[part], ends[part]) for part in parts}


async def read(
    settings: Settings, partition: int, start: int, end: int
) -> AsyncIterator[ConsumerRecord]:
    """All records from offset `start` (inclusive) to `end` (exclusive) that the log still has.

    See `read_all`, for one partition.
    """
    async for record in read_all(settings, {partition: (start, end)}):
        yield record


async def read_all(
    settings: Settings, ranges: Mapping[int, tuple[int, int]]
) -> AsyncIterator[ConsumerRecord]:
    """The same of several partitions at once: `ranges` are (start, end) by partition.

    The records of a partition come in the order of their offsets; those of different partitions
    come as the broker gives them. Silently leaves out records that retention removed; no `end` may
    be beyond the log's end.

    Raises:
        LogStalledError: a partition gave nothing for `STALLED_S`, and no other one did.
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    ends = {_part(settings, n): end for n, (start, end) in ranges.items() if start < end}
    if not ends:
        return
    async with _reader(settings) as reader:
        reader.assign(list(ends))
        begins = await reader.beginning_offsets(list(ends))
        for part, begin in begins.items():
            reader.seek(part, max(ranges[part.partition][0], begin))
        last_word = asyncio.get_running_loop().time()
        while behind := await _behind(reader, ends):
            batches = await reader.getmany(
                *behind, timeout_ms=_POLL_MS, max_records=_RECORDS_A_POLL
            )
            now = asyncio.get_running_loop().time()
            for part, records in batches.items():
                last_word = now
                for record in records:
                    if record.offset >= ends[part]:
                        break
                    yield record
            if now - last_word > STALLED_S:
                raise await _stalled(reader, behind[0], ends)


async def _behind(
    reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> list[TopicPartition]:
    """The partitions with records before their end; the others are not fetched any more.

    What is fetched and not taken would hold up the next fetch of all others.
    """
    behind = []
    for part, end in ends.items():
        if await reader.position(part) < end:
            behind.append(part)
        else:
            reader.pause(part)
    return behind


async def _stalled(
    reader: AIOKafkaConsumer, part: TopicPartition, ends: Mapping[TopicPartition, int]
) -> LogStalledError:
    return LogStalledError(
        f"{part.topic} partition {part.partition}: expected records from offset "
        f"{await reader.position(part)} to {ends[part]}, got none for {STALLED_S:.0f} s"
    )


def _part(settings: Settings, partition: int) -> TopicPartition:
    return TopicPartition(settings.topic(topics.RESULTS.name), partition)


def _reader(settings: Settings) -> AbstractAsyncContextManager[AIOKafkaConsumer]:
    """A consumer as a context: started on entry, stopped on exit."""
    return kafka.started(kafka.consumer(settings, fetch_max_wait_ms=SOON_MS))
