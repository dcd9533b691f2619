"""Parts of checkpoints are lost, or all of [state]: what a worker starts from then.

Each time the events that it sends again have the same ids and bytes, and in the end the state is,
byte for byte, the one that the log gives from nothing.
"""

import random
import signal
from pathlib import Path

import pytest

from foundation import kafka as clients
from foundation.settings import Settings
from schemas import topics
from schemas.checkpoint import HEAD, MAX_CHUNK_BYTES, CheckpointKey
from streams.checkpoint.archive import write_archive
from streams.checkpoint.model import Checkpoint
from streams.replay.compare import compare
from tests.integration.streams import ground
from tests.integration.streams.ground import (
    Log,
    Worker,
    all_acknowledged,
    eventually,
    folded,
    opened,
)

PARTITION = 0
PARTS = ("0", "1", "2", "3", HEAD)
"""Each part of the checkpoints that are made here: frame, notes if there are any, two blocks."""


@pytest.fixture
def settings(kafka: str) -> Settings:
    return ground.fresh(kafka)


async def some_targets(log: Log, settings: Settings) -> list[str]:
    """Six, two of which fill a chunk each, whatever else a state holds of a target."""
    names = ground.hosts(settings, 6, PARTITION)
    prose = random.Random(1).randbytes(MAX_CHUNK_BYTES * 2 // 5).hex()  # noqa: S311 - no compressor helps
    await log.targets(names[:2], purpose=prose)
    await log.targets(names[2:])
    return names


async def two_checkpoints(
    log: Log, settings: Settings, folder: Path, names: list[str]
) -> tuple[Checkpoint, Checkpoint]:
    """The newest and the one before; an incident opened after each but the newest."""
    with Worker(settings, folder, checkpoint_s=0.3) as worker:
        for name in names:
            await log.outage([name])
            await all_acknowledged(settings, PARTITION)
        await worker.killed()
    newest, older, *_ = await ground.checkpoints(settings, PARTITION)
    assert newest.head.offset > older.head.offset
    assert 3 <= len(newest.chunks) == len(older.chunks) < len(PARTS)
    return newest, older


async def put(
    settings: Settings, checkpoint: Checkpoint, part: str, value: bytes | None = None
) -> None:
    if part.isdecimal():
        part = str(min(int(part), len(checkpoint.chunks) - 1))
    key = CheckpointKey(checkpoint.writer, checkpoint.generation, part).encode()
    async with clients.producer(settings) as producer:
        await producer.send_and_wait(
            settings.topic(topics.STATE.name), key=key, value=value, partition=PARTITION
        )


async def goes_on_from(
    log: Log, folder: Path, names: list[str], *, offset: int, source: str
) -> Worker:
    """A worker starts from `offset`, all of `names` recover, and everything is as it should be."""
    settings = log.settings
    with Worker(settings, folder) as worker:
        said = await worker.restored(PARTITION)
        assert (said.offset, said.source) == (offset, source)
        await log.recovery(names)
        await eventually(
            lambda: ground.event_counts(settings), lambda counts: counts.get("closed") == len(names)
        )
        worker.send(signal.SIGTERM)
        assert await worker.ends() == 0
    newest, *_ = await ground.checkpoints(settings, PARTITION)
    end = (await ground.log_ends(settings))[PARTITION]
    assert end - 2 <= newest.head.offset < end  # a tick may have come since
    assert newest.chunks == await folded(settings, PARTITION, newest.head.offset)
    comparison = await compare(settings)
    assert comparison.agrees, comparison
    return worker


async def assert_sent_again(settings: Settings) -> None:
    """Some events are there twice; `ground.incidents` checks that their bytes are the same."""
    assert len(await ground.incidents(settings)) > sum(
        (await ground.event_counts(settings)).values()
    )


@pytest.mark.parametrize(
    "part",
    # Every one costs a minute: those in the middle are lost in the long form alone.
    [pytest.param(part, marks=pytest.mark.soak if part in {"1", "2"} else ()) for part in PARTS],
)
async def test_a_checkpoint_that_lost_a_part_gives_way_to_the_one_before(
    settings: Settings, tmp_path: Path, part: str
) -> None:
    async with Log(settings) as log:
        names = await some_targets(log, settings)
        newest, older = await two_checkpoints(log, settings, tmp_path, names)
        await put(settings, newest, part)
        await goes_on_from(log, tmp_path, names, offset=older.head.offset, source="state")
    await assert_sent_again(settings)


@pytest.mark.parametrize("part", ["1", HEAD])
async def test_a_checkpoint_with_a_part_of_garbage_gives_way_to_the_one_before(
    settings: Settings, tmp_path: Path, part: str
) -> None:
    async with Log(settings) as log:
        names = await some_targets(log, settings)
        newest, older = await two_checkpoints(log, settings, tmp_path, names)
        await put(settings, newest, part, b"\x93garbage")
        await goes_on_from(log, tmp_path, names, offset=older.head.offset, source="state")
    await assert_sent_again(settings)


async def test_if_every_checkpoint_lost_a_part_the_log_is_read_from_its_beginning(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings) as log:
        names = await some_targets(log, settings)
        await two_checkpoints(log, settings, tmp_path, names)
        kept = await ground.checkpoints(settings, PARTITION)
        for number, checkpoint in enumerate(kept):
            await put(settings, checkpoint, PARTS[number % len(PARTS)])
        worker = await goes_on_from(log, tmp_path, names, offset=-1, source="nothing")
        assert "nothing, at the beginning of the log" in worker.said()
    await assert_sent_again(settings)


async def test_a_lost_topic_state_is_rebuilt_from_the_log(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings) as log:
        names = await some_targets(log, settings)
        await two_checkpoints(log, settings, tmp_path, names)
        await ground.delete_topic(settings, topics.STATE.name)
        await clients.create_topics(settings)
        worker = await goes_on_from(log, tmp_path, names, offset=-1, source="nothing")
        assert "nothing, at the beginning of the log" in worker.said()
    await assert_sent_again(settings)


async def test_a_lost_topic_state_is_rebuilt_from_checkpoints_if_there_is_one(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings) as log:
        names = await some_targets(log, settings)
        with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
            await log.outage(names[:2])
            end = await all_acknowledged(settings, PARTITION)
            [archived] = await write_archive(settings)
            assert (archived.partition, archived.offset) == (PARTITION, end - 1)
            await log.outage(names[2:])
            await opened(settings, len(names))
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
        await ground.delete_topic(settings, topics.STATE.name)
        await clients.create_topics(settings)
        worker = await goes_on_from(log, tmp_path, names, offset=-1, source="nothing")
        assert "the newest checkpoint on [checkpoints]" in worker.said()
        assert f'"first": {end}' in worker.said()
    await assert_sent_again(settings)
    assert (await compare(settings, start="checkpoint")).agrees


async def test_checkpoints_that_are_lost_under_a_running_worker_are_written_anew(
    settings: Settings, tmp_path: Path
) -> None:
    async with Log(settings) as log:
        names = await some_targets(log, settings)
        with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
            await log.outage(names[:3])
            await all_acknowledged(settings, PARTITION)
            await ground.forget_state(settings, PARTITION)
            await log.outage(names[3:])
            end = await all_acknowledged(settings, PARTITION)
            await worker.killed()
        await goes_on_from(log, tmp_path, names, offset=end - 1, source="state")
