"""What a publisher makes of results that had to wait, against real Kafka."""

import asyncio
import time

from producers.broker_clock import Clock
from producers.checks.model import CheckOutcome, PlannedCheck
from producers.publishing.batcher import Worth
from producers.publishing.connection import BrokerConnection
from producers.publishing.publisher import Publisher
from schemas import control
from schemas.batch import MAX_RESULTS
from tests.integration.producers.ground import Ground

BATCHES = 5


def a_clock() -> Clock:
    clock = Clock()
    clock.learn(time.monotonic(), time.monotonic(), round(time.time() * 1000))
    clock.settle()
    return clock


async def test_fresh_results_leave_before_those_that_had_to_wait(ground: Ground) -> None:
    clock, broker = a_clock(), BrokerConnection(ground.settings)
    publisher = Publisher(ground.settings, broker, clock, region="here", prober="p1")
    target = ground.target("t", 80)

    def add(number: int, worth: Worth = "routine") -> None:
        check = PlannedCheck(target, 1000.0 * number, 0, "schedule")
        outcome = CheckOutcome(status="up", reason=None, started_at=time.monotonic())
        publisher.add(check, outcome, worth=worth)

    # There is no connection yet: full batches go to the spool, the rest stays fresh.
    await publisher.beat(
        control.Beat(
            region="here",
            prober="p1",
            sequence=0,
            started_at=0,
            targets=1,
            failing=0,
            newly_failing=0,
            connectivity=True,
            lag_ms=0.0,
            spool=0,
            clock_offset_ms=0,
        )
    )
    spooled = BATCHES * MAX_RESULTS
    for number in range(spooled):
        add(number)
    for number in range(spooled, spooled + 3):
        add(number, "news")  # due before the connection can be there
    assert publisher.waiting == spooled + 3

    publishing = asyncio.create_task(publisher.run())
    try:
        await ground.until(lambda: len(ground.results) >= spooled + 3, "all results")
        await ground.until(lambda: publisher.waiting == 0, "all confirmations")
    finally:
        publishing.cancel()
        await broker.stop()
    arrived = [result.scheduled_at // 1000 for result in ground.results]
    assert arrived == [spooled, spooled + 1, spooled + 2, *range(spooled)]
