"""Due times of targets: a phase for each target, a shift for each region, one heap."""

import hashlib
import heapq
from collections.abc import Sequence
from typing import Final

FIRST_CHECKS_PER_S: Final = 2_000
"""Rate of the first checks of many new targets, against a thundering herd."""


def phase_ms(target_id: str, interval_ms: int) -> int:
    """The position of the due time in the interval; from the id alone, equal in every process."""
    digest = hashlib.blake2b(target_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % interval_ms


def shift_ms(regions: Sequence[str], region: str, interval_ms: int) -> int:
    """The delay of `region` after the phase: the regions divide the interval evenly.

    It follows from the position in the sorted `regions`; 0 for a region that is not in them.
    """
    ordered = sorted(regions)
    return interval_ms * ordered.index(region) // len(ordered) if region in ordered else 0


def next_slot(after_ms: float, interval_ms: int, phase: int) -> int:
    """The first time after `after_ms` that is `phase` ms into an interval (counted from 1970)."""
    passed = int(after_ms - phase) // interval_ms
    slot = passed * interval_ms + phase
    while slot <= after_ms:
        slot += interval_ms
    return slot


def spread_ms(place: int, count: int, interval_ms: int) -> int:
    """The wait of the `place`-th (from 0) of `count` new targets for its first check."""
    most = min(interval_ms - 1, count * 1000 // FIRST_CHECKS_PER_S)
    return most * place // count


_Item = tuple[float, int, str]


class Agenda:
    """A heap of due times, one for each key; a change costs O(log n)."""

    def __init__(self) -> None:
        self._heap: list[_Item] = []
        self._valid: dict[str, _Item] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._valid)

    def put(self, key: str, due_ms: float) -> None:
        """Sets the due time of `key`."""
        self._count += 1
        self._valid[key] = item = (due_ms, self._count, key)
        heapq.heappush(self._heap, item)
        if len(self._heap) > 4 * len(self._valid) + 64:
            self._compact()

    def hasten(self, key: str, due_ms: float) -> None:
        """Sets the due time of `key`, unless it is earlier already."""
        item = self._valid.get(key)
        if item is None or due_ms < item[0]:
            self.put(key, due_ms)

    def remove(self, key: str) -> None:
        """Removes `key`, if present."""
        self._valid.pop(key, None)

    def next_due_ms(self) -> float | None:
        """The earliest due time, None if there is none."""
        heap, valid = self._heap, self._valid
        while heap:
            item = heap[0]
            if valid.get(item[2]) is item:
                return item[0]
            heapq.heappop(heap)
        return None

    def pop(self, now_ms: float) -> tuple[str, float] | None:
        """Removes and returns the key with the earliest due time up to `now_ms`, and that time."""
        due_ms = self.next_due_ms()
        if due_ms is None or due_ms > now_ms:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._valid[key]
        return key, due_ms

    def _compact(self) -> None:
        self._heap = [item for item in self._heap if self._valid.get(item[2]) is item]
        heapq.heapify(self._heap)
