"""Several workers in one group: takeover, a woken zombie, giving back."""

import signal
from pathlib import Path

import pytest

from foundation.settings import Settings
from streams.replay.compare import compare
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, eventually


@pytest.fixture
def settings(kafka: str) -> Settings:
    return ground.fresh(kafka, partitions=4)


async def counted(settings: Settings, event: str, count: int) -> None:
    await eventually(
        lambda: ground.event_counts(settings), lambda counts: counts.get(event) == count, 60
    )


async def test_a_killed_worker_is_taken_over(settings: Settings, tmp_path: Path) -> None:
    names = ground.hosts(settings, 24)
    async with Log(settings) as log:
        await log.targets(names)
        with (
            Worker(settings, tmp_path, checkpoint_s=0.5) as victim,
            Worker(settings, tmp_path, checkpoint_s=0.5) as heir,
        ):
            await victim.says("partition assigned")
            await heir.says("partition assigned")
            await log.outage(names[:12])
            await counted(settings, "opened", 12)
            await log.outage(names[12:])
            victim.send(signal.SIGKILL)
            await victim.ends()
            await log.recovery(names)
            await counted(settings, "closed", 24)
    comparison = await compare(settings)
    assert comparison.agrees, comparison


async def test_a_woken_zombie_neither_loses_nor_undoes(settings: Settings, tmp_path: Path) -> None:
    names = ground.hosts(settings, 24)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names[:8])
        with Worker(settings, tmp_path, checkpoint_s=0.5) as zombie:
            await counted(settings, "opened", 8)
            await log.outage(names[8:12])
            zombie.send(signal.SIGSTOP)
            await log.outage(names[12:16])
            with Worker(settings, tmp_path, checkpoint_s=0.5) as heir:
                await counted(settings, "opened", 16)
                ends = await ground.log_ends(settings)
                await eventually(lambda: ground.acknowledged(settings), lambda seen: seen == ends)
                zombie.send(signal.SIGCONT)
                await log.outage(names[16:])
                await log.recovery(names)
                await counted(settings, "closed", 24)
                heir.send(signal.SIGTERM)
                assert await heir.ends() == 0
            # Whatever became of the zombie, its work is nowhere ahead and nowhere in the way.
            if zombie.process.poll() is None:
                zombie.send(signal.SIGTERM)
                await zombie.ends(20)
        for number, end in (await ground.log_ends(settings)).items():
            newest = (await ground.checkpoints(settings, number))[0]
            assert ends[number] <= newest.head.offset + 1 <= end
        await log.outage(names)
        with Worker(settings, tmp_path) as last:
            await counted(settings, "opened", 48)
            last.send(signal.SIGTERM)
            assert await last.ends() == 0
    comparison = await compare(settings)
    assert comparison.agrees, comparison


async def test_partitions_given_back_come_with_a_checkpoint(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 12)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path) as first:
            await counted(settings, "opened", 12)
            assert await ground.acknowledged(settings) == {}
            with Worker(settings, tmp_path) as second:
                await second.says("partition assigned")
                ends = await ground.log_ends(settings)
                for number, end in ends.items():
                    newest = (await ground.checkpoints(settings, number))[0]
                    assert newest.head.offset >= end - 2  # a tick may have come since
                assert '"source": "state"' in second.said()
                second.send(signal.SIGTERM)
                assert await second.ends() == 0
                await log.recovery(names)
                await counted(settings, "closed", 12)
            first.send(signal.SIGTERM)
            assert await first.ends() == 0
    comparison = await compare(settings)
    assert comparison.agrees, comparison


async def test_an_idle_partition_gets_ticks(settings: Settings, tmp_path: Path) -> None:
    async with Log(settings):
        with Worker(settings, tmp_path):
            await eventually(lambda: ground.log_ends(settings), lambda ends: all(ends.values()), 40)
