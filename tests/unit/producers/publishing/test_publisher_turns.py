"""What a publisher sends when results gather while it is at work on other partitions."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from foundation.settings import Settings
from producers.broker_clock import Clock
from producers.checks.model import CheckOutcome, PlannedCheck
from producers.publishing.batcher import Worth
from producers.publishing.connection import BrokerConnection
from producers.publishing.publisher import Publisher
from producers.publishing.spool import Spool
from schemas.batch import MAX_RESULTS
from schemas.partition import partition_for
from schemas.target import Target

CONFIRMED = SimpleNamespace(timestamp_type=0, timestamp=0)


def target(name: str) -> Target:
    return Target(
        id=name,
        name=name,
        kind="tcp",
        host=name,
        port=1,
        regions=("here",),
        interval_ms=30_000,
        timeout_ms=3_000,
        version=1,
        source="test",
    )


TARGETS = [
    next(target(f"h{n}") for n in range(100) if partition_for(f"h{n}", 2) == partition)
    for partition in range(2)
]
"""By partition."""


class Gate(BrokerConnection):
    """Takes messages when it is open, as aiokafka does when its buffer has room."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.open = asyncio.Event()
        self.open.set()
        self.sent: list[tuple[int, bytes]] = []
        self._came = asyncio.Event()
        self.unconfirmed: dict[int, asyncio.Future[Any]] = {}

    async def send(
        self, _: str, partition: int, value: bytes, __: Any = None
    ) -> asyncio.Future[Any]:
        self.sent.append((partition, value))
        future = asyncio.get_running_loop().create_future()
        self.unconfirmed[partition] = future
        self._came.set()
        await self.open.wait()
        return future

    async def taken(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.sent) < count:
                self._came.clear()
                await self._came.wait()


def known() -> Clock:
    clock = Clock()
    now = clock.monotonic()
    clock.learn(now, now + 0.001, round(time.time() * 1000))
    assert clock.settle(anyhow=True)
    return clock


async def test_what_went_to_the_spool_before_its_turn_leaves_no_empty_message() -> None:
    settings = Settings(partitions=2)
    gate = Gate(settings)
    clock = known()
    publisher = Publisher(
        settings, gate, clock, region="here", prober="p", spool=Spool(100 * MAX_RESULTS)
    )

    def add(partition: int, count: int, worth: Worth) -> None:
        check = PlannedCheck(TARGETS[partition], 1e12, 0, "schedule")
        for _ in range(count):
            up = CheckOutcome(status="up", reason=None, started_at=clock.monotonic())
            publisher.add(check, up, worth=worth)

    running = asyncio.create_task(publisher.run())
    for partition in (0, 1):
        add(partition, 1, "news")
        await gate.taken(partition + 1)
    gate.unconfirmed[0].set_result(CONFIRMED)
    add(1, MAX_RESULTS, "routine")  # to the spool, for one of partition 1 is on its way
    gate.unconfirmed[1].set_result(CONFIRMED)
    await gate.taken(3)  # the spool's
    add(1, MAX_RESULTS - 1, "news")  # due, and waits for that one
    gate.open.clear()
    add(0, 1, "news")
    await gate.taken(4)  # the pass is at partition 0, with 1 to come
    add(1, 1, "routine")  # a full batch: to the spool
    gate.unconfirmed[1].set_result(CONFIRMED)
    gate.open.set()
    await gate.taken(5)
    running.cancel()
    assert [(partition, bool(value)) for partition, value in gate.sent] == [
        (0, True), (1, True), (1, True), (0, True), (1, True),
    ]  # fmt: skip
