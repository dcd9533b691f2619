"""Batches that wait for the broker: bounded, in order, and thinned by what matters least."""

from collections import deque
from typing import Final

from producers.sealed import Sealed

_SLACK: Final = 0.95
"""Thinning goes down to this share of the limit, so that it is not done for every batch."""


class Spool:
    """One queue a partition. `limit` counts results over all of them.

    Over the limit routine successes go first, of every second batch from the oldest on (so what
    is left still tells how each target was all the time), then those of the others; failures and
    other news only when nothing else is left, the oldest first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._queues: dict[int, deque[tuple[int, Sealed]]] = {}
        self._sequence = 0
        self._front = 0
        self._results = 0

    def __len__(self) -> int:
        return self._results

    def push(self, sealed: Sealed) -> int:
        """Adds a batch behind those of its partition; returns how many results were dropped."""
        self._sequence += 1
        self._queues.setdefault(sealed.partition, deque()).append((self._sequence, sealed.pack()))
        self._results += sealed.count
        return self._thin() if self._results > self._limit else 0

    def push_front(self, sealed: Sealed) -> None:
        """Puts a batch that came back before those of its partition. Never drops anything."""
        self._front -= 1
        self._queues.setdefault(sealed.partition, deque()).appendleft((self._front, sealed))
        self._results += sealed.count

    def pop(self, partition: int) -> Sealed | None:
        """Takes the oldest batch of a partition."""
        queue = self._queues.get(partition)
        if not queue:
            return None
        _, sealed = queue.popleft()
        self._results -= sealed.count
        return sealed

    def waiting(self, partition: int) -> bool:
        """Whether anything waits for `partition`."""
        return bool(self._queues.get(partition))

    def partitions(self) -> list[int]:
        """The partitions for which anything waits."""
        return [key for key, queue in self._queues.items() if queue]

    def _thin(self) -> int:
        before = self._results
        goal = int(self._limit * _SLACK)
        ordered = sorted(item for queue in self._queues.values() for item in queue)
        left: list[Sealed | None] = [sealed for _, sealed in ordered]
        places = range(len(left))
        for place in (*places[1::2], *places[::2]):
            sealed = left[place]
            if self._results > goal and sealed is not None and sealed.routine:
                self._results -= sealed.routine
                left[place] = sealed.without_routine()
        for place in places:
            sealed = left[place]
            if self._results > goal and sealed is not None:
                self._results -= sealed.count
                left[place] = None
        for queue in self._queues.values():
            queue.clear()
        for (order, _), sealed in zip(ordered, left, strict=True):
            if sealed is not None:
                self._queues[sealed.partition].append((order, sealed))
        return before - self._results
