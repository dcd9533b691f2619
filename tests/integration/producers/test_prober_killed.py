"""A prober that is killed while the broker is frozen: its file is published by the next one."""

import asyncio
import shutil
import socket
import time
from collections import Counter
from pathlib import Path

import psutil

from portquorum.embedded.kafka.main import EmbeddedKafka
from producers.publishing.spool_file import SpoolFile
from schemas import batch
from schemas.batch import MAX_RESULTS
from tests.integration.producers.ground import Ground, ground_on

TARGETS = 400
FILED = 2 * MAX_RESULTS


def _filed(data: Path, copy: Path) -> list[str]:
    """What waits in the files of probers, read from a copy: they may be locked."""
    shutil.rmtree(copy, ignore_errors=True)
    if not (data / "spool").exists():
        return []
    shutil.copytree(data / "spool", copy)
    found = []
    for root in copy.iterdir():
        file = SpoolFile(root, 0)
        for filed in file.take_over():
            results, bad = batch.decode(file.read(filed).value())
            assert bad == []
            found += [result.identity for result in results]
        file.close()
    return found


async def _until_filed(data: Path, copy: Path) -> None:
    deadline = time.monotonic() + 60
    while len(await asyncio.to_thread(_filed, data, copy)) < FILED:
        assert time.monotonic() < deadline, "results go to the file"
        await asyncio.sleep(0.2)


async def test_what_a_killed_prober_left_is_published_by_the_next(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with EmbeddedKafka(tmp_path / "kafka", "127.0.0.1:0") as kafka:
        async with ground_on(kafka.bootstrap_servers, partitions=1) as ground:
            with socket.create_server(("127.0.0.1", 0), backlog=4096) as server:
                port = server.getsockname()[1]
                await ground.region(internal=True)
                await ground.apply(*(ground.target(f"t{n}", port) for n in range(TARGETS)))
                await ground.probe("p1", data=data)
                await ground.until(lambda: len(ground.results) > TARGETS, "results")
                filed = await _freeze_and_kill(ground, kafka.pid, data, tmp_path / "copy")
                await ground.probe("p2", data=data)
                await ground.until(lambda: _arrived(ground) >= set(filed), "what p1 has left")
                assert await ground.end("p2") == 0
    assert len(filed) >= FILED
    again = Counter(result.identity for result in ground.results if result.prober == "p1")
    doubled = sum(count - 1 for count in again.values())
    assert doubled <= MAX_RESULTS, "at most the batch that was on its way"
    assert list((data / "spool").rglob("*.spool")) == []


async def _freeze_and_kill(ground: Ground, pid: int | None, data: Path, copy: Path) -> list[str]:
    brokers = psutil.Process(pid).children(recursive=True)
    assert brokers
    for broker in brokers:
        broker.suspend()
    try:
        await _until_filed(data, copy)
        process = ground.probers["p1"]
        process.kill()
        await process.wait()
        return _filed(data, copy)
    finally:
        for broker in brokers:
            broker.resume()


def _arrived(ground: Ground) -> set[str]:
    return {result.identity for result in ground.results}
