"""`portquorum replay` and `checkpoint` as a user calls them, beside a real worker."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from msgspec import structs

from foundation import kafka as clients
from foundation.settings import Settings
from foundation.upgrade_order import own_version
from schemas import incident, topics
from streams import results_log
from streams.checkpoint import archive, store
from streams.checkpoint.model import PartitionCheckpoints
from streams.checkpoint.writer import CheckpointWriter
from streams.replay.compare import compare
from streams.replay.replay_range import Span
from tests.commands import Said, called
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, eventually

PARTITION = 1


@pytest.fixture
def settings(kafka: str) -> Settings:
    return ground.fresh(kafka)


def call(settings: Settings, folder: Path, *arguments: str) -> Said:
    names = {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": str(settings.partitions),
        "PORTQUORUM_DATA_DIR": str(folder),
        "COLUMNS": "200",
    }
    return called(folder, names, *arguments)


async def answer(
    settings: Settings, folder: Path, *arguments: str, code: int = 0
) -> dict[str, Any]:
    done = await asyncio.to_thread(call, settings, folder, *arguments, "--json")
    assert done.returncode == code, done.stderr + done.stdout
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found


async def all_acknowledged(settings: Settings) -> None:
    ends = {number: end for number, end in (await ground.log_ends(settings)).items() if end}
    await eventually(
        lambda: ground.acknowledged(settings),
        lambda found: all(found.get(number) == end for number, end in ends.items()),
    )


async def history(settings: Settings, log: Log, folder: Path) -> list[str]:
    """Outages and recoveries of four hosts in one partition, all of it acknowledged."""
    names = ground.hosts(settings, 4, partition=PARTITION)
    await log.targets(names)
    with Worker(settings, folder, checkpoint_s=0.3) as worker:
        await log.outage(names[:2])
        await eventually(lambda: ground.incidents(settings), lambda found: len(found) >= 2)
        await log.recovery(names[:1])
        await log.empty(PARTITION, 1)
        await all_acknowledged(settings)
        worker.send(signal.SIGTERM)
        await worker.ends()
    return names


async def test_the_events_of_a_worker_are_given_again_byte_for_byte(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings) as log:
        await history(settings, log, tmp_path)
    found = await answer(settings, tmp_path, "replay", "--from", "10m")
    sent = await ground.event_counts(settings)
    assert sent["opened"] == 2
    assert found["identical"] is True
    assert found["given"] == found["same"] == sum(sent.values())
    sources = {one["partition"]: one["source"] for one in found["partitions"]}
    assert sources[PARTITION] == "nothing"
    alone = await answer(settings, tmp_path, "replay", "--from", "10m", "--partition", "0")
    assert (alone["given"], len(alone["partitions"])) == (0, 1)


async def test_an_event_with_another_byte_is_the_first_difference(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings) as log:
        await history(settings, log, tmp_path)
        first = (await ground.incidents(settings))[0]
        forged = first.value.replace(b'"severity":"warning"', b'"severity":"info"')
        assert forged != first.value
        async with clients.producer(settings) as producer:
            topic = settings.topic(topics.INCIDENTS.name)
            await producer.send_and_wait(topic, forged, partition=PARTITION)
    event_id = incident.decode(first.value).event_id
    found = await answer(settings, tmp_path, "replay", "--from", "10m", code=1)
    assert found["identical"] is False
    assert found["different"] == [event_id]
    assert found["first_difference"]["event_id"] == event_id
    assert found["first_difference"]["replayed"]["event"] == msgspec.json.decode(first.value)
    assert found["first_difference"]["sent"]["event"] == msgspec.json.decode(forged)
    shown = await asyncio.to_thread(call, settings, tmp_path, "replay", "--from", "10m")
    assert shown.returncode == 1
    assert '-  "severity": "info",' in shown.stdout
    assert '+  "severity": "warning",' in shown.stdout


async def test_an_event_that_is_not_sent_is_missing_and_one_that_nothing_gives_unexpected(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings) as log:
        names = await history(settings, log, tmp_path)
        sent = [incident.decode(record.value) for record in await ground.incidents(settings)]
        stranger = msgspec.structs.replace(sent[0], event_id="00000000-stranger", at=sent[0].at)
        async with clients.producer(settings) as producer:
            topic = settings.topic(topics.INCIDENTS.name)
            value = incident.encode(stranger)
            await producer.send_and_wait(topic, value, partition=PARTITION)
        # Beyond what the stream has acknowledged nothing is missed.
        await log.outage(names[2:])
    told = await answer(settings, tmp_path, "replay", "--from", "10m", code=1)
    assert told["unexpected"] == [stranger.event_id]
    assert told["missing"] == []
    all_of_it = await compare(settings)
    assert len(all_of_it.missing) >= 2
    assert all_of_it.unexpected == [stranger.event_id]


async def test_it_starts_on_the_checkpoint_before_the_time_and_compares_only_from_there(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings) as log:
        names = await history(settings, log, tmp_path)
        archived = await answer(settings, tmp_path, "checkpoint")
        [copied] = [one for one in archived["archived"] if one["partition"] == PARTITION]
        assert copied["offset"] == (await ground.log_ends(settings))[PARTITION] - 1
        assert copied["bytes"] > 0
        since = copied["now"] + 1
        with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
            await log.outage(names[2:])
            await log.empty(PARTITION, 1)
            await all_acknowledged(settings)
            worker.send(signal.SIGTERM)
            await worker.ends()
        await ground.forget_state(settings, PARTITION)
    found = await compare(settings, partitions=[PARTITION], span=Span(since), acknowledged=True)
    assert found.agrees, found
    [origin] = found.origins
    assert (origin.source, origin.offset) == ("checkpoints", copied["offset"])
    events = [incident.decode(record.value) for record in await ground.incidents(settings)]
    assert found.given == len({event.event_id for event in events if event.at >= since}) > 0
    until = copied["now"]
    before = await compare(settings, partitions=[PARTITION], span=Span(0, until))
    assert before.agrees, before
    assert before.origins[0].source == "nothing"
    assert before.given == len({event.event_id for event in events if event.at <= until}) > 0


async def test_after_an_upgrade_it_begins_where_the_new_version_did(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings) as log:
        names = await history(settings, log, tmp_path)
        found = (await store.read(settings, "state", [PARTITION]))[PARTITION].complete()[0]
        assert (found.head.version, found.head.judged_from) == (own_version(), 0)
        await ground.forget_state(settings, PARTITION)
        async with clients.producer(settings) as producer:
            # As 0.1 wrote it.
            writer = CheckpointWriter(settings, producer, PartitionCheckpoints(PARTITION))
            await writer.write(list(found.chunks), found.head.offset, found.head.now)
        with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
            await log.outage(names[2:])
            await log.empty(PARTITION, 1)
            await all_acknowledged(settings)
            worker.send(signal.SIGTERM)
            await worker.ends()
    arguments = ("replay", "--from", "1h", "--partition", str(PARTITION))
    said = await answer(settings, tmp_path, *arguments)
    [origin] = said["partitions"]
    first = found.head.offset + 1
    assert (origin["source"], origin["first"]) == ("checkpoints", first)
    assert (origin["judged_by"], origin["judged_from"]) == (own_version(), first)
    [note] = said["notes"]
    assert f"before offset {first} was decided by an older version" in note
    assert 0 < said["given"] < len(await ground.incidents(settings))


async def test_a_log_that_no_longer_reaches_back_is_said(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings) as log:
        names = await history(settings, log, tmp_path)
        await archive.write_archive(settings)
        end = (await ground.log_ends(settings))[PARTITION]
        with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
            await log.outage(names[2:])
            await log.empty(PARTITION, 1)
            await all_acknowledged(settings)
            worker.send(signal.SIGTERM)
            await worker.ends()
        # What of [state] a replay would begin on depends on when the worker happened to write it.
        await ground.forget_state(settings, PARTITION)
    admin = clients.admin(settings)
    await admin.start()
    try:
        part = TopicPartition(settings.topic(topics.RESULTS.name), PARTITION)
        await admin.delete_records({part: RecordsToDelete(before_offset=end - 3)})
        found = await answer(settings, tmp_path, "replay", "--from", "1h")
        assert found["partitions"][PARTITION]["source"] == "checkpoints"
        assert found["partitions"][PARTITION]["first"] == end
        assert found["notes"]
        assert "the log no longer reaches back so far" in found["notes"][0]
        # Without any state that the log follows on, the events need not be the same.
        await admin.delete_records({part: RecordsToDelete(before_offset=end + 2)})
        shown = await asyncio.to_thread(call, settings, tmp_path, "replay", "--from", "1h")
        assert "no longer reaches back to a state" in shown.stderr
    finally:
        await admin.close()


async def test_ranges_of_several_partitions_are_read_at_once_each_in_order(
    settings: Settings,
) -> None:
    settings = structs.replace(settings, partitions=4)
    async with Log(settings) as log:
        for partition, count in enumerate((120, 3, 0, 70)):
            await log.empty(partition, count)
    ranges = {0: (5, 115), 1: (0, 2), 2: (0, 0), 3: (60, 70)}
    found: dict[int, list[int]] = {}
    async for record in results_log.read_all(settings, ranges):
        found.setdefault(record.partition, []).append(record.offset)
    assert found == {number: list(range(*span)) for number, span in ranges.items() if number != 2}
    assert [one async for one in results_log.read_all(settings, {2: (0, 0)})] == []


async def test_wrong_use_is_2(settings: Settings, tmp_path: Path) -> None:
    async with Log(settings):
        pass
    for arguments in (
        ("--from", "yesterday"),
        ("--from", "1h", "--to", "2h"),
        ("--from", "1h", "--partition", "2"),
    ):
        done = await asyncio.to_thread(call, settings, tmp_path, "replay", *arguments)
        assert done.returncode == 2, done.stderr
        assert "expected" in done.stderr


async def test_a_cluster_without_checkpoints_has_nothing_to_copy(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings):
        pass
    found = await answer(settings, tmp_path, "checkpoint", code=1)
    assert found == {"archived": [], "partitions": 2}
    shown = await asyncio.to_thread(call, settings, tmp_path, "checkpoint")
    assert "no partition has a checkpoint" in shown.stdout


async def test_a_replay_of_the_future_has_nothing_to_do(settings: Settings, tmp_path: Path) -> None:
    async with Log(settings) as log:
        await history(settings, log, tmp_path)
    tomorrow = Span(int(time.time() * 1000) + 86_400_000)
    found = await compare(settings, span=tomorrow, acknowledged=True)
    assert (found.agrees, found.given, found.records) == (True, 0, 0)
