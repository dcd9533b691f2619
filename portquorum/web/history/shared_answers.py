"""One answer for all who ask the same at once, kept for a moment.

An event makes every viewer of a target ask for its page anew: ClickHouse is asked once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedAnswers(Generic[T]):
    """Answers by their question, within one event loop."""

    def __init__(
        self, keep_s: float, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """An answer is kept for `keep_s` after it was asked for; at most `most` answers are."""
        self._keep_s = keep_s
        self._most = most
        self._clock = clock
        self._asked: dict[Hashable, tuple[float, asyncio.Task[T]]] = {}

    async def get(self, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer of `ask`, or that of another who asked the same a moment ago.

        Raises what `ask` raises; an error is not kept. Who stops waiting ends nothing for others.
        """
        self._forget()
        found = self._asked.get(question)
        if found is None:
            task = asyncio.create_task(_answer(ask))
            found = self._asked[question] = (self._clock(), task)
            task.add_done_callback(lambda done: self._drop_failed(question, done))
        return await asyncio.shield(found[1])

    def _forget(self) -> None:
        """Those that are too old, and the oldest of too many; questions stand in their order."""
        since = self._clock() - self._keep_s
        for question, (asked_at, task) in list(self._asked.items()):
            if asked_at > since and len(self._asked) < self._most:
                return
            if task.done() or len(self._asked) >= self._most:
                del self._asked[question]

    def _drop_failed(self, question: Hashable, done: asyncio.Task[T]) -> None:
        if done.cancelled() or done.exception() is not None:
            found = self._asked.get(question)
            if found is not None and found[1] is done:
                del self._asked[question]


async def _answer(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()
