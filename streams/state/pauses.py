"""Targets that are not judged: paused for a while, or not enabled by their inventory."""

from heapq import heappop, heappush

import msgspec
from msgspec import Struct

from schemas.target import Target

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Target).decode


class PauseTerms(Struct, frozen=True, gc=False, array_like=True):
    """A pause: by whom, since when, until when (None: until it is resumed), and why.

    `at` and `until` are log time.
    """

    by: str
    at: int
    until: int | None = None
    note: str | None = None


class PausedTarget(Struct, frozen=True, gc=False, array_like=True):
    """A target that is not judged.

    `definition` is its newest one (msgpack), which is judged by afterwards; None: the partition
    does not know it yet. `pause` is None if the definition itself says that it is not enabled.
    `floor` is the latest start of the results that had counted.
    """

    definition: bytes | None
    floor: int
    pause: PauseTerms | None = None

    @property
    def target(self) -> Target | None:
        """The definition, decoded."""
        return None if self.definition is None else _decode(self.definition)


class PauseEnds:
    """When pauses end by themselves, the first one first: an index, not saved.

    An entry that a later pause, or an early end, made void stays in it until its time has come.
    """

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []

    def add(self, target_id: str, until: int) -> None:
        """A pause of the target ends at `until`, log time."""
        heappush(self._heap, (until, target_id))

    def due(self, now: int) -> bool:
        """True if an entry's time has come."""
        return bool(self._heap) and self._heap[0][0] <= now

    def take(self) -> tuple[str, int]:
        """Removes the entry that ends first: the target and the end of its pause."""
        until, target_id = heappop(self._heap)
        return target_id, until


def pack_target(target: Target) -> bytes:
    """The encoded definition for a `PausedTarget`."""
    return _encode(target)
