"""One partition against the real broker, without Faust: what is written when."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer

from foundation import kafka as clients
from foundation.settings import Settings
from schemas import batch, control, incident, topics
from schemas.checkpoint import HEAD
from schemas.control import Tick
from schemas.duration import DAY_MS
from streams.checkpoint import store, writer
from streams.checkpoint.model import PartitionCheckpoints
from streams.checkpoint.writer import CheckpointWriter
from streams.rules.messages import OutMessage
from streams.state.partition_state import new_state
from streams.worker.committer import Committer
from streams.worker.event_producer import EventProducer
from streams.worker.faust_app import StreamApp
from streams.worker.partition_processor import Partition
from tests.integration.streams import ground
from tests.unit.streams.rules.fleet import Fleet, target

TICK = control.headers(Tick(worker="test"))
MESSAGE = OutMessage("incidents", "test", b"key", b"value")


@pytest.fixture
async def settings(kafka: str) -> Settings:
    settings = ground.fresh(kafka)
    await clients.create_topics(settings)
    return settings


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    async with clients.producer(settings, linger_ms=5) as client:
        yield client


def a_partition(
    settings: Settings, producer: AIOKafkaProducer, found: PartitionCheckpoints | None = None
) -> Partition:
    # The app never starts, so every acknowledgement is refused, which must not matter.
    return Partition(
        new_state(0, settings.partitions),
        EventProducer(settings, producer, 0),
        CheckpointWriter(settings, producer, found or PartitionCheckpoints(0)),
        Committer(settings, StreamApp(settings)),
    )


async def generations(settings: Settings) -> list[int]:
    return [checkpoint.generation for checkpoint in await ground.checkpoints(settings, 0)]


async def test_a_checkpoint_waits_for_what_was_accepted_even_before_it_is_sent(
    settings: Settings, producer: AIOKafkaProducer
) -> None:
    partition = a_partition(settings, producer)
    await partition.process(0, 1_000, b"", TICK)
    partition.outbox.accept([MESSAGE])
    task = asyncio.create_task(partition.checkpoint())
    # Give it every chance to be wrong: other work on the same producer goes through meanwhile.
    for _ in range(20):
        await producer.send_and_wait(settings.topic("rechecks"), b"x", partition=0)
    assert not task.done()
    assert await generations(settings) == []
    await partition.outbox.send()
    assert await task
    assert await generations(settings) == [1]
    assert len(partition.outbox.open()) == 0


async def test_nothing_new_writes_nothing(settings: Settings, producer: AIOKafkaProducer) -> None:
    partition = a_partition(settings, producer)
    assert not await partition.checkpoint()
    await partition.process(0, 1_000, b"", TICK)
    assert await partition.checkpoint()
    assert not await partition.checkpoint()
    assert await generations(settings) == [1]


async def test_two_own_generations_stay(settings: Settings, producer: AIOKafkaProducer) -> None:
    partition = a_partition(settings, producer)
    for offset in range(5):
        await partition.process(offset, 1_000 + offset, b"", TICK)
        await partition.checkpoint()
    assert await generations(settings) == [5, 4]


async def test_others_stay_until_the_own_is_old_and_only_what_was_found_goes(
    settings: Settings, producer: AIOKafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = a_partition(settings, producer)
    await before.process(0, 1_000, b"", TICK)
    await before.checkpoint()
    found = (await store.read(settings, topics.STATE.name, [0]))[0]
    zombie = a_partition(settings, producer, found)
    heir = a_partition(settings, producer, found)
    for owner, offset in ((zombie, 1), (heir, 2)):
        await owner.process(offset, 1_001, b"", TICK)
        await owner.checkpoint()
    offsets = [c.head.offset for c in await ground.checkpoints(settings, 0)]
    assert offsets == [2, 1, 0]
    monkeypatch.setattr(writer, "OTHERS_KEPT_S", 0.0)
    await zombie.process(3, 1_002, b"", TICK)
    await zombie.checkpoint()
    # The zombie knows nothing of its heir, so it can't delete what the heir wrote.
    left = await ground.checkpoints(settings, 0)
    assert [c.head.offset for c in left] == [3, 2, 1]


async def test_an_interrupted_checkpoint_leaves_the_one_before(
    settings: Settings, producer: AIOKafkaProducer
) -> None:
    partition = a_partition(settings, producer)
    await partition.process(0, 1_000, b"", TICK)
    await partition.checkpoint()
    await partition.process(1, 1_001, b"", TICK)
    partition.outbox.accept([MESSAGE])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(partition.checkpoint(), 0.2)
    assert await generations(settings) == [1]
    await partition.outbox.send()
    await partition.checkpoint()
    assert await generations(settings) == [2, 1]


async def test_a_new_day_puts_a_checkpoint_on_checkpoints(
    settings: Settings, producer: AIOKafkaProducer
) -> None:
    partition = a_partition(settings, producer)
    for offset, at in enumerate((DAY_MS - 2, DAY_MS - 1, DAY_MS, DAY_MS + 1)):
        await partition.process(offset, at, b"", TICK)
        await partition.checkpoint()
    archive = (await store.read(settings, topics.CHECKPOINTS.name, [0]))[0]
    assert [checkpoint.head.offset for checkpoint in archive.complete()] == [2]
    assert HEAD.encode() in b"".join(key for keys in archive.keys().values() for key in keys)


async def test_what_a_record_decides_is_sent_with_it(
    settings: Settings, producer: AIOKafkaProducer
) -> None:
    [host] = ground.hosts(settings, 1, partition=0)
    fleet = Fleet(target(host=host), partitions=settings.partitions)
    fleet.down("a", "b", "c")
    partition = a_partition(settings, producer)
    for record in fleet.log:
        value = batch.encode(record.results) if record.results else b""
        headers = control.headers(record.control) if record.control else []
        await partition.process(record.offset, record.append_time, value, headers)
    await asyncio.wait(partition.outbox.open(), timeout=10)
    sent = [record.value for record in await ground.incidents(settings)]
    assert sent == [incident.encode(event) for event in fleet.events]
    assert sent
