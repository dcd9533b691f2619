"""What a prober does while the broker is frozen, dead and back: nothing is lost or doubled."""

import asyncio
import itertools
import re
import socket
import time
import urllib.request
from pathlib import Path

import psutil

from portquorum.embedded.kafka import EmbeddedKafka
from portquorum.settings import Settings
from tests.integration.producers.ground import Ground, ground_on

TARGETS = 12
ROUNDS_AWAY = 10
"""So many results of each target wait before the broker is back: longer than a session lasts."""


def _free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def _waiting(metrics: str) -> int:
    with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = re.search(r"^portquorum_spool_results (\S+)$", text, re.MULTILINE)
    assert found, "the prober tells how many results wait"
    return int(float(found[1]))


async def _spooled(metrics: str) -> None:
    """Waits until results of `ROUNDS_AWAY` rounds wait for the broker."""
    deadline = time.monotonic() + 60
    while (waiting := await asyncio.to_thread(_waiting, metrics)) < ROUNDS_AWAY * TARGETS:
        assert time.monotonic() < deadline, f"only {waiting} results wait"
        await asyncio.sleep(0.2)


async def _more(ground: Ground, what: str) -> None:
    count = len(ground.results)
    await ground.until(lambda: len(ground.results) > count + 3 * TARGETS, what)


async def test_an_outage_of_the_broker_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Half of the targets fail, so news and routine results wait side by side."""
    with EmbeddedKafka(tmp_path, "127.0.0.1:0") as first:
        address = first.bootstrap_servers
        async with ground_on(address, partitions=3) as ground:
            with socket.create_server(("", 0), backlog=4096) as server:
                port = server.getsockname()[1]
                await ground.region(internal=True)
                await ground.apply(
                    *(
                        ground.target(f"t{n}", port if n % 2 else 1, host=f"127.0.4.{n}", retries=0)
                        for n in range(TARGETS)
                    )
                )
                metrics = _free_address()
                process = await ground.probe("p1", metrics=metrics)
                await _more(ground, "results")

                brokers = psutil.Process(first.pid).children(recursive=True)
                assert brokers
                for broker in brokers:
                    broker.suspend()
                await _spooled(metrics)
                for broker in brokers:
                    broker.resume()
                await _more(ground, "results after the broker was frozen")

                await asyncio.to_thread(first.stop)
                await _spooled(metrics)
                with EmbeddedKafka(tmp_path, address):
                    await _more(ground, "results after the broker was restarted")
                    assert process.returncode is None
                    assert await ground.end("p1") == 0
                    last = len(ground.results)
                    await ground.read()
                    await ground.read()
                    assert len(ground.results) >= last
                    _check(ground)


def _check(ground: Ground) -> None:
    identities = [result.identity for result in ground.results]
    assert len(identities) == len(set(identities)), "nothing is published twice"
    for number in range(TARGETS):
        results = ground.of(f"t{number}")
        slots = sorted(result.scheduled_at for result in results)[1:]
        assert all(b - a == 1000 for a, b in itertools.pairwise(slots)), "no slot is lost"
        counted = [result for result in results if result.status != "missed"]
        assert _orders([result.started_at for result in counted]) <= 2, "the fresh, the spooled"


def _orders(times: list[int]) -> int:
    """Of how many sequences, each in order, `times` is made up at least."""
    lasts: list[int] = []
    for at in times:
        behind = [last for last in lasts if last <= at]
        if behind:
            lasts.remove(max(behind))
        lasts.append(at)
    return len(lasts)


async def test_a_prober_without_a_broker_waits_and_ends_in_order() -> None:
    ground = Ground(Settings(kafka=_free_address()))
    process = await ground.probe("p1", errors=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    async with asyncio.timeout(60):
        said = b""
        while b"waiting for Kafka" not in said:
            said = await process.stderr.readline()
            assert said, "it ended instead of waiting"
        process.terminate()
        _, rest = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in rest
