"""The send log's writer on a real Kafka, while a partition or the topic is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.cluster import ClusterMetadata

from foundation import kafka as clients
from foundation.kafka import Follower, create_topics
from foundation.kafka.reconnecting_producer import KeyedMessage
from foundation.settings import Settings
from schemas import topics
from sinks.notifier.log_writer import LogWriter
from tests.integration.sinks.notifier.rig import DEADLINE_S, settings_for, until


class Producers:
    """Makes producers that give a batch up after 1.5 s, not 40 s; keeps them."""

    def __init__(self) -> None:
        self.made: list[AIOKafkaProducer] = []

    def __call__(self, settings: Settings, **options: object) -> AIOKafkaProducer:
        self.made.append(clients.producer(settings, request_timeout_ms=1500, **options))
        return self.made[-1]


@asynccontextmanager
async def writer(settings: Settings, producers: Producers) -> AsyncIterator[LogWriter]:
    made = LogWriter(settings, topics.NOTIFICATIONS, producers)
    try:
        yield made
    finally:
        await made.close(5)


async def keys(settings: Settings) -> list[bytes]:
    async with Follower(settings, settings.topic("notifications")) as follower:
        return [record.key async for record in follower.present()]


async def test_a_partition_that_was_without_a_leader_is_written_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    producers, gone = Producers(), asyncio.Event()
    topic = settings.topic("notifications")
    leader = ClusterMetadata.leader_for_partition

    def none_while_gone(cluster: ClusterMetadata, partition: TopicPartition) -> int | None:
        return -1 if gone.is_set() and partition.topic == topic else leader(cluster, partition)

    monkeypatch.setattr(ClusterMetadata, "leader_for_partition", none_while_gone)
    async with writer(settings, producers) as log, asyncio.timeout(DEADLINE_S):
        await log.write([KeyedMessage(b"before", b"{}")])
        gone.set()
        writes = [
            asyncio.create_task(
                log.write([KeyedMessage(key, b"{}"), KeyedMessage(key + b"2", b"{}")])
            )
            for key in (b"x", b"y")
        ]
        await until(lambda: len(producers.made) > 1, "the first producer is given up")
        gone.clear()
        await asyncio.gather(*writes)
        await log.write([KeyedMessage(b"after", b"{}")])
    found = await keys(settings)
    assert set(found) == {b"before", b"x", b"x2", b"y", b"y2", b"after"}
    assert found[-1] == b"after"


async def test_a_topic_that_is_not_there_yet_is_waited_for(kafka: str) -> None:
    settings, producers = settings_for(kafka), Producers()
    async with writer(settings, producers) as log, asyncio.timeout(DEADLINE_S):
        write = asyncio.create_task(log.write([KeyedMessage(b"x", b"{}")]))
        await until(lambda: len(producers.made) > 1, "the first try has failed")
        await create_topics(settings)
        await write
    assert await keys(settings) == [b"x"]


async def test_a_broker_that_is_away_does_not_hold_up_the_end(settings: Settings) -> None:
    away = Settings(kafka="127.0.0.1:1", topic_prefix=settings.topic_prefix)
    producers = Producers()
    async with asyncio.timeout(DEADLINE_S), writer(away, producers) as log:
        write = asyncio.create_task(log.write([KeyedMessage(b"x", b"{}")]))
        await until(lambda: bool(producers.made), "it tries")
        write.cancel()
        await asyncio.wait({write})
    assert write.cancelled()
