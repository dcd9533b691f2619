"""Reports are confirmed, sent again when the connection broke, or refused in time."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from foundation.lifecycle import cancelled
from foundation.settings import Settings
from portquorum.receiver import publisher
from portquorum.receiver.beats import ReceiverBeats
from portquorum.receiver.publisher import NotConfirmedError, ReportPublisher
from producers.broker_clock import Clock
from schemas import control
from schemas.control import Beat
from tests.unit.portquorum.receiver.fakes import FakeJobs, job


class Metadata:
    timestamp_type = 1

    def __init__(self) -> None:
        self.timestamp = round(time.time() * 1000)


class FakeProducer:
    """Confirms what `holds` does not hold back; `fails` are raised instead, one a send."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.beats: list[Beat] = []
        self.fails: list[Exception] = []
        self.holds = False
        self.held: list[asyncio.Future[object]] = []
        self.connections = 0

    async def connect(self) -> None:
        self.connections += 1

    async def send(
        self, _topic: str, value: bytes, *, partition: int, headers: Any = None
    ) -> "asyncio.Future[object]":
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if headers:
            found = control.decode(control.body(headers) or b"")
            assert isinstance(found, Beat)
            self.beats.append(found)
        else:
            self.sent.append((partition, value))
        if self.fails:
            future.set_exception(self.fails.pop(0))
        elif self.holds:
            self.held.append(future)
        else:
            future.set_result(Metadata())
        return future

    async def give_up(self) -> None:
        for one in self.held:
            one.cancel()
        self.held.clear()

    async def close(self, *_: float) -> None:
        await self.give_up()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - a condition of a fake
            await asyncio.sleep(0)


@asynccontextmanager
async def running(fake: FakeProducer, clock: Clock, **more: Any) -> AsyncIterator[ReportPublisher]:
    made: Any = fake
    one = ReportPublisher(Settings(partitions=4), clock, producer=made, **more)
    task = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        await cancelled(task)
        await one.close()


async def test_what_comes_while_a_message_is_on_its_way_leaves_together() -> None:
    fake = FakeProducer()
    async with running(fake, Clock()) as one:
        fake.holds = True
        asking = [asyncio.create_task(one.publish("a", b"0\n"))]
        await until(lambda: bool(fake.held))
        asking += [asyncio.create_task(one.publish("a", b"%d\n" % n)) for n in range(1, 50)]
        await until(lambda: one.waiting == 50)
        fake.holds = False
        first = fake.held.pop()
        first.set_result(Metadata())
        await asyncio.gather(*asking)
    assert b"".join(value for _, value in fake.sent) == b"".join(b"%d\n" % n for n in range(50))
    assert len(fake.sent) == 2
    assert one.waiting == 0


async def test_a_failure_of_one_partition_sends_all_again_with_the_same_bytes() -> None:
    fake = FakeProducer()
    async with running(fake, Clock()) as one:
        await one.publish("a", b"before\n")
        fake.fails = [KafkaError("lost")]
        fake.holds = True
        asking = [asyncio.create_task(one.publish(name, b"%s\n" % name.encode())) for name in "abc"]
        await until(lambda: fake.connections == 2)
        fake.holds = False
        for held in fake.held:
            held.set_result(Metadata())
        await asyncio.gather(*asking)
    whole = b"".join(value for _, value in fake.sent)
    assert set(whole.splitlines()) == {b"before", b"a", b"b", b"c"}
    assert fake.sent[1] in fake.sent[2:]


async def test_what_is_not_confirmed_in_time_is_refused_and_not_sent_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher, "ANSWER_S", 0.05)
    monkeypatch.setattr(publisher, "SEND_S", 0.1)
    fake = FakeProducer()
    async with running(fake, Clock(), most_waiting=2) as one:
        fake.holds = True
        found = await asyncio.gather(
            *(one.publish("a", b"%d\n" % n) for n in range(3)), return_exceptions=True
        )
        assert [type(error) for error in found] == [NotConfirmedError] * 3
        assert one.waiting == 0
        # The first one is on its way, and may arrive; the second waited for its turn, and does not.
        await until(lambda: fake.connections == 2)
        fake.holds = False
        await one.publish("a", b"later\n")
    assert [value for _, value in fake.sent] in (
        [b"0\n", b"later\n"],
        [b"0\n1\n", b"later\n"],
    )


async def test_beats_as_long_as_there_are_jobs() -> None:
    fake, clock, jobs, closing = FakeProducer(), Clock(), FakeJobs(), asyncio.Event()
    async with running(fake, clock) as one:
        beats = ReceiverBeats(one, jobs, clock, prober="here-1")
        task = asyncio.create_task(beats.run(closing))
        # Nothing is to be heard without a job, and no connection to be made.
        for _ in range(20):
            await asyncio.sleep(0)
        assert (one.is_connected, fake.connections, fake.beats) == (False, 0, [])
        jobs.put(job("a"))
        jobs.put(job("b", enabled=False))
        await until(lambda: clock.known)
        assert [beat.targets for beat in fake.beats] == [1] * 4
        jobs.remove("a")
        await until(lambda: len(fake.beats) == 8)
        assert [beat.targets for beat in fake.beats[4:]] == [0] * 4
        jobs.put(job("a"))
        await until(lambda: len(fake.beats) == 12)
        closing.set()
        await task
    assert [beat.targets for beat in fake.beats[12:]] == [1] * 4
    assert [beat.sequence for beat in fake.beats[::4]] == [0, 1, 2, 3]
    assert {beat.prober for beat in fake.beats} == {"here-1"}
