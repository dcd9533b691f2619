"""A mass outage: `python -m portquorum.bench.stream_outage [--hosts N] [--ports N] [--json]`.

All targets of a fleet fail within 10 s. A Kafka and the stream worker run on this machine as
anybody starts them; the results of three regions' probers are written at the moment they are due:
the first failed check in each region, and its retry a second later. Measured is the time from the
broker's stamp of the deciding result to its stamp of the `opened` event, what an incident costs the
worker, and how the recheck requests are spread.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from msgspec import Struct
from rich.console import Console

from foundation import kafka
from foundation.settings import Settings
from portquorum.bench.figures import share
from portquorum.bench.stamps import stamped
from portquorum.bench.stream_fleet import (
    INTERVAL_MS,
    REGIONS,
    Check,
    FleetMessage,
    Probers,
    beats,
    check,
    definitions,
)
from portquorum.bench.stream_worker import WorkerProcess, WorkerSample, shipped
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas import incident
from schemas.incident import IncidentEvent
from schemas.partition import partition_for
from schemas.target import Target
from schemas.topics import INCIDENTS, RECHECKS, RESULTS

WITHIN_MS: Final = 10_000
"""All targets fail within this time."""

APART_MS: Final = 100
"""Delay between the first and the second region's failure, and between the second's and the
third's, in ms."""

_SOON_MS: Final = 3_000
_WAIT_S: Final = 180.0


class OutageReport(Struct, frozen=True, kw_only=True):
    """Times in ms unless they say so, memory in bytes.

    `rechecks_a_second` is the largest number in one second; `waited_s`: see `WorkerSample`.
    """

    hosts: int
    ports: int
    load_before: float
    opened: int
    updated: int
    vote_p50: float
    vote_p99: float
    vote_max: float
    seconds: float
    cpu_us_an_incident: float
    cpu_s: float
    waited_s: float
    memory_before: int
    memory_most: int
    memory_after: int
    rechecks: int
    rechecks_a_second: int


def fleet(hosts: int, ports: int, version: int) -> list[Target]:
    """Targets on the given number of ports of each host."""
    return [
        Target(
            id=f"target-{host:06d}-{port:03d}",
            name=f"Service {port} of host {host}",
            kind="tcp",
            host=f"host-{host:06d}.example.com",
            port=1_000 + port,
            regions=REGIONS,
            interval_ms=INTERVAL_MS,
            timeout_ms=3_000,
            version=version,
            source="bench",
        )
        for host in range(hosts)
        for port in range(ports)
    ]


def healthy(targets: list[Target], partitions: int, begin: int) -> Iterator[Check]:
    """One success of each target in each region within a second."""
    chance = random.Random(2)  # noqa: S311 - no secret
    for number, target in enumerate(targets):
        at = begin + number * 1_000 // len(targets)
        where = partition_for(target.host or "", partitions)
        for region in REGIONS:
            yield Check(at, region, where, check(chance, target, at, region, attempt=0, down=False))


def failing(targets: list[Target], partitions: int, begin: int) -> list[Check]:
    """The failed checks of all targets, each with its retry, sorted by time."""
    chance = random.Random(3)  # noqa: S311 - no secret
    order = list(targets)
    chance.shuffle(order)
    found = []
    for number, target in enumerate(order):
        at = begin + number * WITHIN_MS // len(order)
        where = partition_for(target.host or "", partitions)
        for place, region in enumerate(REGIONS):
            for attempt in (0, 1):
                due = at + place * APART_MS + attempt * target.retry_delay_ms
                done = check(chance, target, due, region, attempt=attempt, down=True)
                found.append(Check(due, region, where, done))
    return sorted(found, key=lambda one: one.at)


async def publish(settings: Settings, messages: list[FleetMessage], *, due: bool) -> None:
    """Writes messages; with `due`, each at its own time."""
    client = kafka.producer(settings, linger_ms=5, compression_type=RESULTS.compression)
    await client.start()
    try:
        sent = []
        for message in messages:
            if due:
                ahead = message.at / 1000 - time.time()
                if ahead > 0:
                    await asyncio.sleep(ahead)
            sent.append(await _send(client, settings, message))
        await asyncio.gather(*sent)
    finally:
        await client.stop()


async def _send(client: AIOKafkaProducer, settings: Settings, message: FleetMessage) -> Any:
    return await client.send(
        settings.topic(RESULTS.name),
        message.value,
        partition=message.partition,
        headers=message.headers,
    )


async def read(settings: Settings, name: str) -> list[ConsumerRecord]:
    """All records of a topic."""
    client = kafka.consumer(settings)
    await client.start()
    found: list[ConsumerRecord] = []
    try:
        topic = settings.topic(name)
        parts = [TopicPartition(topic, number) for number in range(settings.partitions)]
        client.assign(parts)
        ends = await client.end_offsets(parts)
        await client.seek_to_beginning(*parts)
        while any([await client.position(part) < ends[part] for part in parts]):
            for records in (await client.getmany(timeout_ms=200)).values():
                found += records
    finally:
        await client.stop()
    return found


