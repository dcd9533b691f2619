import asyncio
from collections.abc import Callable, Coroutine

import pytest

from producers.prober.task_supervisor import TaskEndedError, TaskSupervisor
from producers.publishing.publisher import Publisher


async def _forever() -> None:
    await asyncio.Event().wait()


async def _raise() -> None:
    raise KeyError("broken")


async def _return() -> None:
    return


async def _be_cancelled() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("part", "why"),
    [(_raise, "KeyError"), (_return, "returned"), (_be_cancelled, "was cancelled")],
)
async def test_the_end_of_a_part_ends_what_is_waited_for(
    part: Callable[[], Coroutine[None, None, None]], why: str
) -> None:
    with TaskSupervisor() as parts:
        parts.start("one", _forever())
        parts.start("other", part())
        with pytest.raises(TaskEndedError, match=f"other ended, and the role with it: .*{why}"):
            await parts.unless(asyncio.Event(), _forever())
        with pytest.raises(TaskEndedError, match="other"):
            await parts.watch(asyncio.Event())
        await parts.cancel()


async def test_work_that_comes_to_its_end() -> None:
    with TaskSupervisor() as parts:
        parts.start("one", _forever())
        assert await parts.unless(asyncio.Event(), _return()) is True
        with pytest.raises(KeyError):
            await parts.unless(asyncio.Event(), _raise())
        await parts.cancel()


async def test_a_stop_is_no_failure() -> None:
    stop = asyncio.Event()
    stop.set()
    with TaskSupervisor() as parts:
        task = parts.start("one", _forever())
        kept = parts.start("kept", _forever())
        assert await parts.unless(stop, _forever()) is False
        await parts.watch(stop)
        await parts.cancel(but=kept)
        assert (task.done(), kept.done()) == (True, False)
        await parts.cancel()
        assert kept.done()


async def test_a_callback_of_ours_that_fails_is_the_end_of_a_part() -> None:
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    with TaskSupervisor() as parts:
        loop.call_soon(Publisher._learn, None, 0.0, None)
        with pytest.raises(TaskEndedError, match="a callback ended"):
            await parts.watch(asyncio.Event())
    assert loop.get_exception_handler() is before


async def test_a_callback_of_somebody_else_is_his_affair() -> None:
    told: list[object] = []
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    try:
        with TaskSupervisor() as parts:
            loop.call_soon(int, "no number")
            assert await parts.unless(asyncio.Event(), asyncio.sleep(0)) is True
            await asyncio.sleep(0)
            assert len(told) == 1
            await parts.watch(_set())
    finally:
        loop.set_exception_handler(before)


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
