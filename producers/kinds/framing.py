"""The end of an answer: one pure function for each kind of framing.

Each takes the received data and returns the length of the first whole answer, None if it is not
whole yet. `NotThisError`: no further bytes can make it an answer.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

Frame = Callable[[bytes], int | None]

MOST_BYTES: Final = 65_536
"""The longest answer of a known protocol."""


class NotThisError(ValueError):
    """The data is not the beginning of an answer."""


def line(data: bytes) -> int | None:
    """Up to the first line feed. Data with a NUL is not text."""
    end = data.find(b"\n")
    if b"\0" in data[: end + 1 or None]:
        raise NotThisError
    return end + 1 or None


def lines_to(*beginnings: bytes, any_case: bool = False) -> Frame:
    """Up to the end of the first line that begins with one of these."""
    begins = b"|".join(map(re.escape, beginnings))
    flags = re.MULTILINE | (re.IGNORECASE if any_case else re.NOFLAG)
    wanted = re.compile(rb"^(?:" + begins + rb")[^\n]*\n", flags)
    return lambda data: _lines_up_to(wanted, data)


def numbered(data: bytes) -> int | None:
    """A reply of SMTP or FTP (RFC 959, section 4.2; RFC 5321, section 4.2).

    `220-` begins a reply of several lines, which ends with the first line of the same code without
    the hyphen. The lines between may begin with anything. 421 may come at any time, and ends it.
    """
    first = line(data)
    if first is None or not (data[:3].isdigit() and data[3:4] == b"-"):
        return first
    return _lines_up_to(_last_line(data[:3]), data)


# Not line by line: a server may send tens of thousands of them, a byte at a time.
@lru_cache(maxsize=1_000)
def _last_line(code: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"^(?:" + code + rb"|421)(?:[ \t][^\n]*|\r?)\n", re.MULTILINE)


def _lines_up_to(wanted: re.Pattern[bytes], data: bytes) -> int | None:
    found = wanted.search(data)
    end = None if found is None else found.end()
    if b"\0" in data[:end]:
        raise NotThisError
    return end


def sized(
    count: int, *, at: int = 0, more: int = 0, order: str = "big", most: int = MOST_BYTES
) -> Frame:
    """A message with its length in `count` bytes at `at`; `more` is added to that length."""

    def frame(data: bytes) -> int | None:
        if len(data) < at + count:
            return None
        size = int.from_bytes(data[at : at + count], "big" if order == "big" else "little")
        if not at + count <= size + more <= most:
            raise NotThisError
        return size + more if len(data) >= size + more else None

    return frame
