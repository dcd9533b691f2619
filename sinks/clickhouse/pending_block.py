"""The pending range: the extent of a block, in the commit's metadata before the insert."""

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.json_decoder import DECODE_ERRORS

MAX_METADATA_BYTES: Final = 4_096
"""Most bytes of metadata that a broker keeps (its default `offset.metadata.max.bytes`)."""

WHOLE: Final = -1
"""The line number that stands for a whole message."""

Run = tuple[int, int, int]
"""Rejected lines: offset minus the block's first, first line, last line."""


class PendingError(ValueError):
    """A commit's metadata was not written by this sink."""


class Pending(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A block of one partition: all messages of the offsets `first` to `last`, both included.

    `at` is the log's time (UTC ms) of its first message: it tells the block from one of a topic
    that was deleted and created again. `rejected` fixes which lines are no rows, so that another
    version, which can read more or fewer lines, inserts the same rows. None if they are too many to
    list (a single message with hundreds of separate bad lines): then they are found again.
    """

    first: Annotated[int, Meta(ge=0)]
    last: Annotated[int, Meta(ge=0)]
    at: int
    rejected: tuple[Run, ...] | None = ()

    def token(self, topic: str, partition: int, table: str) -> str:
        """The deduplication token of the block's rows in `table`; never used for other rows."""
        return f"{topic}:{partition}:{self.first}-{self.last}:{table}:{self.at}"

    def metadata(self) -> str:
        """The commit's metadata; at most `MAX_METADATA_BYTES` if `fits`."""
        return msgspec.json.encode(self).decode()

    @property
    def fits(self) -> bool:
        """True if a broker accepts the metadata."""
        return len(self.metadata()) <= MAX_METADATA_BYTES

    def rejected_lines(self) -> dict[int, set[int]]:
        """The rejected lines by offset; {WHOLE} for a whole message."""
        lines: dict[int, set[int]] = {}
        for delta, start, stop in self.rejected or ():
            lines.setdefault(self.first + delta, set()).update(range(start, stop + 1))
        return lines


_decoder = msgspec.json.Decoder(Pending)


def from_metadata(metadata: str) -> Pending | None:
    """The pending range in a commit's metadata, None if there is none.

    Raises:
        PendingError: the metadata is of another writer; the text says what was found.
    """
    if not metadata:
        return None
    try:
        pending = _decoder.decode(metadata)
    except DECODE_ERRORS as error:
        raise PendingError(f"expected a pending range, found {metadata[:200]!r}: {error}") from None
    if pending.last < pending.first:
        raise PendingError(f"expected first <= last, found {metadata[:200]!r}")
    return pending


def runs(first: int, rejected: Iterable[tuple[int, int]]) -> tuple[Run, ...]:
    """(offset, line) pairs in ascending order, as runs relative to the offset `first`."""
    found: list[Run] = []
    for offset, line in rejected:
        delta = offset - first
        if found and found[-1][0] == delta and found[-1][2] == line - 1:
            found[-1] = (delta, found[-1][1], line)
        else:
            found.append((delta, line, line))
    return tuple(found)
