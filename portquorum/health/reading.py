"""Reads single records of topics without a consumer group: the first at an offset, or a tail."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

from foundation import kafka
from foundation.lifecycle import ends_within
from foundation.settings import Settings

REFUSED: Final = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
"""What a client gets that lacks a right."""

_FETCH_BYTES: Final = 64 * 1024
"""Of one partition at a time: about 2,000 results; a larger record comes alone."""
_CLOSE_S: Final = 0.5
_POLL_MS: Final = 100


@asynccontextmanager
async def reader(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group, for one reading."""
    client = kafka.consumer(
        settings, max_partition_fetch_bytes=_FETCH_BYTES, fetch_max_wait_ms=_POLL_MS
    )
    try:
        await client.start()
        yield client
    finally:
        await ends_within(_CLOSE_S, client.stop())


async def first_at(
    settings: Settings, places: Mapping[TopicPartition, tuple[int, int]]
) -> dict[TopicPartition, ConsumerRecord]:
    """The first record of each range, given as its start and its end (exclusive).

    A partition is left out if its range is empty; compaction may have emptied it.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't say, or the right to read is missing.
    """
    found: dict[TopicPartition, ConsumerRecord] = {}
    left = {part for part, (start, end) in places.items() if start < end}
    if not left:
        return found
    ends = {part: end for part, (_, end) in places.items()}
    async with reader(settings) as client:
        client.assign(list(left))
        for partition in left:
            client.seek(partition, places[partition][0])
        while left:
            batches = await client.getmany(*left, timeout_ms=_POLL_MS)
            found |= {part: records[0] for part, records in batches.items() if records}
            left = await _unread(client, left - found.keys(), ends)
    return found


async def range_of(
    settings: Settings, partition: TopicPartition, start: int, end: int
) -> AsyncIterator[ConsumerRecord]:
    """The records from `start` up to `end` (exclusive), as far as compaction has left them.

    Raises:
        aiokafka.errors.KafkaError: as `first_at`.
    """
    async with reader(settings) as client:
        client.assign([partition])
        client.seek(partition, start)
        while await client.position(partition) < end:
            batches: dict[Any, list[ConsumerRecord]] = await client.getmany(timeout_ms=_POLL_MS)
            for record in batches.get(partition, ()):
                if record.offset < end:
                    yield record
            await asyncio.sleep(0)


async def tails(
    settings: Settings, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, list[ConsumerRecord]]:
    """The records of several partitions, as `range_of`.

    Raises:
        aiokafka.errors.KafkaError: as `first_at`.
    """
    found: dict[TopicPartition, list[ConsumerRecord]] = {part: [] for part in starts}
    left = {part for part, start in starts.items() if start < ends[part]}
    if not left:
        return found
    async with reader(settings) as client:
        client.assign(list(left))
        for partition in left:
            client.seek(partition, starts[partition])
        while left:
            batches = await client.getmany(*left, timeout_ms=_POLL_MS)
            for partition, records in batches.items():
                found[partition] += [one for one in records if one.offset < ends[partition]]
            left = await _unread(client, left, ends)
            await asyncio.sleep(0)
    return found


async def _unread(
    client: AIOKafkaConsumer, left: Iterable[TopicPartition], ends: Mapping[TopicPartition, int]
) -> set[TopicPartition]:
    return {part for part in left if await client.position(part) < ends[part]}
