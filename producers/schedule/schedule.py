"""Due times of targets: a phase for each target, a shift for each region, one heap."""

import hashlib
import heapq
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

SHIFT_PERCENT: Final = 10
"""Greatest shift of a round, in percent of the interval.

Two checks of a region are 0.8 to 1.2 intervals apart: with one missed between them at most 2.2,
which is within the 2.5 intervals for which a result is fresh (docs/rules.md, rule 4).
"""

MOST_SHIFTED_MS: Final = 3_000_000
"""Longest interval with shifts, in ms: with a longer one, some hours would have no check, and an
hour without any counts as not measured (docs/analytics.md)."""

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


class Slots(Struct, frozen=True, gc=False):
    """The due times of a target in a region: one in each round of `interval_ms`, from 1970 on.

    Every prober of the region has the same ones. `phase` (ms) is the middle of a round's due time;
    `seed` shifts each round by up to `SHIFT_PERCENT` of the interval to either side. Without the
    shifts an outage of a fixed period would stay unseen for ever.
    """

    interval_ms: int
    phase: int
    seed: int

    def after(self, after_ms: float) -> int:
        """The first due time after `after_ms`."""
        interval = self.interval_ms
        number = int(after_ms - self.phase) // interval - 1
        while (slot := number * interval + self.phase + self._shift(number)) <= after_ms:
            number += 1
        return slot

    def _shift(self, number: int) -> int:
        """The shift of a round, in ms; uniform."""
        most = self.interval_ms * SHIFT_PERCENT // 100
        if not most or self.interval_ms > MOST_SHIFTED_MS:
            return 0
        return _mixed(self.seed + number) % (2 * most + 1) - most


def slots(target_id: str, regions: Sequence[str], region: str, interval_ms: int) -> Slots:
    """The due times of a target in `region`, one of its `regions`."""
    phase = phase_ms(target_id, interval_ms) + shift_ms(regions, region, interval_ms)
    name = f"{target_id}\0{region}".encode()
    seed = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")
    return Slots(interval_ms, phase, seed)


def _mixed(number: int) -> int:
    """A number of 64 bits in which each bit depends on all bits of `number` (SplitMix64)."""
    z = (number * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def spread_ms(place: int, count: int, interval_ms: int) -> int:
    """The wait of the `place`-th (from 0) of `count` new targets for its first check."""
    most = min(interval_ms - 1, count * 1000 // FIRST_CHECKS_PER_S)
    return most * place // count


_MASK: Final = 2**64 - 1
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
