"""The head of an HTTP answer, read as leniently as curl and browsers do.

RFC 9112, sections 2 to 5, and what servers send in its place: lines that end with LF alone, blanks
before a colon, folded and nameless fields, a status line without a reason. No library for Python
takes all that curl takes (docs/decisions/0014-http-as-lenient-as-curl.md).
"""

import re
from typing import Final

from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds.tls_records import answers_in_tls

MOST_HEAD_BYTES: Final = 300 << 10
"""The most bytes before the body, those of informational answers included; curl's own limit."""

MOST_FIELDS: Final = 30_000
"""The most fields of a head, those of informational answers included: each takes some 300 bytes of
memory. Recent versions of curl take 5,000, earlier ones any number."""

_STATUS: Final = re.compile(
    # "ICY" is what SHOUTcast servers say in place of "HTTP/1.0".
    rb"[ \t]*(?:HTTP/(?:1\.\d|[23](?:\.0)?)|ICY)[ \t]+([1-9]\d\d)(?!\d)[ \t]*([^\r]*)",
    re.IGNORECASE,
)
_BEGINNINGS: Final = (b"HTTP/", b"ICY ")
_BLANKS: Final = b" \t\r\n"
_SWITCHING: Final = 101
_SHOWN_BYTES: Final = 256


class Head(Struct, frozen=True):
    """Status, reason phrase and fields; names in lower case, values without blanks around them."""

    status: int
    phrase: str
    fields: dict[bytes, list[bytes]]

    def values(self, name: str) -> list[bytes]:
        """The values of all fields of this name, in their order."""
        return self.fields.get(name.lower().encode(), [])

    def value(self, name: str) -> bytes | None:
        """The values of all fields of this name as one (RFC 9110, section 5.3); None without."""
        found = self.values(name)
        return b", ".join(found) if found else None


class HeadReader:
    """Reads the head of the final answer from bytes as they come.

    Informational answers (RFC 9110, section 15.2) are passed over, except 101.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._line_at = 0
        self._scanned = 0
        self._count = 0
        self._status: tuple[int, str] | None = None
        self._informational: int | None = None
        # A folded value is a list of its lines: to join them one by one costs the square of them.
        self._fields: list[tuple[bytes, list[bytes]]] = []

    @property
    def heard(self) -> bool:
        """Whether any byte has come."""
        return bool(self._buffer)

    @property
    def begun(self) -> str:
        """The part of an incomplete head that has come, for people."""
        return repr(shown(bytes(self._buffer[:_SHOWN_BYTES])))

    @property
    def rest(self) -> bytes:
        """The bytes after the head."""
        return bytes(self._buffer[self._line_at :])

    def feed(self, data: bytes) -> Head | None:
        """The head if it is complete.

        Raises:
            CheckFailedError: `protocol_mismatch`: this is not HTTP; `unexpected_response`: it is,
                and no client can read it.
        """
        self._buffer += data
        while True:
            end = self._buffer.find(b"\n", self._scanned)
            if max(end, self._line_at) > MOST_HEAD_BYTES or (
                end < 0 and len(self._buffer) > MOST_HEAD_BYTES
            ):
                raise self._unreadable(f"its head is longer than {MOST_HEAD_BYTES >> 10} KiB")
            if end < 0:
                self._scanned = len(self._buffer)
                if self._status is None:
                    self._check_beginning()
                return None
            line = bytes(self._buffer[self._line_at : end])
            self._line_at = self._scanned = end + 1
            head = self._take(line)
            if head is not None:
                return head

    def end(self) -> Head:
        """The head after the end of the server's data: one that lacks its last lines will do.

        Raises:
            CheckFailedError: there is no status.
        """
        if self._status is not None and not self._passes(self._status[0]):
            return self._made(self._status)
        informational = self._status[0] if self._status is not None else self._informational
        if informational is not None:
            text = f"closed by the server after the status {informational}, which is not final"
            raise CheckFailedError("unexpected_response", text)
        if not bytes(self._buffer).strip(_BLANKS):
            raise CheckFailedError("protocol_mismatch", "closed by the server without HTTP answer")
        text = f"closed by the server in the head of its answer: {self.begun}"
        raise CheckFailedError("unexpected_response", text)

    def _take(self, line: bytes) -> Head | None:
        if self._status is None:
            if line.strip(_BLANKS):
                self._status = self._status_of(line)
            return None
        if line[:1] in {b"", b"\r"}:
            status, self._status = self._status, None
            if not self._passes(status[0]):
                return self._made(status)
            self._informational = status[0]
            self._fields.clear()
            return None
        if b"\0" in line:
            # Browsers and curl refuse it: no user sees this page.
            raise self._unreadable(f"a NUL byte in its head: {shown(line.replace(bytes(1), b' '))}")
        if line[:1] in {b" ", b"\t"}:
            if self._fields:
                self._fields[-1][1].append(line.strip(_BLANKS))
            return None
        name, colon, value = line.partition(b":")
        name = name.strip(_BLANKS)
        # As in browsers: a line that is no field says nothing.
        if colon and name:
            self._count += 1
            if self._count > MOST_FIELDS:
                raise self._unreadable(f"its head has more than {MOST_FIELDS} fields")
            self._fields.append((name.lower(), [value.strip(_BLANKS)]))
        return None

    def _status_of(self, line: bytes) -> tuple[int, str]:
        found = _STATUS.match(line)
        if found is not None and b"\0" not in line:
            return int(found[1]), shown(found[2])
        if line.lstrip(_BLANKS).upper().startswith(_BEGINNINGS):
            text = f"expected a status line of HTTP/1.1, found {shown(line)!r}"
            raise CheckFailedError("unexpected_response", text)
        raise self._no_http(line)

    def _check_beginning(self) -> None:
        """Refuses other protocols that send no line, or do not end it."""
        begun = bytes(self._buffer[self._line_at : self._line_at + _SHOWN_BYTES])
        first = begun.lstrip(_BLANKS)[:8].upper()
        if first and not any(first.startswith(one[: len(first)]) for one in _BEGINNINGS):
            raise self._no_http(begun)

    def _no_http(self, data: bytes) -> CheckFailedError:
        text = f"expected an HTTP answer, found {shown(data)!r}"
        if answers_in_tls(data):
            text += ": the server speaks TLS there (tls: true)"
        elif data[3:4] == b"\x04" and data[5:9] == bytes(4):  # SETTINGS, RFC 9113, section 6.5
            text += ": the server speaks HTTP/2 alone there"
        before = self._informational is not None
        return CheckFailedError("unexpected_response" if before else "protocol_mismatch", text)

    def _unreadable(self, why: str) -> CheckFailedError:
        status = self._status[0] if self._status is not None else self._informational
        said = "" if status is None else f" with the status {status}"
        return CheckFailedError("unexpected_response", f"the answer{said} can't be read: {why}")

    def _made(self, status: tuple[int, str]) -> Head:
        fields: dict[bytes, list[bytes]] = {}
        for name, lines in self._fields:
            fields.setdefault(name, []).append(b" ".join(lines))
        return Head(*status, fields)

    @staticmethod
    def _passes(status: int) -> bool:
        return status < 200 and status != _SWITCHING
