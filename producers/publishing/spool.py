"""Batches that wait for the broker: in memory, then in a file; bounded, drops routine first."""

import contextlib
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from typing import Final

from foundation.telemetry import logger
from producers import metrics
from producers.publishing.batch import SealedBatch
from producers.publishing.spool_file import DamagedError, Filed, SpoolFile

_SLACK: Final = 0.95
"""Thinning stops at this share of the limit, so that it is not needed for every batch."""

AGAIN_S: Final = 5.0
"""Time before the next attempt to write after a disk error."""

_Item = SealedBatch | Filed


class Spool:
    """One queue for each partition. `limit` is the most results in all of them.

    With a `file`, at most `in_memory` results wait in memory; above it all go to the file. After a
    write error they stay in memory, and the error is counted and logged.

    Over the limit the spool drops routine successes first: of every second batch from the oldest on
    (the rest still covers the whole time), then of the other batches. It drops failures and other
    news last, the oldest first.

    `on_lost` receives the number of results that were lost by damage of the file.
    """

    def __init__(
        self,
        limit: int,
        *,
        in_memory: int = 0,
        file: SpoolFile | None = None,
        on_lost: Callable[[int, str], None] = lambda _count, _why: None,
    ) -> None:
        self._limit = limit
        self._in_memory = in_memory
        self._file = file
        self.on_lost = on_lost
        self._queues: dict[int, deque[_Item]] = {}
        self._results = 0
        self._memory_results = 0
        self._again_at = 0.0

    def __len__(self) -> int:
        return self._results

    @property
    def only_in_memory(self) -> int:
        """The number of results that are only in memory."""
        return self._memory_results

    def take_over(self) -> int:
        """Takes over the files of dead probers of this machine; returns the number of results."""
        if self._file is None:
            return 0
        before = self._results
        for filed in self._file.take_over():
            self._insert(filed)
        metrics.SPOOL_FILE.set(self._file.size)
        return self._results - before

    def push(self, sealed: SealedBatch) -> int:
        """Adds a batch; returns the number of results that were dropped for it."""
        self._insert(sealed.pack())
        dropped = self._thin() if self._results > self._limit else 0
        if self._memory_results > self._in_memory:
            self.keep()
        return dropped

    def put_back(self, sealed: SealedBatch) -> None:
        """Returns an unsent batch to its position by number. Never drops anything."""
        if sealed.place is None:
            self._insert(sealed)
        else:
            self._insert(
                Filed(
                    partition=sealed.partition,
                    number=sealed.number,
                    count=sealed.count,
                    routine=sealed.routine,
                    place=sealed.place,
                )
            )

    def forget(self, sealed: SealedBatch) -> None:
        """Removes a popped batch from the file: it is published, or given up."""
        self._unfile(sealed)

    def pop(self, partition: int) -> SealedBatch | None:
        """Takes the oldest batch of a partition; it stays in the file until `forget`."""
        queue = self._queues.get(partition)
        while queue:
            item = queue.popleft()
            self._count(item, -1)
            try:
                return self._load(item)
            except (OSError, DamagedError) as error:
                self.on_lost(item.count, f"the spool's file can't be read: {error}")
                self._unfile(item)
        return None

    def waiting(self, partition: int) -> bool:
        """Whether a batch waits for `partition`."""
        return bool(self._queues.get(partition))

    def partitions(self) -> list[int]:
        """The partitions with waiting batches."""
        return [key for key, queue in self._queues.items() if queue]

    def keep(self) -> None:
        """Writes all batches in memory to the file, if there is a writable one."""
        file = self._file
        if file is None or time.monotonic() < self._again_at:
            return
        try:
            for queue in self._queues.values():
                for index, item in enumerate(queue):
                    if isinstance(item, SealedBatch):
                        filed = _filed(item, file)
                        self._memory_results -= item.count
                        queue[index] = filed
        except OSError as error:
            self._again_at = time.monotonic() + AGAIN_S
            metrics.SPOOL_FILE_ERRORS.inc()
            logger(__name__).error(
                "the spool's file can't be written to; results wait in memory",
                error=str(error),
                count=self._memory_results,
            )
        metrics.SPOOL_FILE.set(file.size)

    def close(self) -> None:
        """Writes all batches to the file, which stays for a later prober."""
        self._again_at = 0.0
        self.keep()
        if self._file is not None:
            self._file.close()

    def _insert(self, item: _Item) -> None:
        queue = self._queues.setdefault(item.partition, deque())
        queue.insert(bisect_left(queue, item.number, key=_number), item)
        self._count(item, 1)

    def _count(self, item: _Item, sign: int) -> None:
        self._results += sign * item.count
        if isinstance(item, SealedBatch):
            self._memory_results += sign * item.count

    def _load(self, item: _Item) -> SealedBatch:
        if isinstance(item, SealedBatch):
            return item
        if self._file is None:
            raise LookupError("a batch was filed, and there is no file")
        return self._file.read(item)

    def _thin(self) -> int:
        before = self._results
        goal = int(self._limit * _SLACK)
        ordered = sorted((one for queue in self._queues.values() for one in queue), key=_number)
        left: list[_Item | None] = [*ordered]
        places = range(len(left))
        for place in (*places[1::2], *places[::2]):
            item = left[place]
            if self._results > goal and item is not None and item.routine:
                left[place] = self._without_routine(item)
        for place in places:
            item = left[place]
            if self._results > goal and item is not None:
                left[place] = None
                self._count(item, -1)
                self._unfile(item)
        for queue in self._queues.values():
            queue.clear()
        for item in left:
            if item is not None:
                self._queues[item.partition].append(item)
        return before - self._results

    def _without_routine(self, item: _Item) -> SealedBatch | None:
        self._count(item, -1)
        sealed = None
        if item.routine < item.count:
            with contextlib.suppress(OSError, DamagedError):  # dropped as a whole
                sealed = self._load(item).without_routine()
        self._unfile(item)
        if sealed is not None:
            self._count(sealed, 1)
        return sealed

    def _unfile(self, item: _Item) -> None:
        if self._file is not None and item.place is not None:
            self._file.done(item.place)
            metrics.SPOOL_FILE.set(self._file.size)


def _number(item: _Item) -> int:
    return item.number


def _filed(sealed: SealedBatch, file: SpoolFile) -> Filed:
    return Filed(
        partition=sealed.partition,
        number=sealed.number,
        count=sealed.count,
        routine=sealed.routine,
        place=file.write(sealed),
    )
