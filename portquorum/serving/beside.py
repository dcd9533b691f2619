"""A server and its workers: they end together."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from foundation.lifecycle import cancelled, ends_within

Worker = Callable[[], Coroutine[Any, Any, None]]

CLOSE_S: Final = 2.0
"""What the workers have at the end."""


async def serve_beside(
    serve: Coroutine[Any, Any, None], workers: Iterable[Worker], stop: asyncio.Event
) -> None:
    """Serves until `stop` is set, or a worker ends; sets `stop` then.

    The workers go on until the server has ended: what it has accepted they finish.

    Raises:
        Exception: that of the server, or of the first worker that ended.
        RuntimeError: a worker ended by itself.
    """
    serving = asyncio.create_task(serve)
    working = asyncio.create_task(_together(workers))
    try:
        await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            stop.set()
        await asyncio.wait({serving})
        serving.result()
        if working.done():
            working.result()
            raise RuntimeError("the topics are not followed any more")
    finally:
        await ends_within(CLOSE_S, cancelled(working, serving))


async def all_served(serves: Iterable[Coroutine[Any, Any, None]], stop: asyncio.Event) -> None:
    """Several servers until `stop` is set, or one of them ends: then all do.

    Raises:
        Exception: that of the first one that has one.
    """
    tasks = [asyncio.create_task(one) for one in serves]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.wait(tasks)
        for task in tasks:
            task.result()
    finally:
        await cancelled(*tasks)


async def _together(workers: Iterable[Worker]) -> None:
    """Until the first one ends, with its error; the others are stopped."""
    tasks = [asyncio.create_task(one()) for one in workers]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await cancelled(*tasks)
