"""Where an answer ends: for each way of marking it one pure function.

Each is given what has come, and returns the length of the first whole answer, None if more must
come. A `NotThisError` says that no more bytes can make it one.
"""

import re
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
    begins = b"|".join(map(re.escape, beginnings))
    wanted = re.compile(rb"^(?:" + begins + rb")[^\n]*\n", re.MULTILINE)
    return lambda data: _lines_up_to(wanted, data)


# Not line by line: a server may send tens of thousands of them, a byte at a time.
_LAST_REPLY: Final = re.compile(rb"^(?![0-9]{3}-)[^\n]*\n", re.MULTILINE)


def numbered(data: bytes) -> int | None:
    """A reply of SMTP or FTP (RFC 5321, section 4.2): `220-` goes on, `220 ` ends it."""
    return _lines_up_to(_LAST_REPLY, data)


def _lines_up_to(wanted: re.Pattern[bytes], data: bytes) -> int | None:
    found = wanted.search(data)
    end = None if found is None else found.end()
    if b"\0" in data[:end]:
        raise NotThisError
    return end


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
