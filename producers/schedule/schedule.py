"""When each target is due: a phase of its own, regions shifted against each other, one heap."""

import hashlib
import heapq
from collections.abc import Sequence
from typing import Final

FIRST_CHECKS_PER_S: Final = 2_000
"""Many targets that are new at the same time are first checked at this rate, not in one herd."""


def phase_ms(target_id: str, interval_ms: int) -> int:
    """Where in its interval a target is due; from its id alone, the same in every process."""
    digest = hashlib.blake2b(target_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % interval_ms


def shift_ms(regions: Sequence[str], region: str, interval_ms: int) -> int:
    """How much later than the phase `region` checks: the regions divide the interval evenly.

    By the place of `region` in the sorted `regions`; 0 for one that is not among them.
    """
    ordered = sorted(regions)
    return interval_ms * ordered.index(region) // len(ordered) if region in ordered else 0


def next_slot(after_ms: float, interval_ms: int, phase: int) -> int:
    """The first time later than `after_ms` that lies `phase` ms into an interval since 1970."""
    passed = int(after_ms - phase) // interval_ms
    slot = passed * interval_ms + phase
    while slot <= after_ms:
        slot += interval_ms
    return slot


def spread_ms(place: int, count: int, interval_ms: int) -> int:
    """How long the `place`-th (from 0) of `count` new targets waits for its first check."""
    most = min(interval_ms - 1, count * 1000 // FIRST_CHECKS_PER_S)
    return most * place // count


_Item = tuple[float, int, str]


class Agenda:
    """One due time a key; setting it again replaces it. A heap: n keys cost log n a change."""

    def __init__(self) -> None:
        self._heap: list[_Item] = []
        self._valid: dict[str, _Item] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._valid)

    def put(self, key: str, due_ms: float) -> None:
        """Makes `key` due at `due_ms`."""
        self._count += 1
        self._valid[key] = item = (due_ms, self._count, key)
        heapq.heappush(self._heap, item)
        if len(self._heap) > 4 * len(self._valid) + 64:
            self._compact()

    def hasten(self, key: str, due_ms: float) -> None:
        """Makes `key` due at `due_ms`, unless it is due before that already."""
        item = self._valid.get(key)
        if item is None or due_ms < item[0]:
            self.put(key, due_ms)

    def remove(self, key: str) -> None:
        """Forgets `key`, if it is there."""
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
        """Takes the key that has been due for longest at `now_ms`, with its due time."""
        due_ms = self.next_due_ms()
        if due_ms is None or due_ms > now_ms:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._valid[key]
        return key, due_ms

    def _compact(self) -> None:
        self._heap = [item for item in self._heap if self._valid.get(item[2]) is item]
        heapq.heapify(self._heap)
