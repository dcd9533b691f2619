"""What is kept of the definitions in [targets]: a few hundred bytes a target. Pure.

A target whose host changes is removed in its old partition and defined in its new one, in any order
for a reader: the last record of an id counts in each partition, and the newest version of all
partitions is valid.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from schemas.probe import HOSTLESS
from schemas.target import Target
from sinks.notifier.model import TargetFacts

MOST_ANSWER_MS: Final = 15_000
"""Longest wait for the answer of a recheck, in ms: whoever is told waits no longer than this."""

_ON_THE_WAY_MS: Final = 2_000
"""A request and its results travel for so long at most, in ms."""


class _Packed(Struct, frozen=True, gc=False, array_like=True):
    """Without the id, which is the key. `version` is that of the definition."""

    version: int
    partition: int
    name: str
    place: str
    tags: tuple[str, ...]
    depends_on: tuple[str, ...]
    settle_ms: int
    answer_ms: int
    on_host: bool


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Packed).decode


def facts(target: Target) -> TargetFacts:
    """What the notifier knows of a target."""
    series_ms = (target.retries + 1) * target.timeout_ms + target.retries * target.retry_delay_ms
    return TargetFacts(
        id=target.id,
        name=target.name,
        place=target.place,
        tags=target.tags,
        depends_on=target.depends_on,
        settle_ms=target.interval_ms + series_ms,
        answer_ms=min(series_ms + _ON_THE_WAY_MS, MOST_ANSWER_MS) if target.enabled else 0,
        on_host=target.kind not in HOSTLESS,
    )


class FactsTable:
    """The valid facts of each target, packed; they are unpacked for each question (1 µs)."""

    def __init__(self) -> None:
        self._valid: dict[str, bytes] = {}
        self._others: dict[str, list[bytes]] = {}
        """The definitions of ids that stand in more than one partition, without the valid one."""

        self._hostless: set[str] = set()

    def __len__(self) -> int:
        return len(self._valid)

    @property
    def on_hosts(self) -> int:
        """The number of targets that are on a host: all but jobs and domains."""
        return len(self._valid) - len(self._hostless)

    def __iter__(self) -> Iterator[str]:
        return iter(self._valid)

    def of(self, target_id: str) -> TargetFacts | None:
        """The facts of a target, None if no partition has it."""
        packed = self._valid.get(target_id)
        return None if packed is None else _unpacked(target_id, packed)

    def define(self, partition: int, target: Target) -> bool:
        """Takes a definition; True if the facts have changed."""
        known = facts(target)
        packed = _encode(
            _Packed(
                target.version,
                partition,
                known.name,
                known.place,
                known.tags,
                known.depends_on,
                known.settle_ms,
                known.answer_ms,
                known.on_host,
            )
        )
        return self._put(target.id, partition, packed)

    def remove(self, partition: int, target_id: str) -> bool:
        """Takes a removal, which removes the definition of this partition alone.

        Returns True if the facts have changed.
        """
        return self._put(target_id, partition, None)

    def differing(self, other: "FactsTable") -> Iterator[str]:
        """The ids of which the two do not say the same."""
        for target_id in {*self, *other}:
            if self.of(target_id) != other.of(target_id):
                yield target_id

    def _put(self, target_id: str, partition: int, packed: bytes | None) -> bool:
        before = self._valid.get(target_id)
        if before is None and packed is None:
            return False
        stand = [
            one
            for one in (before, *self._others.pop(target_id, ()), packed)
            if one is not None and (one is packed or _decode(one).partition != partition)
        ]
        valid = max(stand, key=lambda one: _decode(one).version, default=None)
        self._hostless.discard(target_id)
        if valid is None:
            del self._valid[target_id]
            return True
        self._valid[target_id] = valid
        if not _decode(valid).on_host:
            self._hostless.add(target_id)
        if len(stand) > 1:
            self._others[target_id] = [one for one in stand if one is not valid]
        return before is None or _unpacked(target_id, before) != _unpacked(target_id, valid)


def _unpacked(target_id: str, packed: bytes) -> TargetFacts:
    one = _decode(packed)
    return TargetFacts(
        id=target_id,
        name=one.name,
        place=one.place,
        tags=one.tags,
        depends_on=one.depends_on,
        settle_ms=one.settle_ms,
        answer_ms=one.answer_ms,
        on_host=one.on_host,
    )
