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
        """By question the time until which its answer is kept, in the order of asking."""

    async def get(
        self, question: Hashable, ask: Callable[[], Awaitable[T]], keep_s: float | None = None
    ) -> T:
        """The answer of `ask`, or that of another who asked the same a moment ago.

        It is kept for `keep_s` instead of the time of all.

        Raises what `ask` raises; an error is not kept. Who stops waiting ends nothing for others.
        """
        self._forget()
        found = self._asked.get(question)
        if found is None:
            task = asyncio.create_task(_answer(ask))
            until = self._clock() + (self._keep_s if keep_s is None else keep_s)
            found = self._asked[question] = (until, task)
            task.add_done_callback(lambda done: self._drop_failed(question, done))
        return await asyncio.shield(found[1])

    def _forget(self) -> None:
        """Those that are too old, unless somebody waits for them still, and the oldest of many."""
        now = self._clock()
        old = [one for one, (until, task) in self._asked.items() if until <= now and task.done()]
        for question in old:
            del self._asked[question]
        while len(self._asked) >= self._most:
            del self._asked[next(iter(self._asked))]

    def _drop_failed(self, question: Hashable, done: asyncio.Task[T]) -> None:
        if done.cancelled() or done.exception() is not None:
            found = self._asked.get(question)
            if found is not None and found[1] is done:
                del self._asked[question]


async def _answer(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()
