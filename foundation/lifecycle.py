"""The end of work: a stop that was asked for, cancellation, and closing within a time."""

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable
from typing import Any, Final

from foundation import watchdog

SETTLE_S: Final = 1.0
"""Time for cancelled work to free what it holds."""


def stop_on_signals(numbers: Iterable[int] = watchdog.STOP_SIGNALS) -> asyncio.Event:
    """An event that each of these signals sets from now on; the first starts the watchdog's count.

    In a thread that is not the main one no signal sets it.
    """
    stop = asyncio.Event()
    watchdog.on_signals(stop.set, numbers)
    return stop


async def done_before(stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Whether `work` came to its end and `stop` is not set; raises what `work` raises.

    When `stop` is set first, or this is cancelled, `work` is cancelled and has ended on return.
    """
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            return not stop.is_set()
        return False
    finally:
        await cancelled(task, stopped)


async def set_within(seconds: float, *events: asyncio.Event) -> bool:
    """Whether one of `events` is set, at the latest after `seconds`."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return any(event.is_set() for event in events)


async def ends_within(
    seconds: float, work: Awaitable[object], *, settle_s: float = SETTLE_S
) -> bool:
    """Whether `work` ended well in time; raises nothing.

    It is cancelled if not, and gets `settle_s` more: on return it may still run.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()
    # A second wait, since what is cancelled has its own ends to see to.
    await asyncio.wait({task}, timeout=settle_s)
    return task.done() and not task.cancelled() and task.exception() is None


async def cancelled(*tasks: "asyncio.Future[Any]") -> None:
    """Cancels all and returns when they have ended, however they did."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
