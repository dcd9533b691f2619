"""Reads topics whole, and writes records as they were into topics of another prefix."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from msgspec import Struct

from foundation import kafka
from foundation.kafka.clients import SOON_MS
from foundation.kafka.topics import WEB_MESSAGE_BYTES
from foundation.settings import Settings
from schemas.topics import Topic

_AT_ONCE: Final = 1_000
_POLL_MS: Final = 500


class Copy(Struct, frozen=True):
    """A record as it is to be written; `at` is its time (UTC ms), None: now."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    at: int | None = None


def as_it_was(record: ConsumerRecord, partition: int) -> Copy:
    """A copy of a record for a partition."""
    return Copy(partition, record.key, record.value, tuple(record.headers), record.timestamp)


async def read_whole(
    settings: Settings, topic: Topic, starts: Mapping[int, int] | None = None
) -> AsyncIterator[ConsumerRecord]:
    """All records up to the present end, of each partition in its order.

    `starts` are offsets by partition: others are not read. None: all of all partitions.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    numbers = range(topic.partition_count(settings.partitions)) if starts is None else starts
    parts = [TopicPartition(settings.topic(topic.name), number) for number in numbers]
    if not parts:
        return
    async with kafka.started(kafka.consumer(settings, fetch_max_wait_ms=SOON_MS)) as reader:
        reader.assign(parts)
        begins = await reader.beginning_offsets(parts)
        ends = await reader.end_offsets(parts)
        for part in parts:
            wanted = begins[part] if starts is None else max(starts[part.partition], begins[part])
            reader.seek(part, min(wanted, ends[part]))
        while behind := await _behind(reader, ends):
            for part, records in (await reader.getmany(*behind, timeout_ms=_POLL_MS)).items():
                for record in records:
                    if record.offset < ends[part]:
                        yield record
            await asyncio.sleep(0)


async def _behind(
    reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> list[TopicPartition]:
    behind = []
    for part, end in ends.items():
        if await reader.position(part) < end:
            behind.append(part)
        else:
            reader.pause(part)
    return behind


async def write(settings: Settings, topic: Topic, copies: Iterable[Copy]) -> int:
    """Writes the records in their order; on return all are confirmed. Returns their number.

    Raises:
        aiokafka.errors.KafkaError: one was not confirmed.
    """
    name, count = settings.topic(topic.name), 0
    sent: list[asyncio.Future[object]] = []
    async with kafka.producer(
        settings, compression_type=topic.compression, max_request_size=WEB_MESSAGE_BYTES
    ) as producer:
        for copy in copies:
            sent.append(
                await producer.send(
                    name,
                    value=copy.value,
                    key=copy.key,
                    partition=copy.partition,
                    headers=list(copy.headers),
                    timestamp_ms=copy.at,
                )
            )
            count += 1
            if len(sent) >= _AT_ONCE:
                await asyncio.gather(*sent)
                sent = []
        await asyncio.gather(*sent)
    return count
