"""Batches that wait for the broker: bounded, in order, and thinned by what matters least."""

from bisect import bisect_left
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
        self._queues: dict[int, deque[Sealed]] = {}
        self._results = 0

    def __len__(self) -> int:
        return self._results

    def push(self, sealed: Sealed) -> int:
        """Adds a batch; returns how many results were dropped for it."""
        self.put_back(sealed.pack())
        return self._thin() if self._results > self._limit else 0

    def put_back(self, sealed: Sealed) -> None:
        """Puts a batch that came back where it belongs by its number. Never drops anything."""
        queue = self._queues.setdefault(sealed.partition, deque())
        queue.insert(bisect_left(queue, sealed.number, key=_number), sealed)
        self._results += sealed.count

    def pop(self, partition: int) -> Sealed | None:
        """Takes the oldest batch of a partition."""
        queue = self._queues.get(partition)
        if not queue:
            return None
        sealed = queue.popleft()
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
        ordered = sorted((one for queue in self._queues.values() for one in queue), key=_number)
        left: list[Sealed | None] = [*ordered]
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
        for sealed in left:
            if sealed is not None:
                self._queues[sealed.partition].append(sealed)
        return before - self._results


def _number(sealed: Sealed) -> int:
    return sealed.number
