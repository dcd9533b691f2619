"""Runs blocking work of one request in threads; a cancelled request kills its statement."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from portquorum.embedded.clickhouse.engine import EngineGoneError, EngineProcess

_KILL_EVERY_S: Final = 0.5

Result = TypeVar("Result")


class RequestWork:
    """Runs one piece of work at a time for a request."""

    def __init__(self, pool: ThreadPoolExecutor, engine: EngineProcess, name: str) -> None:
        """`name` is the `log_comment` of the request's statements."""
        self._pool = pool
        self._engine = engine
        self._name = name

    async def run(self, work: Callable[..., Result], *arguments: object) -> Result:
        """The result of `work`. After a cancellation it returns only when the work has ended.

        Raises:
            EngineGoneError: the service is ending.
        """
        try:
            running = self._pool.submit(work, *arguments)
        except RuntimeError as error:
            raise EngineGoneError from error  # the pool takes nothing new
        waiting = asyncio.wrap_future(running)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if not running.cancel():
                await self._end(waiting)
            raise

    async def release(self, work: Callable[..., Result], *arguments: object) -> Result:
        """The result of work that gives something free, and so is done in any case.

        A cancellation, be it the second one of a request, is raised when the work is done; `run`
        drops what still waits for a thread.

        Raises:
            EngineGoneError: the service is ending.
        """
        try:
            waiting = asyncio.wrap_future(self._pool.submit(work, *arguments))
        except RuntimeError as error:
            raise EngineGoneError from error  # the pool takes nothing new
        cancelled: asyncio.CancelledError | None = None
        while not waiting.done():
            try:
                await asyncio.shield(waiting)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        return waiting.result()

    async def _end(self, running: "asyncio.Future[Result]") -> None:
        while not running.done():
            # Cancelled once more, it still waits: what the work holds (a pipe, a file) is given
            # free after this, and would be another request's.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.to_thread(self._engine.kill, self._name)
                await asyncio.wait({running}, timeout=_KILL_EVERY_S)
        if not running.cancelled():
            running.exception()  # seen: nobody else will ask
