"""How soon an outage is an incident: `python -m portquorum.bench.detect [--outages N] [--json]`.

Three probers, a stream worker and a Kafka run on this machine as anybody starts them. They watch
listeners on loopback, each on an address of its own, which are closed one after the other and stay
closed. Measured is the time from the start of the first failed check of a target, in whichever
region, to the broker's stamp of its `opened` event. Retries make up most of it.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct
from rich.console import Console

from foundation import kafka
from foundation.settings import Settings
from portquorum.bench.figures import share
from portquorum.bench.role import environment, running
from portquorum.bench.stamps import stamped
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas import batch, incident
from schemas.incident import IncidentEvent
from schemas.topics import INCIDENTS, RESULTS, Topic

REGIONS: Final = ("eu-west", "us-east", "ap-south")
INTERVAL_S: Final = 60
RETRY_DELAY_MS: Final = 1_000
PER_S: Final = 2.0
"""Number of listeners that are closed in a second."""

SOURCE: Final = "bench"
_PORT: Final = 7_000
_SETTLE_S: Final = 60.0


class DetectReport(Struct, frozen=True, kw_only=True):
    """All times in ms, for `outages` targets.

    `detect`: from the start of the first failed check to the `opened` event on the topic. `vote`:
    its last part, from the append time of the deciding result to that of the event.
    """

    outages: int
    load_before: float
    detect_p50: float
    detect_p99: float
    detect_max: float
    vote_p50: float
    vote_p99: float
    vote_max: float
    missing: int


class Outages:
    """One listener for each target; a closed one is an outage."""

    def __init__(self, count: int) -> None:
        self.hosts = {
            f"target-{number}": f"127.1.{number // 250}.{1 + number % 250}"
            for number in range(count)
        }
        self._open: dict[str, socket.socket] = {}

    def __enter__(self) -> Self:
        for target, host in self.hosts.items():
            # The kernel takes connections; nobody needs to accept the few that come.
            self._open[target] = socket.create_server((host, _PORT), backlog=1024)
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._open.values():
            server.close()

    async def close_all(self) -> None:
        """Closes the listeners one after the other, `PER_S` a second."""
        for target in self.hosts:
            self._open[target].close()
            await asyncio.sleep(1 / PER_S)

    def inventory(self) -> dict[str, Any]:
        """The watched inventory."""
        return {
            "regions": {region: {"internal": True} for region in REGIONS},
            "defaults": {"retries": 1, "retry_delay": f"{RETRY_DELAY_MS}ms", "timeout": "3s"},
            "targets": [
                {"name": name, "id": name, "host": host, "port": _PORT, "interval": "60s"}
                for name, host in self.hosts.items()
            ],
        }


async def follow(settings: Settings, topic: Topic) -> AIOKafkaConsumer:
    """A started consumer of all partitions, from the beginning."""
    client = kafka.consumer(settings)
    await client.start()
    name = topic.full_name(settings.topic_prefix)
    client.assign([TopicPartition(name, number) for number in range(settings.partitions)])
    await client.seek_to_beginning()
    return client


async def opened(
    settings: Settings, count: int, within_s: float
) -> dict[str, tuple[IncidentEvent, int]]:
    """Waits for the first `opened` event of each target; returns these with their append times."""
    found: dict[str, tuple[IncidentEvent, int]] = {}
    client = await follow(settings, INCIDENTS)
    end = time.monotonic() + within_s
    try:
        while len(found) < count and time.monotonic() < end:
            for records in (await client.getmany(timeout_ms=200)).values():
                for record in records:
                    event = incident.decode(record.value)
                    if isinstance(event, IncidentEvent) and event.event == "opened":
                        found.setdefault(event.target, (event, record.timestamp))
    finally:
        await client.stop()
    return found


async def first_failures(settings: Settings) -> dict[str, int]:
    """Start times of the first failed check of each target (UTC ms)."""
    found: dict[str, int] = {}
    client = await follow(settings, RESULTS)
    try:
        parts = client.assignment()
        ends = await client.end_offsets(parts)
        while any([await client.position(part) < ends[part] for part in parts]):
            for records in (await client.getmany(timeout_ms=200)).values():
                for record in records:
                    for result in batch.decode(record.value or b"")[0]:
                        if result.status == "down":
                            at = min(found.get(result.target, result.started_at), result.started_at)
                            found[result.target] = at
    finally:
        await client.stop()
    return found


async def beginnings(settings: Settings, count: int) -> None:
    """Waits until every target was checked from every region.

    Raises:
        TimeoutError: not within two minutes.
    """
    seen: set[tuple[str, str]] = set()
    client = await follow(settings, RESULTS)
    try:
        async with asyncio.timeout(120):
            while len(seen) < count * len(REGIONS):
                for records in (await client.getmany(timeout_ms=200)).values():
                    for record in records:
                        results = batch.decode(record.value or b"")[0]
                        seen |= {(each.target, each.region) for each in results}
    finally:
        await client.stop()


async def run(settings: Settings, outages: Outages, load: float, folder: Path) -> DetectReport:
    """Runs the whole benchmark, on the Kafka of the settings."""
    await kafka.create_topics(settings)
    env = environment(settings, PORTQUORUM_METRICS="127.0.0.1:0", PORTQUORUM_DATA_DIR=str(folder))
    path = folder / "inventory.yaml"
    path.write_bytes(msgspec.yaml.encode(outages.inventory()))
    apply = ["inventory", "apply", str(path), "--source", SOURCE, "--yes"]
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "portquorum.cli", *apply, env=env, stdout=subprocess.DEVNULL
    )
    if await done.wait():
        raise SystemExit("the inventory could not be applied")
    async with stamped(settings, INCIDENTS, "LogAppendTime"):
        with contextlib.ExitStack() as stack:
            stack.enter_context(running(["stream"], env, folder / "stream.log"))
            for region in REGIONS:
                role = ["probe", "--region", region]
                stack.enter_context(running(role, env, folder / f"{region}.log"))
            count = len(outages.hosts)
            await beginnings(settings, count)
            closing = asyncio.create_task(outages.close_all())
            found = await opened(settings, count, count / PER_S + INTERVAL_S + _SETTLE_S)
            await closing
        failed = await first_failures(settings)
    detect = [at - failed[target] for target, (_, at) in found.items()]
    vote = [at - event.opened_at for event, at in found.values()]
    return DetectReport(
        outages=count,
        load_before=load,
        detect_p50=share(detect, 0.5),
        detect_p99=share(detect, 0.99),
        detect_max=max(detect, default=0),
        vote_p50=share(vote, 0.5),
        vote_p99=share(vote, 0.99),
        vote_max=max(vote, default=0),
        missing=count - len(found),
    )


def measure(count: int, partitions: int) -> DetectReport:
    """Runs the whole benchmark, with its own Kafka."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, Outages(count) as outages:
        folder = Path(name)
        with EmbeddedKafka(folder, "127.0.0.1:0") as broker:
            settings = Settings(kafka=broker.bootstrap_servers, partitions=partitions)
            return asyncio.run(run(settings, outages, load, folder))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.detect", description=__doc__)
    parser.add_argument("--outages", type=int, default=200)
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    report = measure(asked.outages, asked.partitions)
    if asked.json:
        print(msgspec.json.encode(report).decode())
        return
    Console(width=120).print(
        f"{report.outages} outages, {len(REGIONS)} regions, interval {INTERVAL_S} s, retry after "
        f"{RETRY_DELAY_MS} ms, {os.cpu_count()} CPUs, load before {report.load_before:.1f}; not "
        f"opened: {report.missing}\n"
        f"first failed check → opened on the topic: p50 {report.detect_p50:,.0f} ms, "
        f"p99 {report.detect_p99:,.0f} ms, max {report.detect_max:,.0f} ms\n"
        f"deciding result → opened on the topic: p50 {report.vote_p50:,.0f} ms, "
        f"p99 {report.vote_p99:,.0f} ms, max {report.vote_max:,.0f} ms"
    )


if __name__ == "__main__":
    main()
