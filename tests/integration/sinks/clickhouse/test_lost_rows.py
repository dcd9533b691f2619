"""What ClickHouse has lost comes back from the log."""

import asyncio
import sys
from pathlib import Path

import pytest
from aiokafka.errors import NonEmptyGroup
from msgspec.structs import replace

from sinks.clickhouse.lost_rows import _forget, forget_commits
from tests.integration.sinks.clickhouse import rig


async def test_lost_rows_come_back_from_the_log(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "lost")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 600))
        for partition in range(settings.partitions):
            await rig.commit(settings, "results", partition, 2, "")

        # A database that has its migrations is none that was lost.
        before = await rig.committed(settings)
        await forget_commits(settings, reread=False)
        assert await rig.committed(settings) == before

        # An older copy of the database came back: it lacks rows that were committed.
        await forget_commits(settings, reread=True)
        assert await rig.committed(settings) == {}
        with rig.SinkProcess(settings, tmp_path / "log") as sink:
            await rig.until(lambda: rig.stored(client, settings) == 600)
            # What a running sink has committed is its own: the group is not deleted under it.
            with pytest.raises(NonEmptyGroup):
                await _forget(settings)
            assert sink.end() == 0
        rig.counts_agree(client, settings, 600)

        # The database itself is lost: there is none of that name.
        lost = replace(settings, clickhouse=f"{settings.clickhouse}_lost")
        await forget_commits(lost, reread=False)
        assert await rig.committed(settings) == {}
    finally:
        client.close()
        await producer.stop()


async def test_a_sink_rereads_what_an_older_copy_lacks(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    """`portquorum sink --reread`, as an operator starts it."""
    settings = rig.used_place(kafka, clickhouse, "reread")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 600))
        for partition in range(settings.partitions):
            await rig.commit(settings, "results", partition, 2, "")
        with (tmp_path / "log").open("wb") as log:
            sink = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "portquorum", "sink", "--reread"),
                env=rig.environment(settings),
                stdout=log,
                stderr=log,
            )
        try:
            await rig.until(lambda: rig.stored(client, settings) == 600)
            sink.terminate()
            assert await sink.wait() == 0, (tmp_path / "log").read_text()
        finally:
            if sink.returncode is None:
                sink.kill()
                await sink.wait()
        rig.counts_agree(client, settings, 600)
    finally:
        client.close()
        await producer.stop()
