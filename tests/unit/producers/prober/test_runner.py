import asyncio
import time

import pytest

from foundation.settings import Settings
from producers.broker_clock import Clock
from producers.checks.model import CheckOutcome, OnDone, PlannedCheck, Vantage
from producers.prober.check_loop import CheckLoop
from producers.prober.connectivity import Connectivity
from producers.publishing.connection import BrokerConnection
from producers.publishing.publisher import Publisher
from producers.schedule.scheduler import Scheduler
from schemas.target import Target


class Answers:
    """An engine whose checks end in the next turn of the loop."""

    def __init__(self, error: Exception | None = None) -> None:
        self.vantage = Vantage()
        self.in_flight = 0
        self.error = error
        self.begun: list[PlannedCheck] = []

    def submit(self, check: PlannedCheck, on_done: OnDone) -> None:
        if self.error is not None:
            raise self.error
        self.begun.append(check)
        self.in_flight += 1
        asyncio.get_running_loop().call_soon(self._done, check, on_done)

    def _done(self, check: PlannedCheck, on_done: OnDone) -> None:
        self.in_flight -= 1
        on_done(check, CheckOutcome(status="up", reason=None, started_at=time.monotonic()))

    def close(self) -> None:
        pass


def runner(engine: Answers, clock: Clock | None = None, *, limit: int = 100) -> CheckLoop:
    clock, settings = clock or Clock(), Settings()
    clock.learn(time.monotonic(), time.monotonic(), round(time.time() * 1000))
    clock.settle()
    publisher = Publisher(settings, BrokerConnection(settings), clock, region="eu", prober="p1")
    connectivity = Connectivity(Answers())
    return CheckLoop(Scheduler("eu"), engine, publisher, clock, connectivity, limit=limit)


def target(number: int, interval_ms: int = 1000) -> Target:
    return Target(
        id=f"t{number}",
        name=f"t{number}",
        kind="tcp",
        host="127.0.0.1",
        port=1,
        regions=("eu",),
        interval_ms=interval_ms,
        timeout_ms=500,
        version=1,
        source="test",
    )


async def checked(made: CheckLoop, engine: Answers, count: int) -> None:
    running = asyncio.create_task(made.run())
    async with asyncio.timeout(30):
        while len({check.target.id for check in engine.begun}) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_goes_wrong_in_a_round_ends_the_runner() -> None:
    made = runner(Answers(RuntimeError("ours")))
    made.scheduler.set_targets([target(1)], time.time() * 1000)
    with pytest.raises(RuntimeError, match="ours"):
        async with asyncio.timeout(30):
            await made.run()


async def test_with_less_room_than_targets_all_have_their_turn() -> None:
    engine = Answers()
    made = runner(engine, limit=1)
    made.scheduler.set_targets([target(number) for number in range(20)], time.time() * 1000)
    await checked(made, engine, 20)


async def test_targets_that_come_while_it_waits_are_checked() -> None:
    engine = Answers()
    made = runner(engine)
    made.scheduler.set_targets([target(0)], time.time() * 1000)
    checking = asyncio.create_task(checked(made, engine, 2))
    await asyncio.sleep(0)
    made.scheduler.set_targets([target(1)], time.time() * 1000)
    made.changed()
    await checking


async def test_a_step_of_broker_time_is_followed_by_one_that_waits() -> None:
    engine, clock, hours = Answers(), Clock(), 7_200_000
    made = runner(engine, clock)
    made.scheduler.set_targets([target(0, hours)], time.time() * 1000)
    running = asyncio.create_task(made.run())
    async with asyncio.timeout(30):
        while len(engine.begun) < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert clock._wanted_ms is not None
        clock._wanted_ms += hours  # the machine was suspended: the next check is due
        while len(engine.begun) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
