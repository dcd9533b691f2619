"""A heap of times at which something is looked at, with at most one valid time for each. Pure."""

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")


class Wakeups(Generic[K]):
    """Times (UTC ms) by key; a key has one, the earliest that was asked for."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, K]] = []
        self._at: dict[K, int] = {}
        self._count = 0

    def ask(self, key: K, at: int) -> None:
        """Wakes the key at this time, or earlier if that was asked for before."""
        known = self._at.get(key)
        if known is None or at < known:
            self._at[key] = at
            self._count += 1
            heapq.heappush(self._heap, (at, self._count, key))

    def forget(self, key: K) -> None:
        """The key is not woken."""
        self._at.pop(key, None)

    def next_at(self) -> int | None:
        """The earliest time, None if there is none."""
        while self._heap:
            at, _, key = self._heap[0]
            if self._at.get(key) == at:
                return at
            heapq.heappop(self._heap)
        return None

    def due(self, now: int) -> Iterator[K]:
        """Removes and yields the keys whose time has come, the earliest first."""
        while (at := self.next_at()) is not None and at <= now:
            key = heapq.heappop(self._heap)[2]
            del self._at[key]
            yield key

    def all(self) -> list[K]:
        """All keys that have a time."""
        return list(self._at)
