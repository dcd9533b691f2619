"""Reads and deletes checkpoints on [state] and [checkpoints]."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from foundation import kafka
from foundation.kafka.clients import SOON_MS
from foundation.settings import Settings
from streams.checkpoint.model import PartitionCheckpoints


async def read(
    settings: Settings, topic: str, partitions: Iterable[int]
) -> dict[int, PartitionCheckpoints]:
    """The checkpoints of each partition of `topic` (its name without prefix).

    Reads until nothing is left to read at that moment. Thus a checkpoint is not missed because a
    concurrent writer replaces it and deletes it.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    shelves = {partition: PartitionCheckpoints(partition) for partition in partitions}
    parts = [TopicPartition(settings.topic(topic), partition) for partition in shelves]
    if not parts:
        return shelves
    async with kafka.started(kafka.consumer(settings, fetch_max_wait_ms=SOON_MS)) as reader:
        reader.assign(parts)
        await reader.seek_to_beginning()
        while behind := await _behind(reader, parts):
            for part, records in (await reader.getmany(*behind, timeout_ms=500)).items():
                for record in records:
                    shelves[part.partition].add(record.key, record.value)
            await asyncio.sleep(0)
    return shelves


async def _behind(reader: AIOKafkaConsumer, parts: list[TopicPartition]) -> list[TopicPartition]:
    ends = await reader.end_offsets(parts)
    return [part for part in parts if await reader.position(part) < ends[part]]


async def delete(
    producer: AIOKafkaProducer, topic: str, partition: int, keys: Iterable[bytes]
) -> None:
    """Writes null values under `keys` to `topic` (full name), in order; confirmed on return.

    Raises:
        aiokafka.errors.KafkaError: a deletion was not confirmed.
    """
    sent = [await producer.send(topic, value=None, key=key, partition=partition) for key in keys]
    await asyncio.gather(*sent)
