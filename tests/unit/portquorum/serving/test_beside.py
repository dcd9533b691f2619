"""Several servers of one process end together."""

import asyncio

import pytest

from portquorum.serving.beside import all_served, serve_beside

DEADLINE_S = 30


async def until(stop: asyncio.Event, ended: list[str], name: str) -> None:
    await stop.wait()
    ended.append(name)


async def waits() -> None:
    await asyncio.Event().wait()


async def test_all_end_when_the_process_should() -> None:
    stop, ended = asyncio.Event(), list[str]()
    serves = [until(stop, ended, one) for one in ("inside", "outside")]
    running = asyncio.create_task(serve_beside(all_served(serves, stop), [waits], stop))
    stop.set()
    async with asyncio.timeout(DEADLINE_S):
        await running
    assert sorted(ended) == ["inside", "outside"]


async def test_one_that_fails_ends_the_others() -> None:
    stop, ended = asyncio.Event(), list[str]()

    async def fails() -> None:
        raise OSError("the listener is gone")

    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(OSError, match="the listener is gone"):
            await all_served([until(stop, ended, "inside"), fails()], stop)
    assert ended == ["inside"]