async def follow(
    worker: WorkerProcess, count: int, before: WorkerSample
) -> tuple[WorkerSample, int]:
    """Watches the worker until all incidents are open and its memory has peaked, or a deadline."""
    most = before.memory
    end = time.monotonic() + _WAIT_S
    while True:
        look = await asyncio.to_thread(worker.look)
        if look is not None:
            most = max(most, look.memory)
            opened = look.sent().get("portquorum.incident.opened.v1", 0)
            if opened >= count or time.monotonic() > end:
                return look, most
        await asyncio.sleep(0.5)


async def outage(
    settings: Settings, hosts: int, ports: int, load: float, folder: Path
) -> OutageReport:
    """Runs the whole benchmark, on the Kafka of the settings."""
    await kafka.create_topics(settings)
    now = int(time.time() * 1000)
    targets = fleet(hosts, ports, now)
    await publish(settings, list(definitions(targets, settings.partitions, now)), due=False)
    with shipped(settings, folder / "worker.log") as worker:
        # What is known is up, and fresh.
        calm = healthy(targets, settings.partitions, int(time.time() * 1000) - 1_000)
        await publish(settings, list(Probers(full=True).messages(calm)), due=False)
        await asyncio.to_thread(worker.until, len(targets) * len(REGIONS))
        # Made for a moment to come: encoding must be done by then.
        took = 4_000 + len(targets) // 4
        begin = int(time.time() * 1000) + _SOON_MS + took
        news = Probers(full=False).messages(iter(failing(targets, settings.partitions, begin)))
        beating = beats(settings.partitions, begin, begin + 2 * WITHIN_MS, len(targets))
        messages = sorted([*news, *beating], key=lambda message: message.at)
        before = await asyncio.to_thread(worker.look)
        if before is None or time.time() * 1000 > begin:
            raise SystemExit("the machine is too slow for the outage to begin when it should")
        async with stamped(settings, INCIDENTS, "LogAppendTime"):
            writing = asyncio.create_task(publish(settings, messages, due=True))
            after, most = await follow(worker, len(targets), before)
            await writing
            records = await read(settings, INCIDENTS.name)
            requests = await read(settings, RECHECKS.name)
            # The updates that are still to come are part of the cost: look once more.
            await asyncio.sleep(5)
            last = await asyncio.to_thread(worker.look) or after
    events = [(incident.decode(record.value), record.timestamp) for record in records]
    votes: dict[str, int] = {}
    for event, at in events:
        if isinstance(event, IncidentEvent) and event.event == "opened":
            votes.setdefault(event.incident_id, at - event.opened_at)
    seconds = Counter(record.timestamp // 1000 for record in requests)
    waits = list(votes.values())
    cpu_s = last.cpu_s - before.cpu_s
    return OutageReport(
        hosts=hosts,
        ports=ports,
        load_before=load,
        opened=len(votes),
        updated=last.sent().get("portquorum.incident.updated.v1", 0),
        vote_p50=share(waits, 0.5),
        vote_p99=share(waits, 0.99),
        vote_max=max(waits, default=0),
        seconds=last.at - before.at,
        cpu_us_an_incident=cpu_s * 1e6 / max(1, len(votes)),
        cpu_s=cpu_s,
        waited_s=last.waited_s - before.waited_s,
        memory_before=before.memory,
        memory_most=most,
        memory_after=last.memory,
        rechecks=len(requests),
        rechecks_a_second=max(seconds.values(), default=0),
    )


def measure(hosts: int, ports: int, partitions: int) -> OutageReport:
    """Like `outage`, with its own Kafka."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with EmbeddedKafka(folder, "127.0.0.1:0") as broker:
            settings = Settings(kafka=broker.bootstrap_servers, partitions=partitions)
            return asyncio.run(outage(settings, hosts, ports, load, folder))


def show(report: OutageReport) -> None:
    """A few lines."""
    Console(width=120).print(
        f"{report.hosts * report.ports:,} targets ({report.hosts:,} hosts × {report.ports} ports) "
        f"fail within {WITHIN_MS // 1000} s, {len(REGIONS)} regions, {os.cpu_count()} CPUs, load "
        f"before {report.load_before:.1f}\n"
        f"opened {report.opened:,}; deciding result → opened on the topic: p50 "
        f"{report.vote_p50:,.0f} ms, p99 {report.vote_p99:,.0f} ms, max {report.vote_max:,.0f} ms; "
        f"{report.updated:,} updates\n"
        f"{report.cpu_us_an_incident:,.0f} µs CPU an incident (all results and updates in it), "
        f"{report.cpu_s:.1f} s CPU within {report.seconds:.0f} s, of which it waited "
        f"{report.waited_s:.1f} s for a core; memory "
        f"{report.memory_before / 1e6:.0f} MB before, {report.memory_most / 1e6:.0f} MB at most, "
        f"{report.memory_after / 1e6:.0f} MB after\n"
        f"{report.rechecks:,} recheck requests, {report.rechecks_a_second:,} in the worst second"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m portquorum.bench.stream_outage", description=__doc__
    )
    parser.add_argument("--hosts", type=int, default=20_000)
    parser.add_argument("--ports", type=int, default=1, help="ports of each host")
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    report = measure(asked.hosts, asked.ports, asked.partitions)
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
