"""Batches that wait for the broker: in memory, then in a file; bounded, thinned by what matters."""

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
"""Thinning goes down to this share of the limit, so that it is not done for every batch."""

AGAIN_S: Final = 5.0
"""A disk that can't be written to is tried again after so long."""

_Item = SealedBatch | Filed


class Spool:
    """One queue a partition. `limit` counts results over all of them.

    With a `file`, at most `in_memory` results wait in memory: when there are more, all go to the
    file. While the file can't be written to they stay in memory, and that is counted and told.

    Over the limit routine successes go first, of every second batch from the oldest on (so what
    is left still tells how each target was all the time), then those of the others; failures and
    other news only when nothing else is left, the oldest first.

    `on_lost` is told how many results were lost because the file was damaged.
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
        """How many results would be lost with the process."""
        return self._memory_results

    def take_over(self) -> int:
        """Takes what dead probers of this machine have left; returns how many results that is."""
        if self._file is None:
            return 0
        before = self._results
        for filed in self._file.take_over():
            self._insert(filed)
        metrics.SPOOL_FILE.set(self._file.size)
        return self._results - before

    def push(self, sealed: SealedBatch) -> int:
        """Adds a batch; returns how many results were dropped for it."""
        self._insert(sealed.pack())
        dropped = self._thin() if self._results > self._limit else 0
        if self._memory_results > self._in_memory:
            self.keep()
        return dropped

    def put_back(self, sealed: SealedBatch) -> None:
        """Puts a batch that came back where it belongs by its number. Never drops anything."""
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
        """A batch that was popped need not be kept any longer: it is published, or given up."""
        self._unfile(sealed)

    def pop(self, partition: int) -> SealedBatch | None:
        """Takes the oldest batch of a partition; it stays in the file until it is forgotten."""
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
        """Whether anything waits for `partition`."""
        return bool(self._queues.get(partition))

    def partitions(self) -> list[int]:
        """The partitions for which anything waits."""
        return [key for key, queue in self._queues.items() if queue]

    def keep(self) -> None:
        """Brings all that is in memory to the file, if there is one that can be written to."""
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
        """Brings all to the file, which is left to a later prober."""
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
