"""aiokafka's clients break in ways that they do not recover from: the sink gets new ones."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from foundation.kafka import admin, consumer, leave, vital_tasks
from foundation.settings import Settings
from schemas import batch
from sinks.clickhouse.errors import SinkTaskEndedError
from sinks.clickhouse.sink import Sink
from sinks.clickhouse.tables import OF_TOPIC
from tests.integration.sinks.clickhouse import junk_leader, rig


async def test_dead_letters_go_on_after_one_was_refused(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    """What is refused, or expires, leaves a hole in the producer's sequence numbers."""
    settings = rig.used_place(kafka, clickhouse, "refused", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    good = rig.results(0, 3)

    async def send(bad: bytes, number: int) -> None:
        value = batch.encode(good[number : number + 1]) + bad + b"\n"
        await producer.send_and_wait(settings.topic("results"), value, partition=0)

    log = tmp_path / "log"
    try:
        with rig.SinkProcess(settings, log) as sink:
            await send(b"bad", 0)
            await rig.until(lambda: rig.count(client, settings, "deadletter") == 1)
            await _largest_message(settings, 10)
            await send(b"worse", 1)
            await rig.until(lambda: _said(log, "block not finished"))
            await _largest_message(settings, 1_000_000)
            await rig.until(lambda: rig.count(client, settings, "deadletter") == 2)
            await send(b"worst", 2)
            await rig.until(lambda: rig.count(client, settings, "deadletter") == 3)
            await rig.until(lambda: rig.stored(client, settings) == 3)
            assert sink.end() == 0
        rig.counts_agree(client, settings, 3)
    finally:
        await producer.stop()


async def test_the_sink_begins_again_when_its_membership_died(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    """An assignment that can't be read ends aiokafka's coordination, and nothing else of it."""
    settings = rig.used_place(kafka, clickhouse, "junk")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    log = tmp_path / "log"
    try:
        await rig.send_results(producer, settings, rig.results(0, 300))
        with _junk_leader(settings) as leader, rig.SinkProcess(settings, log) as sink:
            await rig.until(lambda: rig.stored(client, settings) > 0)
            assert leader.stdin is not None
            leader.stdin.write(b"now\n")
            leader.stdin.flush()
            await rig.until(lambda: _said(log, "the sink ended and begins again"))
            leader.kill()
            await rig.until(lambda: rig.stored(client, settings) == 300)
            assert sink.end() == 0
        rig.counts_agree(client, settings, 300)
    finally:
        await producer.stop()


@pytest.mark.parametrize("which", range(4), ids=["fetches", "coordination", "metadata", "lane"])
async def test_nothing_that_the_sink_lives_by_ends_unseen(kafka: str, which: int) -> None:
    """Of most of these aiokafka takes no notice: it reads nothing more, and stays a member."""
    settings = rig.place(kafka, "http://127.0.0.1:1", "parts")
    producer = await rig.ready(settings)
    await producer.stop()
    sink = Sink(settings)
    task = asyncio.create_task(sink.run(asyncio.Event()))
    await rig.until(lambda: sink._services and sink._lanes)
    client = sink._services.consumer
    _, lane = next(iter(sink._lanes.values()))
    vital = vital_tasks(client)
    [*vital, lane][which].cancel()
    with pytest.raises(SinkTaskEndedError, match="ended"):
        await asyncio.wait_for(task, 60)
    assert all(part.done() for part in vital)
    assert sink._lanes == {}


async def test_a_consumer_that_does_not_stop_is_left_without_a_task(kafka: str) -> None:
    settings = rig.place(kafka, "http://127.0.0.1:1", "leave")
    producer = await rig.ready(settings)
    await producer.stop()
    client: AIOKafkaConsumer = consumer(
        settings, settings.topic("results"), group_id=settings.group("sink")
    )
    await client.start()
    await rig.until(client.assignment)
    heartbeat = client._coordinator._heartbeat_task
    tasks = [*vital_tasks(client), heartbeat]
    assert len(tasks) == 4
    assert not any(task.done() for task in tasks)
    await leave(client, 0.0)
    assert all(task.done() for task in tasks)


async def test_new_lanes_read_nothing_while_clickhouse_is_away(kafka: str) -> None:
    settings = rig.place(kafka, "http://127.0.0.1:1", "newlanes")
    producer = await rig.ready(settings)
    stop = asyncio.Event()
    first, second = Sink(settings), Sink(settings)
    tasks = [asyncio.create_task(first.run(stop))]
    try:
        await rig.until(lambda: first._services and first._services.consumer.assignment())
        before = first._services.consumer.assignment()
        await rig.until(lambda: not first._services.writer.is_up)
        # Another member: the lanes of the first are made anew, and ClickHouse is known to be away.
        tasks.append(asyncio.create_task(second.run(stop)))
        await rig.until(lambda: second._services and second._services.consumer.assignment())
        await rig.until(lambda: 0 < len(first._services.consumer.assignment()) < len(before))
        # The second learns it from a lane that asks ClickHouse where to begin. One that need not
        # ask may have begun before.
        asking = {
            settings.topic(name)
            for name, tables in OF_TOPIC.items()
            if any(table.unique is None for table in tables)
        }
        for sink, topics in ((first, None), (second, asking)):
            mine = sink._services.consumer
            await rig.until(
                lambda mine=mine, topics=topics: (
                    {part for part in mine.assignment() if topics is None or part.topic in topics}
                    <= mine.paused()
                )
            )
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        await producer.stop()


@contextmanager
def _junk_leader(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    program = [sys.executable, junk_leader.__file__, settings.kafka, settings.group("sink")]
    process = subprocess.Popen(
        [*program, settings.topic("results")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"leading\n"
        yield process
    finally:
        process.kill()
        process.wait(20)


async def _largest_message(settings: Settings, size: int) -> None:
    """What [deadletter] takes: with 10 bytes it refuses each message, as no retry can change."""
    client = admin(settings)
    await client.start()
    try:
        name = settings.topic("deadletter")
        change = {"max.message.bytes": str(size)}
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, change)])
    finally:
        await client.close()


def _said(log: Path, text: str) -> int:
    return sum(text in line["event"] for line in rig.log_of(log))
