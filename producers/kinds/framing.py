"""Where an answer ends: for each way of marking it one pure function.

Each is given what has come, and returns the length of the first whole answer, None if more must
come. A `NotThisError` says that no more bytes can make it one.
"""

from collections.abc import Callable
from typing import Final

Frame = Callable[[bytes], int | None]

MOST_BYTES: Final = 65_536
"""An answer that is longer is none of a protocol that we know."""


class NotThisError(ValueError):
    """What has come is not the beginning of an answer."""


def line(data: bytes) -> int | None:
    """Up to the first line feed. What has a NUL is no text."""
    end = data.find(b"\n")
    if b"\0" in data[: end + 1 or None]:
        raise NotThisError
    return end + 1 or None


def lines_to(*beginnings: bytes) -> Frame:
    """Up to the end of the first line that begins with one of these."""

    def frame(data: bytes) -> int | None:
        start = 0
        while (end := line(data[start:])) is not None:
            if data[start : start + end].startswith(beginnings):
                return start + end
            start += end
        return None

    return frame


def numbered(data: bytes) -> int | None:
    """A reply of SMTP or FTP (RFC 5321, section 4.2): `220-` goes on, `220 ` ends it."""
    start = 0
    while (end := line(data[start:])) is not None:
        goes_on = data[start : start + 3].isdigit() and data[start + 3 : start + 4] == b"-"
        start += end
        if not goes_on:
            return start
    return None


def exactly(count: int) -> Frame:
    """So many bytes."""
    return lambda data: count if len(data) >= count else None


def sized(
    count: int, *, at: int = 0, more: int = 0, order: str = "big", most: int = MOST_BYTES
) -> Frame:
    """A message that says its length in `count` bytes at `at`; `more` is what this leaves out."""

    def frame(data: bytes) -> int | None:
        if len(data) < at + count:
            return None
        size = int.from_bytes(data[at : at + count], "big" if order == "big" else "little")
        if not at + count <= size + more <= most:
            raise NotThisError
        return size + more if len(data) >= size + more else None

    return frame
