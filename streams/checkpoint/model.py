"""The checkpoints of a partition of [state] or [checkpoints].

A writer is one assignment of a partition to one worker. A reader takes the complete checkpoint with
the highest offset, regardless of its writer: a state is a function of the log up to its offset, so
every complete checkpoint is correct at its offset, and the highest saves the most work.
"""

import zlib
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from schemas.checkpoint import FORMAT, HEAD, CheckpointHead, CheckpointKey, decode_head

Name = tuple[str, int]
"""The name of a checkpoint: writer and generation."""


class Checkpoint(Struct, frozen=True, gc=False):
    """A complete checkpoint: the head, and chunks that match its checksums."""

    writer: str
    generation: int
    head: CheckpointHead
    chunks: tuple[bytes, ...]

    @property
    def name(self) -> Name:
        return self.writer, self.generation


class PartitionCheckpoints:
    """The checkpoints of one partition, collected message by message.

    Keys of other kinds, unreadable heads and other formats are ignored: they count as absent here
    and nobody deletes them.
    """

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self._parts: dict[Name, dict[str, bytes]] = {}

    def add(self, key: bytes | None, value: bytes | None) -> None:
        """Takes one message; a null value removes the earlier message of its key. Never raises."""
        try:
            parsed = CheckpointKey.decode(key or b"")
        except ValueError:
            return
        name = (parsed.writer, parsed.generation)
        if value is not None:
            self._parts.setdefault(name, {})[parsed.part] = value
            return
        parts = self._parts.get(name, {})
        parts.pop(parsed.part, None)
        if not parts:
            self._parts.pop(name, None)

    def complete(self) -> list[Checkpoint]:
        """All complete checkpoints, the highest offset first."""
        found = (self._complete(name, parts) for name, parts in self._parts.items())
        return sorted(
            (checkpoint for checkpoint in found if checkpoint is not None),
            key=lambda checkpoint: (checkpoint.head.offset, checkpoint.head.written_at),
            reverse=True,
        )

    def newest_of_later_format(self) -> CheckpointHead | None:
        """The head with the highest offset among those of formats that this version can't read."""
        heads = (_decoded(parts) for parts in self._parts.values())
        later = [
            head
            for head in heads
            if head is not None and head.format > FORMAT and head.partition == self.partition
        ]
        return max(later, key=lambda head: head.offset, default=None)

    def incomplete(self) -> int:
        """Number of incomplete checkpoints of our format: a chunk is missing or is damaged."""
        ours = sum(_head(parts, self.partition) is not None for parts in self._parts.values())
        return ours - len(self.complete())

    def keys(self) -> dict[Name, list[bytes]]:
        """The keys that may be deleted, by checkpoint, each head before its chunks.

        Keys of other formats are excluded. Chunks without a head are included: their writer died,
        or has not written the head yet; therefore the caller does not delete them at once.
        """
        return {
            name: [
                CheckpointKey(*name, part).encode()
                for part in sorted(parts, key=lambda part: part != HEAD)
            ]
            for name, parts in self._parts.items()
            if HEAD not in parts or _head(parts, self.partition) is not None
        }

    def _complete(self, name: Name, parts: Mapping[str, bytes]) -> Checkpoint | None:
        head = _head(parts, self.partition)
        if head is None:
            return None
        chunks = [parts.get(str(number)) for number in range(len(head.crc32))]
        present = tuple(chunk for chunk in chunks if chunk is not None)
        if len(present) != len(chunks) or checksums(present) != head.crc32:
            return None
        return Checkpoint(*name, head, present)


def checksums(chunks: Iterable[bytes]) -> tuple[int, ...]:
    """One CRC-32 for each chunk, as the head lists them."""
    return tuple(zlib.crc32(chunk) for chunk in chunks)


def _head(parts: Mapping[str, bytes], partition: int) -> CheckpointHead | None:
    """The head among `parts`, if it has this format and partition."""
    head = _decoded(parts)
    if head is None:
        return None
    return head if (head.format, head.partition) == (FORMAT, partition) else None


def _decoded(parts: Mapping[str, bytes]) -> CheckpointHead | None:
    """The head among `parts`, if there is one that can be read."""
    try:
        return decode_head(parts[HEAD])
    except (KeyError, msgspec.DecodeError):
        return None
