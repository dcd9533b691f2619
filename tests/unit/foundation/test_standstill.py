"""Since when a partition stands still, and since when a topic confirms nothing."""

import asyncio

import pytest
from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY

from foundation.kafka.reconnecting_producer import KeyedMessage, ReconnectingProducer
from foundation.settings import Settings
from foundation.standstill import GIVEN_UP_S, PartitionProgress, WriteWaits


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def gauge(topic: str, partition: int) -> float | None:
    return REGISTRY.get_sample_value(
        "portquorum_partition_idle_seconds", {"topic": topic, "partition": str(partition)}
    )


def test_a_partition_with_nothing_to_do_does_not_stand_still() -> None:
    clock = Clock()
    progress = PartitionProgress(clock)
    assert progress.show("still", 0, 10, 10) == 0
    clock.now += 1000
    assert progress.show("still", 0, 10, 10) == 0
    clock.now += 5
    # Its end has moved since the last look: nobody knows when.
    assert progress.show("still", 0, 10, 11) == 5
    clock.now += 20
    assert progress.show("still", 0, 10, 40) == 25
    assert gauge("still", 0) == 25
    assert progress.show("still", 0, 11, 40) == 0
    progress.forget("still", 0)
    assert gauge("still", 0) is None
    progress.forget("still", 0)


def test_partitions_stand_still_by_themselves() -> None:
    clock = Clock()
    progress = PartitionProgress(clock)
    for done in range(5):
        clock.now += 10
        progress.show("each", 0, done, 9)
        progress.show("each", 1, 3, 9)
    assert (gauge("each", 0), gauge("each", 1)) == (0, 40)


def test_the_wait_goes_on_over_tries_made_again() -> None:
    clock = Clock()
    waits = WriteWaits(clock)
    for _ in range(4):
        write = waits.begin("a")
        clock.now += 10
        write.failed()
        clock.now += 5
    assert waits.longest("a") == 60
    assert waits.longest("b") == 0
    waits.begin("a").confirmed()
    assert waits.longest("a") == 0


def test_what_is_given_up_waits_no_more() -> None:
    clock = Clock()
    waits = WriteWaits(clock)
    waits.begin("a").failed()
    clock.now += GIVEN_UP_S + 1
    assert waits.longest("a") == 0
    again = waits.begin("a")
    clock.now += 3
    assert waits.longest("a") == 3
    again.failed()
    again.failed()


def test_a_partition_that_confirms_nothing_is_not_hidden_by_the_others() -> None:
    clock = Clock()
    waits = WriteWaits(clock)
    stuck = waits.begin("a", 1)
    for _ in range(6):
        clock.now += 10
        waits.begin("a", 0).confirmed()
    assert waits.longest("a") == 60
    one, two = waits.begin("a", 0), waits.begin("a", 0)
    clock.now += 10
    one.confirmed()
    clock.now += 10
    assert waits.longest("a") == 80
    stuck.confirmed()
    assert waits.longest("a") == 10
    two.confirmed()
    assert waits.longest("a") == 0


async def test_a_producer_without_a_broker_waits() -> None:
    producer = ReconnectingProducer(Settings(kafka="127.0.0.1:1", topic_prefix="p"))
    for _ in range(2):
        with pytest.raises((KafkaError, OSError)):
            await producer.write("p.unwritten", [KeyedMessage(b"k", b"v")])
        await asyncio.sleep(0.01)
    wait_s = REGISTRY.get_sample_value("portquorum_write_wait_seconds", {"topic": "unwritten"})
    assert wait_s is not None
    assert wait_s > 0
    await producer.close(0.1)
