"""The backlog that the sink's benchmark drains."""

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Final

from foundation.kafka import create_topics, producer
from foundation.settings import Settings
from schemas import batch
from schemas.partition import partition_for
from schemas.result import CheckResult
from schemas.topics import RESULTS

TARGETS: Final = 5_000
REGIONS: Final = ("eu-west", "us-east", "ap-south")
INTERVAL_MS: Final = 15_000
FAILING: Final = 0.03
"""Probability of a failed result."""


def batches(rows: int, lines: int, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Partition and value of each message: rounds of a fleet, the same in every run."""
    chance = random.Random(1)  # noqa: S311 - no secret
    began = int(time.time() * 1000) // 3_600_000 * 3_600_000 - rows // TARGETS * INTERVAL_MS
    waiting: list[list[CheckResult]] = [[] for _ in range(partitions)]
    targets = [
        (f"target-{n}", f"host-{n // 4}.example.com", 1 + n % 60_000) for n in range(TARGETS)
    ]
    where = [partition_for(host, partitions) for _, host, _ in targets]
    for number in range(rows):
        place = number % TARGETS
        at = began + number // TARGETS // len(REGIONS) * INTERVAL_MS + place * 3
        region = REGIONS[number // TARGETS % len(REGIONS)]
        held = waiting[where[place]]
        held.append(_result(chance, targets[place], region, at))
        if len(held) == lines:
            yield where[place], batch.encode(held)
            held.clear()
    for partition, held in enumerate(waiting):
        if held:
            yield partition, batch.encode(held)


def _result(
    chance: random.Random, target: tuple[str, str, int], region: str, at: int
) -> CheckResult:
    name, host, port = target
    down = chance.random() < FAILING
    connect_ms = None if down else round(chance.lognormvariate(2.5, 0.8), 3)
    return CheckResult(
        target=name,
        kind="tcp",
        host=host,
        port=port,
        region=region,
        prober=f"{region}-1",
        scheduled_at=at,
        started_at=at + chance.randrange(40),
        status="down" if down else "up",
        reason="timed_out" if down else None,
        attempt=0,
        cause="schedule",
        target_version=1_700_000_000_000,
        address=f"192.0.2.{port % 250}",
        dns_ms=round(chance.random(), 3),
        connect_ms=connect_ms,
        total_ms=None if connect_ms is None else round(connect_ms + 1, 3),
    )


async def publish(settings: Settings, rows: int, lines: int) -> int:
    """Writes the backlog; returns its bytes before compression."""
    await create_topics(settings)
    client = producer(
        settings, max_batch_size=1_000_000, linger_ms=20, compression_type=RESULTS.compression
    )
    await client.start()
    size = 0
    try:
        out: list[asyncio.Future[object]] = []
        for partition, value in batches(rows, lines, settings.partitions):
            size += len(value)
            topic = settings.topic(RESULTS.name)
            out.append(await client.send(topic, value, partition=partition))
            if len(out) == 500:
                await asyncio.gather(*out)
                out.clear()
        await asyncio.gather(*out)
    finally:
        await client.stop()
    return size
