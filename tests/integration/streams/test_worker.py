"""One worker on the real broker: events, checkpoints, acknowledgement, and every way to end it."""

import signal
from pathlib import Path

import msgspec
import pytest

from foundation import kafka as clients
from foundation.settings import Settings
from schemas import incident, topics
from schemas.incident import IncidentEvent
from schemas.partition import partition_for
from streams.checkpoint import decoder
from streams.replay.compare import compare
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, all_acknowledged, eventually, opened


@pytest.fixture
def settings(kafka: str) -> Settings:
    return ground.fresh(kafka)


async def test_an_outage_travels_to_incidents_with_its_headers_and_partition(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTQUORUM_INSTALLATION", "acme-eu")
    names = ground.hosts(settings, 6)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path):
            await opened(settings, 6)
    for record in await ground.incidents(settings):
        event = incident.decode(record.value)
        assert isinstance(event, IncidentEvent)
        assert record.key == event.target.encode()
        assert record.partition == partition_for(event.target, settings.partitions)
        assert list(record.headers) == incident.headers(event, "/acme-eu/stream")


async def test_a_graceful_stop_checkpoints_and_acknowledges_everything(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 6)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path) as worker:
            await opened(settings, 6)
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
    ends = await ground.log_ends(settings)
    assert await ground.acknowledged(settings) == ends
    for partition, end in ends.items():
        assert (await ground.checkpoints(settings, partition))[0].head.offset == end - 1
    assert (await compare(settings)).agrees


async def test_nothing_is_acknowledged_that_no_checkpoint_covers(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 4)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path) as worker:
            await opened(settings, 4)
            assert await ground.acknowledged(settings) == {}
            await worker.killed()
        with Worker(settings, tmp_path, checkpoint_s=0.5):
            ends = await ground.log_ends(settings)
            await eventually(lambda: ground.acknowledged(settings), lambda seen: seen == ends)


async def test_kill_9_in_the_middle_gives_the_same_events_again(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 30)
    async with Log(settings) as log:
        await log.targets(names)
        for victim in range(2):
            with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
                await worker.says("partition assigned")
                await log.outage(names[victim * 10 : victim * 10 + 10])
                await log.recovery(names[victim * 10 : victim * 10 + 5])
                await worker.killed()
        await log.outage(names[20:])
        with Worker(settings, tmp_path):
            await opened(settings, 30)
            await eventually(
                lambda: ground.event_counts(settings), lambda counts: counts.get("closed") == 10
            )
    comparison = await compare(settings)
    assert comparison.agrees, comparison
    assert comparison.same >= 40


async def test_records_that_a_checkpoint_covers_are_not_applied_again(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 4)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path) as worker:
            await opened(settings, 4)
            worker.send(signal.SIGTERM)
            await worker.ends()
        await ground.rewind_group(settings)
        with Worker(settings, tmp_path, checkpoint_s=0.5):
            await log.recovery(names)
            await eventually(
                lambda: ground.event_counts(settings), lambda counts: counts.get("closed") == 4
            )
        kinds = [incident.decode(r.value).event for r in await ground.incidents(settings)]
        assert kinds.count("opened") == 4
    assert (await compare(settings)).agrees


async def test_many_records_that_the_state_has_are_jumped_over(
    settings: Settings, tmp_path: Path
) -> None:
    [name] = ground.hosts(settings, 1, partition=0)
    async with Log(settings) as log:
        await log.targets([name])
        await log.empty(0, 3_000)
        with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
            await all_acknowledged(settings, 0)
            worker.send(signal.SIGTERM)
            await worker.ends()
        await ground.rewind_group(settings)
        with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
            await log.outage([name])
            await opened(settings, 1)
            assert '"to": 3001' in worker.said()
            await all_acknowledged(settings, 0)
    assert (await compare(settings)).agrees


async def test_what_cannot_be_read_is_passed_over(settings: Settings, tmp_path: Path) -> None:
    [name] = ground.hosts(settings, 1, partition=0)
    async with Log(settings) as log:
        await log.targets([name])
        await log.raw(0, None)
        await log.raw(0, b"")
        await log.raw(0, b"\xff\xfe not a result\n{}\n")
        await log.raw(0, b"", [("portquorum-control", b"{")])
        await log.raw(0, b"", [("portquorum-control", b'{"control":"tomorrow"}')])
        await log.raw(0, b"[" * 100_000)
        await log.outage([name])
        with Worker(settings, tmp_path, checkpoint_s=0.3):
            await opened(settings, 1)
            await all_acknowledged(settings, 0)


async def test_a_log_that_was_made_anew_gets_a_new_state(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 4, partition=0)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path) as worker:
            await opened(settings, 4)
            worker.send(signal.SIGTERM)
            await worker.ends()
    await ground.delete_topic(settings, topics.RESULTS.name)
    async with Log(settings) as log:
        await log.targets(names[:1])
        await log.outage(names[:1])
        with Worker(settings, tmp_path) as worker:
            await opened(settings, 5)
            assert "belong to a log that is no more" in worker.said()
            worker.send(signal.SIGTERM)
            await worker.ends()
    [checkpoint] = await ground.checkpoints(settings, 0)
    assert checkpoint.head.offset == (await ground.log_ends(settings))[0] - 1


async def test_an_event_that_is_not_confirmed_ends_the_process_and_comes_later(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 2)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        await set_largest_message(settings, "10")
        with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
            assert await worker.ends() == 70
            assert "did not confirm a message to [incidents]" in worker.said()
        for number in range(settings.partitions):
            for checkpoint in await ground.checkpoints(settings, number):
                state = decoder.decode(checkpoint.chunks, number, settings.partitions)
                assert all(entry.incident is None for entry in state.targets.values())
        await set_largest_message(settings, "1048588")
        with Worker(settings, tmp_path):
            await opened(settings, 2)
    assert (await compare(settings)).agrees


async def set_largest_message(settings: Settings, size: str) -> None:
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    admin = clients.admin(settings)
    await admin.start()
    resource = ConfigResource(
        ConfigResourceType.TOPIC,
        settings.topic(topics.INCIDENTS.name),
        {"max.message.bytes": size},
    )
    await admin.alter_configs([resource])
    await admin.close()


async def test_another_partition_count_is_refused_in_a_sentence(
    settings: Settings, tmp_path: Path
) -> None:
    await clients.create_topics(settings)
    other = msgspec.structs.replace(settings, partitions=3)
    with Worker(other, tmp_path) as worker:
        assert await worker.ends() == 1
        assert "has 2 partitions, the settings say 3" in worker.said()


async def test_a_signal_while_waiting_for_the_broker_ends_the_worker(tmp_path: Path) -> None:
    with Worker(ground.fresh("127.0.0.1:1"), tmp_path) as worker:
        await worker.says("waiting for Kafka")
        worker.send(signal.SIGTERM)
        assert await worker.ends() == 0
