import asyncio
import os
import signal

import pytest

from foundation import watchdog
from foundation.lifecycle import cancelled, done_before, ends_within, set_within, stop_on_signals

DEADLINE_S = 100


async def nothing() -> None:
    """Ends at once."""


async def failing() -> None:
    raise LookupError("a fault")


class Endless:
    """Work that ends by a cancellation alone."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.ended = False

    async def run(self) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended = True


class Deaf(Endless):
    """Work that catches a cancellation, and goes on until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()

    async def run(self) -> None:
        while not self.let_go.is_set():
            try:
                await self.let_go.wait()
            except asyncio.CancelledError:
                continue


async def test_a_signal_sets_the_event() -> None:
    stop = stop_on_signals([signal.SIGUSR2])
    try:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGUSR2)
        async with asyncio.timeout(DEADLINE_S):
            await stop.wait()
    finally:
        watchdog.off_signals([signal.SIGUSR2])


async def test_work_that_is_done_before_the_stop() -> None:
    assert await done_before(asyncio.Event(), nothing())
    with pytest.raises(LookupError):
        await done_before(asyncio.Event(), failing())


async def test_a_stop_ends_the_work() -> None:
    stop, work = asyncio.Event(), Endless()
    result = asyncio.create_task(done_before(stop, work.run()))
    await work.began.wait()
    stop.set()
    assert not await result
    assert work.ended


async def test_work_that_ended_together_with_the_stop_still_raises() -> None:
    stop = asyncio.Event()
    stop.set()
    assert not await done_before(stop, nothing())
    with pytest.raises(LookupError):
        await done_before(stop, failing())


async def test_the_work_of_a_cancelled_wait_has_ended() -> None:
    work = Endless()
    result = asyncio.create_task(done_before(asyncio.Event(), work.run()))
    await work.began.wait()
    result.cancel()
    with pytest.raises(asyncio.CancelledError):
        await result
    assert work.ended


async def test_one_of_several_events_is_enough() -> None:
    one, other = asyncio.Event(), asyncio.Event()
    assert not await set_within(0.01, one, other)
    result = asyncio.create_task(set_within(DEADLINE_S, one, other))
    other.set()
    assert await result
    assert await set_within(0.0, one, other)


async def test_what_ends_well_in_time() -> None:
    assert await ends_within(DEADLINE_S, nothing())
    assert not await ends_within(DEADLINE_S, failing())


async def test_what_is_late_is_cancelled_and_what_catches_that_is_left_behind() -> None:
    work = Endless()
    assert not await ends_within(0.01, work.run())
    assert work.ended
    deaf = Deaf()
    task = asyncio.create_task(deaf.run())
    assert not await ends_within(0.01, task, settle_s=0.01)
    assert not task.done()
    deaf.let_go.set()
    await task


async def test_all_that_is_cancelled_has_ended_whatever_it_raises() -> None:
    work = Endless()
    tasks = [asyncio.create_task(work.run()), asyncio.create_task(failing())]
    await work.began.wait()
    await cancelled(*tasks)
    assert work.ended
    assert all(task.done() for task in tasks)
