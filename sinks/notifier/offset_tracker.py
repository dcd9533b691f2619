"""How far each partition of [incidents] is handled: what may be committed."""

from collections.abc import Iterator

from aiokafka import TopicPartition


class Handled:
    """The offsets that are in hand, and from them the one to commit; new for each assignment.

    An offset may be committed when every record before it is handled; records are handled in any
    order (one channel that fails holds no other back).
    """

    def __init__(self) -> None:
        self._open: dict[TopicPartition, dict[int, int]] = {}
        self._next: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    def begins(self, partition: TopicPartition, offset: int) -> None:
        """The partition is read from `offset` on."""
        self._next[partition] = offset

    def passed(self, partition: TopicPartition, offset: int) -> None:
        """A record was read, and nothing is to be done about it."""
        self._next[partition] = offset + 1

    def taken(self, partition: TopicPartition, offset: int) -> None:
        """A record was read, and is in hand: one part."""
        self.passed(partition, offset)
        self._open.setdefault(partition, {})[offset] = 1

    def more(self, partition: TopicPartition, offset: int) -> None:
        """The record in hand has one more part."""
        self._open[partition][offset] += 1

    def done(self, partition: TopicPartition, offset: int) -> None:
        """One part is handled; with the last one the record is."""
        in_hand = self._open[partition]
        in_hand[offset] -= 1
        if in_hand[offset] == 0:
            del in_hand[offset]

    @property
    def in_hand(self) -> int:
        """How many records are not handled yet."""
        return sum(len(offsets) for offsets in self._open.values())

    def to_commit(self) -> dict[TopicPartition, int]:
        """The offsets that are new since `committed`."""
        return {
            partition: offset
            for partition, offset in self._positions()
            if offset != self._committed.get(partition)
        }

    def committed(self, offsets: dict[TopicPartition, int]) -> None:
        """These were committed."""
        self._committed |= offsets

    def _positions(self) -> Iterator[tuple[TopicPartition, int]]:
        for partition, following in self._next.items():
            # Offsets are taken in order, so the first that is open is the smallest.
            yield partition, next(iter(self._open.get(partition, ())), following)
