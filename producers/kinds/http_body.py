"""The body of an HTTP answer: where it ends (RFC 9112, section 6), and chunks taken apart."""

import re
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds.http_head import Head

MOST_CHUNKS: Final = 20_000
"""The most chunks of a body: a server that sends more is malicious or not an HTTP server."""

_MOST_LINE_BYTES: Final = 16_384
_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,15}(?![0-9A-Fa-f])")
# As curl and browsers read it: of "2, 2" and "+2" the number, of several fields the last.
_LENGTH: Final = re.compile(rb"[ \t]*\+?([0-9]{1,18})(?![0-9])")


def without_body(head: Head, method: str) -> bool:
    """Whether such an answer has no body (RFC 9112, section 6.3)."""
    return method == "HEAD" or head.status < 200 or head.status in {204, 304}


class BodyReader:
    """Takes the bytes after a head; `feed` returns those of the body.

    `done` is True at its end. A body without a length ends with the connection.
    """

    def __init__(self, head: Head, method: str) -> None:
        self._status = head.status
        self._buffer = bytearray()
        self._chunks = 0
        self._in_chunk = False
        self._length = _length(head)
        self._chunked = _chunked(head)
        if self._chunked:
            self._length = None
        self._left = 0 if self._length is None else self._length
        self.done = without_body(head, method) or self._length == 0

    @property
    def cut(self) -> str | None:
        """The part that is missing at the end of the server's data, for people; None if none is."""
        if self.done:
            return None
        if self._chunked:
            return "without its last chunk"
        if self._length is None:
            return None
        return f"after {self._length - self._left} of {self._length} bytes"

    def feed(self, data: bytes) -> bytes:
        """The bytes of the body in `data`.

        Raises:
            CheckFailedError: `unexpected_response`: no client can tell the chunks apart.
        """
        if self.done:
            return b""
        if self._chunked:
            return self._unchunked(data)
        if self._length is None:
            return data
        taken = data[: self._left]
        self._left -= len(taken)
        self.done = self._left == 0
        return taken

    def _unchunked(self, data: bytes) -> bytes:
        self._buffer += data
        body, at = bytearray(), 0
        while not self.done:
            if self._left:
                taken = self._buffer[at : at + self._left]
                body += taken
                at += len(taken)
                self._left -= len(taken)
                if self._left:
                    break
            if self._in_chunk:
                after = self._end_of_line(at)
                if after is None:
                    break
                at, self._in_chunk = after, False
            end = self._buffer.find(b"\n", at)
            if end < 0:
                if len(self._buffer) - at > _MOST_LINE_BYTES:
                    raise self._malformed(at)
                break
            at = self._begin_chunk(at, end)
        del self._buffer[:at]
        return bytes(body)

    def _begin_chunk(self, at: int, end: int) -> int:
        found = _SIZE.match(self._buffer, at, end)
        if found is None:
            raise self._malformed(at)
        self._chunks += 1
        if self._chunks > MOST_CHUNKS:
            text = f"the body (status {self._status}) came in more than {MOST_CHUNKS} pieces"
            raise CheckFailedError("unexpected_response", text)
        self._left = int(found[0], 16)
        # The fields after the last chunk are nobody's concern here.
        self.done = self._left == 0
        self._in_chunk = True
        return end + 1

    def _end_of_line(self, at: int) -> int | None:
        """The position after the line end at `at`; None if it has not come."""
        if self._buffer[at : at + 2] == b"\r\n":
            return at + 2
        if self._buffer[at : at + 1] == b"\n":
            return at + 1
        if bytes(self._buffer[at : at + 2]) in {b"", b"\r"}:
            return None
        raise self._malformed(at)

    def _malformed(self, at: int) -> CheckFailedError:
        found = shown(bytes(self._buffer[at : at + 256]))
        text = f"chunked body (status {self._status}): expected the size of a chunk"
        return CheckFailedError("unexpected_response", f"{text}, found {found!r}")


def codings(head: Head, name: str) -> list[str]:
    """The codings in the fields `name`, in lower case, without parameters and `identity`."""
    text = (head.value(name) or b"").decode("latin-1").lower()
    found = (one.partition(";")[0].strip() for one in text.split(","))
    return [one for one in found if one not in {"", "identity"}]


def _chunked(head: Head) -> bool:
    return "chunked" in codings(head, "transfer-encoding")


def _length(head: Head) -> int | None:
    """The length by Content-Length, None without one that is a number."""
    found = head.values("content-length")
    match = _LENGTH.match(found[-1]) if found else None
    return None if match is None else int(match[1])
