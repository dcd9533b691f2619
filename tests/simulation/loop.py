"""Virtual time: what is to happen, in order."""

import heapq
from collections.abc import Callable
from typing import Any


class Loop:
    """Calls what was asked for at its time. Times are the true broker time, UTC ms."""

    def __init__(self, start: float) -> None:
        self.now = start
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def at(self, when: float, call: Callable[..., None], *args: Any) -> None:
        """Calls `call(*args)` at `when`; of two with the same time, the one asked for first."""
        self._count += 1
        heapq.heappush(self._heap, (max(when, self.now), self._count, call, args))

    def after(self, ms: float, call: Callable[..., None], *args: Any) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self.now + ms, self._count, call, args))

    def run(self, until: float) -> None:
        """Goes on to `until`."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= until:
            self.now, _, call, args = pop(heap)
            call(*args)
        self.now = until
