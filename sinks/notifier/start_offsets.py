"""Finds the offsets from which a notifier reads [incidents]."""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.duration import HOUR_MS

FIRST_LOOK_BACK_MS: Final = HOUR_MS
"""Look-back of the first start, in ms: it announces the last hour, not all history."""


async def places(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], known: Mapping[int, int]
) -> dict[TopicPartition, int]:
    """The start offset of each partition: the known one, else the group's, else the last hour.

    `known` has offsets by partition. If Kafka has removed the offset, the oldest available one
    replaces it; an offset beyond the end (of a topic that was created again) does not count.

    Raises:
        aiokafka.errors.KafkaError: the cluster does not answer.
    """
    if not partitions:
        return {}
    left = dict(known) or await committed(consumer, partitions)
    oldest = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    found = {
        partition: max(offset, oldest[partition])
        for partition in partitions
        if (offset := left.get(partition.partition)) is not None and offset <= ends[partition]
    }
    new = [partition for partition in partitions if partition not in found]
    if new:
        since = time.time_ns() // 1_000_000 - FIRST_LOOK_BACK_MS
        at = await consumer.offsets_for_times(dict.fromkeys(new, since))
        for partition in new:
            first = at.get(partition)
            found[partition] = ends[partition] if first is None else first.offset
    return found


async def committed(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> dict[int, int]:
    """The group's committed offset of each partition that has one.

    Raises:
        aiokafka.errors.KafkaError: the cluster does not answer.
    """
    left = {part.partition: await consumer.committed(part) for part in partitions}
    return {number: offset for number, offset in left.items() if offset is not None}
