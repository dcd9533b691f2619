"""The cost of a check in the whole prober: `portquorum probe` as users start it.

It includes schedule, guard, engine, encoding and publishing to a real Kafka, without Kafka's own
time. Each target is checked every 2 s, so the number of targets sets the rate. The counts and times
are those of the results of a steady period; the CPU time is that of the prober's process in that
period.
"""

import asyncio
import socket
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from foundation import kafka
from foundation.settings import Settings
from portquorum.bench.figures import ProbeFigures, share
from portquorum.bench.listener import address_of
from portquorum.bench.process import Usage, usage
from portquorum.bench.role import environment, running
from schemas import batch, policy
from schemas.partition import partition_for
from schemas.policy import Region
from schemas.result import CheckResult
from schemas.target import Target
from schemas.topics import POLICY, RESULTS, TARGETS

REGION: Final = "bench"
INTERVAL_MS: Final = 2_000
TIMEOUT_MS: Final = 1_800
"""Longer than the second after which TCP repeats a dropped SYN, in ms."""

WARM_ROUNDS: Final = 3
"""Number of checks of each target before the steady time begins."""

_READY_S: Final = 60.0


def measure(settings: Settings, rate: float, seconds: float, ports: Sequence[int]) -> ProbeFigures:
    """One run; the topics are made under the prefix of `settings`, the rate is part of it.

    Raises:
        SystemExit: the prober ended, or did not come to a steady state.
    """
    name = f"{settings.topic_prefix}-{rate:g}"
    settings = msgspec.structs.replace(settings, topic_prefix=name)
    count = max(1, round(rate * INTERVAL_MS / 1000))
    asyncio.run(publish(settings, count, ports))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    folder = settings.data_dir / name
    folder.mkdir()
    env = environment(
        settings, PORTQUORUM_METRICS=f"127.0.0.1:{port}", PORTQUORUM_DATA_DIR=str(folder)
    )
    log = folder / "probe.log"
    with running(["probe", "--region", REGION], env, log) as process:
        _until_steady(process, port, WARM_ROUNDS * count, log)
        first = usage(process.pid)
        time.sleep(seconds)
        last = usage(process.pid)
    return figures(asyncio.run(results(settings)), first, last)


async def publish(settings: Settings, count: int, ports: Sequence[int]) -> None:
    """Puts the region and its targets where `portquorum inventory apply` puts them."""
    await kafka.create_topics(settings)
    client = kafka.producer(settings, linger_ms=20, max_batch_size=1 << 20)
    await client.start()
    try:
        region = Region(name=REGION, internal=True)
        topic = POLICY.full_name(settings.topic_prefix)
        sent = [await client.send(topic, policy.encode(region), policy.key("bench", region))]
        topic = TARGETS.full_name(settings.topic_prefix)
        for number in range(count):
            target = watched(number, ports[number % len(ports)])
            where = partition_for(target.host or "", settings.partitions)
            value = msgspec.json.encode(target)
            sent.append(await client.send(topic, value, target.id.encode(), partition=where))
        await asyncio.gather(*sent)
    finally:
        await client.stop()


def watched(number: int, port: int) -> Target:
    """The target of that number."""
    return Target(
        id=f"target-{number}",
        name=f"Target {number}",
        kind="tcp",
        host=address_of(number),
        port=port,
        regions=(REGION,),
        interval_ms=INTERVAL_MS,
        timeout_ms=TIMEOUT_MS,
        retries=0,
        version=1,
        source="bench",
    )


def _until_steady(process: subprocess.Popen[bytes], port: int, checks: int, log: Path) -> None:
    end = time.monotonic() + _READY_S
    done = 0.0
    while done < checks:
        if process.poll() is not None or time.monotonic() > end:
            words = log.read_text(encoding="utf-8")[-3000:]
            raise SystemExit(f"the prober made {done:.0f} of {checks} checks: {words}")
        time.sleep(0.5)
        done = _checks(port)


def _checks(port: int) -> float:
    """Number of checks that the prober has counted; 0 before its first answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            text = page.read().decode()
    except OSError:
        return 0
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "portquorum_checks_total"
    )


async def results(settings: Settings) -> list[CheckResult]:
    """All results on [results]."""
    found: list[CheckResult] = []
    topic = RESULTS.full_name(settings.topic_prefix)
    parts = [TopicPartition(topic, number) for number in range(settings.partitions)]
    client = kafka.consumer(settings)
    await client.start()
    try:
        client.assign(parts)
        await client.seek_to_beginning()
        ends = await client.end_offsets(parts)
        while any([await client.position(part) < ends[part] for part in parts]):
            for records in (await client.getmany(timeout_ms=200)).values():
                for record in records:
                    found += batch.decode(record.value or b"")[0]
    finally:
        await client.stop()
    return found


def figures(found: Sequence[CheckResult], first: Usage, last: Usage) -> ProbeFigures:
    """The figures of the results that started between two looks at the process.

    The lag uses the results' own times, in whole milliseconds.
    """
    begin, end = first.at * 1000, last.at * 1000
    inside = [result for result in found if begin <= result.started_at < end]
    up = [result for result in inside if result.status == "up"]
    lag_ms = [result.started_at - result.scheduled_at for result in inside]
    connect_ms = [result.connect_ms for result in up if result.connect_ms is not None]
    timed_out = sum(result.reason == "timed_out" for result in inside)
    return ProbeFigures(
        checks=len(inside),
        seconds=round(last.at - first.at, 3),
        cpu_us=round((last.cpu_s - first.cpu_s) / max(1, len(inside)) * 1e6, 3),
        connect_p50_us=round(share(connect_ms, 0.5) * 1000, 1),
        connect_p99_us=round(share(connect_ms, 0.99) * 1000, 1),
        lag_p50_ms=share(lag_ms, 0.5),
        lag_p99_ms=share(lag_ms, 0.99),
        timed_out=timed_out,
        failed=len(inside) - len(up) - timed_out,
        memory_mb=round(last.memory / 1e6, 1),
    )
