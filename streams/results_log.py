"""Reads a range of one partition of [results], without a consumer group."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from foundation import kafka
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

    Silently leaves out records that retention removed; `end` must not be beyond the log's end.

    Raises:
        LogStalledError: the log gave nothing for `STALLED_S`.
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    part = _part(settings, partition)
    async with _reader(settings) as reader:
        reader.assign([part])
        begin = (await reader.beginning_offsets([part]))[part]
        reader.seek(part, max(start, begin))
        last_word = asyncio.get_running_loop().time()
        while await reader.position(part) < end:
            batches = await reader.getmany(part, timeout_ms=_POLL_MS, max_records=_RECORDS_A_POLL)
            now = asyncio.get_running_loop().time()
            for record in batches.get(part, ()):
                last_word = now
                if record.offset >= end:
                    return
                yield record
            if now - last_word > STALLED_S:
                raise LogStalledError(
                    f"{part.topic} partition {partition}: expected records from offset "
                    f"{await reader.position(part)} to {end}, got none for {STALLED_S:.0f} s"
                )


def _part(settings: Settings, partition: int) -> TopicPartition:
    return TopicPartition(settings.topic(topics.RESULTS.name), partition)


def _reader(settings: Settings) -> AbstractAsyncContextManager[AIOKafkaConsumer]:
    """A consumer as a context: started on entry, stopped on exit."""
    return kafka.started(kafka.consumer(settings))
