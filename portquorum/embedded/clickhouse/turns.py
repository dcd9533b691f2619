"""Turns: how many requests of a kind hold much at a time, and how long another one waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from portquorum.embedded.clickhouse.engine import QueryError


class Turns:
    """A number of turns."""

    def __init__(self, most: int, wait_s: float, what: str) -> None:
        """Takes the number of turns, the longest wait for one, and what each is for."""
        self._turns = asyncio.Semaphore(most)
        self._wait_s = wait_s
        self._why = f"{most} {what} are being answered"

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A turn.

        Raises:
            QueryError: all were taken for too long.
        """
        try:
            async with asyncio.timeout(self._wait_s):
                await self._turns.acquire()
        except TimeoutError as error:
            raise QueryError(
                f"Code: 202. DB::Exception: {self._why}; try again. (TOO_MANY_SIMULTANEOUS_QUERIES)"
            ) from error
        try:
            yield
        finally:
            self._turns.release()
