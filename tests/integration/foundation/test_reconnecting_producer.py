"""A reconnecting producer on a real broker: what a failure does to it and to those who wait."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError

from foundation.kafka import Follower, create_topics, producer
from foundation.kafka.reconnecting_producer import (
    MAX_UNCONFIRMED,
    KeyedMessage,
    ReconnectingProducer,
)
from foundation.settings import Settings

DEADLINE_S = 100


@pytest.fixture
async def settings(kafka: str, request: pytest.FixtureRequest) -> Settings:
    made = Settings(kafka=kafka, topic_prefix=request.node.name[:80], partitions=3)
    await create_topics(made)
    return made


class Created:
    """Makes producers, and keeps them."""

    def __init__(self) -> None:
        self.made: list[AIOKafkaProducer] = []

    def __call__(self, settings: Settings, **options: Any) -> AIOKafkaProducer:
        self.made.append(producer(settings, **options))
        return self.made[-1]


@pytest.fixture
async def created(settings: Settings) -> AsyncIterator[tuple[ReconnectingProducer, Created]]:
    made = Created()
    # A batch is given up after 1.5 s, not after 40 s.
    reconnecting = ReconnectingProducer(settings, create=made, request_timeout_ms=1500)
    yield reconnecting, made
    await reconnecting.close(5.0)


@pytest.fixture
def leave_leaderless(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """From its call on aiokafka sees no leader in the topic it names; none at all: "" ."""
    gone = [""]
    leader = ClusterMetadata.leader_for_partition

    def seen(cluster: ClusterMetadata, partition: TopicPartition) -> int | None:
        return -1 if partition.topic == gone[0] else leader(cluster, partition)

    monkeypatch.setattr(ClusterMetadata, "leader_for_partition", seen)

    def leave(topic: str) -> None:
        gone[0] = topic

    return leave


def numbered(count: int) -> list[KeyedMessage]:
    return [KeyedMessage(str(number).encode(), b"{}") for number in range(count)]


async def keys(settings: Settings) -> list[bytes]:
    async with Follower(settings, settings.topic("notifications")) as follower:
        return [record.key async for record in follower.present()]


async def test_a_write_connects_and_all_of_it_is_confirmed_in_order(
    settings: Settings, created: tuple[ReconnectingProducer, Created]
) -> None:
    log, made = created
    messages = numbered(MAX_UNCONFIRMED + 5)
    async with asyncio.timeout(DEADLINE_S):
        await log.write(settings.topic("notifications"), messages, partition=0)
        await log.write(settings.topic("notifications"), messages[:1], partition=0)
    assert await keys(settings) == [one.key for one in [*messages, messages[0]]]
    assert len(made.made) == 1


async def test_one_failure_ends_the_producer_for_all_and_the_next_write_gets_another(
    settings: Settings,
    created: tuple[ReconnectingProducer, Created],
    leave_leaderless: Callable[[str], None],
) -> None:
    log, made = created
    topic = settings.topic("notifications")
    async with asyncio.timeout(DEADLINE_S):
        await log.write(topic, numbered(1), partition=0)
        leave_leaderless(topic)
        writes = [asyncio.create_task(log.write(topic, numbered(1), partition=0)) for _ in "ab"]
        ended = await asyncio.gather(*writes, return_exceptions=True)
        assert all(isinstance(error, KafkaError) for error in ended)
        leave_leaderless("")
        await log.write(topic, numbered(1), partition=0)
    assert len(made.made) == 2


async def test_whoever_writes_when_it_is_closed_gets_an_error(
    settings: Settings,
    created: tuple[ReconnectingProducer, Created],
    leave_leaderless: Callable[[str], None],
) -> None:
    log, made = created
    topic = settings.topic("notifications")
    async with asyncio.timeout(DEADLINE_S):
        await log.connect()
        leave_leaderless(topic)
        write = asyncio.create_task(log.write(topic, numbered(1), partition=0))
        await asyncio.sleep(0)
        await log.close(0.1)
        with pytest.raises(KafkaError):
            await write
    assert len(made.made) == 1


async def test_a_partition_that_is_not_there_is_a_kafka_error(
    settings: Settings, created: tuple[ReconnectingProducer, Created]
) -> None:
    log, _ = created
    async with asyncio.timeout(DEADLINE_S):
        await log.connect()
        with pytest.raises(KafkaError, match="could not send to"):
            await log.send(settings.topic("results"), b"", partition=99)
        with pytest.raises(KafkaError, match="could not send to"):
            await log.write(settings.topic("results"), numbered(1), partition=99)
