"""Groups results into batches by partition and decides when they are due. Pure; keeps order."""

import math
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from producers.checks.model import CheckOutcome, PlannedCheck, Worth
from schemas.batch import MAX_RESULTS

NEWS_WAIT_S: Final = 0.02
"""The shortest time between two messages of a partition for the sake of news.

The first news after a rest is due at once, since other regions wait for it. What follows within
this time shares a message, so that an outage of thousands of targets is few messages.
"""

OTHERS_WAIT_S: Final = 1.0
"""The longest wait of results that are not news; see `turn_of`."""

_GOLDEN: Final = (5**0.5 - 1) / 2


class Finished(Struct, frozen=True, gc=False):
    """A check with its outcome and publishing priority (see `Scheduler.done`).

    `line`: its line of the message, if made already (see `producers.publishing.batch.line`).
    """

    check: PlannedCheck
    outcome: CheckOutcome
    worth: Worth
    line: bytes | None = None


class _Lane:
    __slots__ = ("due_at", "items", "taken_at")

    def __init__(self) -> None:
        self.items: list[Finished] = []
        self.due_at = 0.0
        self.taken_at = -math.inf


def turn_of(partition: int, now: float) -> float:
    """The next send time of the other results of `partition`, at most `OTHERS_WAIT_S` after `now`.

    Each partition has its own phase within that time. If all were due together, compressing and
    sending their messages would delay the checks.
    """
    # Multiples of the golden ratio are evenly spread for every number of partitions.
    phase = partition * _GOLDEN % 1.0 * OTHERS_WAIT_S
    return now + OTHERS_WAIT_S - (now - phase) % OTHERS_WAIT_S


class Batcher:
    """Collects results until they are due. Times are monotonic seconds.

    News makes all waiting results of its partition due, too, so the order within a partition is the
    order of `add`.
    """

    def __init__(self) -> None:
        self._lanes: dict[int, _Lane] = {}
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def add(self, partition: int, item: Finished, now: float) -> float:
        """Takes a result; returns when its partition is due."""
        lane = self._lanes.get(partition)
        if lane is None:
            lane = self._lanes[partition] = _Lane()
        if not lane.items:
            lane.due_at = turn_of(partition, now)
        if item.worth == "news":
            lane.due_at = min(lane.due_at, max(now, lane.taken_at + NEWS_WAIT_S))
        lane.items.append(item)
        self._waiting += 1
        if len(lane.items) >= MAX_RESULTS:
            lane.due_at = now
        return lane.due_at

    def due(self, now: float) -> list[int]:
        """The partitions that have waited long enough or are full."""
        return [key for key, lane in self._lanes.items() if lane.items and lane.due_at <= now]

    def all(self) -> list[int]:
        """The partitions with waiting results."""
        return [key for key, lane in self._lanes.items() if lane.items]

    def full(self, partition: int) -> bool:
        """Whether a whole batch waits in `partition`."""
        lane = self._lanes.get(partition)
        return lane is not None and len(lane.items) >= MAX_RESULTS

    def waits(self, partition: int) -> bool:
        """Whether results wait in `partition`."""
        lane = self._lanes.get(partition)
        return lane is not None and bool(lane.items)

    def next_due_of(self, partitions: Iterable[int]) -> float | None:
        """The earliest due time of `partitions`, all of which have waiting results."""
        return min((self._lanes[key].due_at for key in partitions), default=None)

    def take(self, partition: int, now: float) -> list[Finished]:
        """Removes the oldest results of `partition`, at most a batch; the rest stays due."""
        lane = self._lanes[partition]
        lane.taken_at = now
        taken, lane.items = lane.items[:MAX_RESULTS], lane.items[MAX_RESULTS:]
        self._waiting -= len(taken)
        return taken
