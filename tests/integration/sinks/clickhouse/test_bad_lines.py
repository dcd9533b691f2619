"""A topic that is mostly garbage stops the sink, before it is drained into the dead letters."""

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec

from schemas import batch
from tests.integration.sinks.clickhouse import rig


async def test_a_topic_of_garbage_stops_the_sink_and_nothing_of_it_is_lost(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "spoiled", partitions=1, sink_block_rows=50_000)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    topic = settings.topic("results")
    try:
        with rig.SinkProcess(settings, tmp_path / "log") as sink:
            await rig.send_results(producer, settings, rig.results(0, 500))
            await rig.until(lambda: rig.stored(client, settings) == 500)
            garbage = [await producer.send(topic, b"bad\n" * 100, partition=0) for _ in range(60)]
            await asyncio.gather(*garbage)
            await rig.send_results(producer, settings, rig.results(500, 500))
            assert await asyncio.to_thread(sink.wait) == 1
        assert rig.stored(client, settings) == 500
        # The command says it in one sentence; begun again it stops before it has done anything.
        command = [sys.executable, "-m", "portquorum.cli", "sink"]
        environment = rig.environment(settings)
        ran = await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 1
        said = " ".join((ran.stdout + ran.stderr).split())
        assert f"lines on {topic} can't be read" in said
        assert "Traceback" not in said
        assert rig.count(client, settings, "deadletter") <= 60
        # Told to go on it drains all: a message without one good line is one dead letter.
        goes_on = msgspec.structs.replace(settings, sink_bad_lines_ratio=1.0)
        with rig.SinkProcess(goes_on, tmp_path / "log") as sink:
            await rig.until(lambda: rig.stored(client, settings) == 1_000)
            await rig.until(lambda: rig.count(client, settings, "deadletter") == 60)
            assert sink.end() == 0
        rig.counts_agree(client, settings, 1_000)
    finally:
        await producer.stop()


async def test_one_odd_message_stops_nothing(kafka: str, clickhouse: str, tmp_path: Path) -> None:
    settings = rig.used_place(kafka, clickhouse, "odd", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    good = rig.results(0, 3)
    # More bad lines than the least, and more than all good ones; and one of garbage alone.
    odd = batch.encode(good[:1]) + b"bad\n" * 3_000 + batch.encode(good[1:2])
    try:
        with rig.SinkProcess(settings, tmp_path / "log") as sink:
            for value in (odd, b"bad\n" * 50_000, batch.encode(good[2:])):
                await producer.send_and_wait(settings.topic("results"), value, partition=0)
            await rig.until(lambda: rig.stored(client, settings) == 3)
            await rig.until(lambda: rig.count(client, settings, "deadletter") == 3_001)
            assert sink.end() == 0
        rig.counts_agree(client, settings, 3)
    finally:
        await producer.stop()
