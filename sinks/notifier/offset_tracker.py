"""Tracks the handled offsets of [incidents] to find those to commit."""

from collections.abc import Iterator

from aiokafka import TopicPartition


class OffsetTracker:
    """The offsets in hand, and the resulting one to commit; new for each assignment.

    An offset may be committed once every record before it is handled; records are handled in any
    order (a failing channel does not delay the others).
    """

    def __init__(self) -> None:
        self._open: dict[TopicPartition, dict[int, int]] = {}
        self._next: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    def begins(self, partition: TopicPartition, offset: int) -> None:
        """Notes that the partition is read from `offset` on."""
        self._next[partition] = offset

    def passed(self, partition: TopicPartition, offset: int) -> None:
        """Notes a record that needs no handling."""
        self._next[partition] = offset + 1

    def taken(self, partition: TopicPartition, offset: int) -> None:
        """Notes a record in hand, with one part."""
        self.passed(partition, offset)
        self._open.setdefault(partition, {})[offset] = 1

    def more(self, partition: TopicPartition, offset: int) -> None:
        """Adds one more part to the record in hand."""
        self._open[partition][offset] += 1

    def done(self, partition: TopicPartition, offset: int) -> None:
        """Notes a handled part; the last one completes the record."""
        in_hand = self._open[partition]
        in_hand[offset] -= 1
        if in_hand[offset] == 0:
            del in_hand[offset]

    @property
    def in_hand(self) -> int:
        """Number of records that are not handled yet."""
        return sum(len(offsets) for offsets in self._open.values())

    def to_commit(self) -> dict[TopicPartition, int]:
        """The offsets to commit that are new since the last `committed`."""
        return {
            partition: offset
            for partition, offset in self._positions()
            if offset != self._committed.get(partition)
        }

    def committed(self, offsets: dict[TopicPartition, int]) -> None:
        """Notes the committed offsets."""
        self._committed |= offsets

    def _positions(self) -> Iterator[tuple[TopicPartition, int]]:
        for partition, following in self._next.items():
            # Offsets are taken in order, so the first that is open is the smallest.
            yield partition, next(iter(self._open.get(partition, ())), following)
