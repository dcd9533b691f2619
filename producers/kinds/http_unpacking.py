"""One coding of a packed body undone: gzip, deflate, Brotli, zstd, each in bounded memory."""

import sys
import zlib
from collections.abc import Callable
from typing import Final, Protocol

import brotli

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MOST_MEMBERS: Final = 100
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5"
_ZSTD_WINDOW: Final = 23
"""The logarithm of the largest window, 8 MiB: all that servers may ask of a client (RFC 9659)."""

KNOWN: Final = _GZIP | {"deflate", "br", "zstd"}
"""The names of the codings (IANA, in small letters)."""

_ERRORS: Final = (zlib.error, brotli.error, zstd.ZstdError)


class _Member(Protocol):
    """One member of a packed body, as `zlib.decompressobj` has it."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Layer:
    """Takes packed bytes; `feed` returns them unpacked, as far as there are `most` of them.

    `status` is that of the answer, for people.
    """

    def __init__(self, name: str, status: int, most: int) -> None:
        self._name = name
        self._status = status
        self._left = most
        self._begun = b""
        self._members = 0
        self._unpacked: _Member | None = None

    @property
    def cut(self) -> bool:
        """Whether packed data has begun and not ended."""
        return self._unpacked is not None and not self._unpacked.eof and self._left > 0

    def feed(self, data: bytes) -> bytes:
        """The unpacked bytes of `data`.

        Raises:
            CheckFailedError: `unexpected_response`: it is not packed so.
        """
        body = bytearray()
        data, self._begun = self._begun + data, b""
        while data and self._left > 0:
            if self._unpacked is None:
                if len(data) < len(_GZIP_MAGIC):
                    self._begun = data
                    break
                if self._members and not self._goes_on(data):
                    self._left = 0  # what follows is not part of it
                    break
                self._unpacked = _member(self._name, data)
                self._members += 1
            try:
                more = self._unpacked.decompress(data, self._left)
            except _ERRORS:
                text = f"the body (status {self._status}) is not {self._name}, as its head says"
                found = shown(data)
                raise CheckFailedError("unexpected_response", f"{text}: {found!r}") from None
            body += more
            self._left -= len(more)
            data = b""
            if self._unpacked.eof:
                data, self._unpacked = self._unpacked.unused_data, None
        return bytes(body)

    def _goes_on(self, data: bytes) -> bool:
        """Whether another member of the same body begins there."""
        magic = _ZSTD_MAGIC if self._name == "zstd" else _GZIP_MAGIC
        return data.startswith(magic) and self._members < _MOST_MEMBERS


def _member(name: str, data: bytes) -> _Member:
    made: Callable[[], _Member] | None = {"br": _Brotli, "zstd": _zstd}.get(name)
    return zlib.decompressobj(_window(name, data)) if made is None else made()


def _window(name: str, data: bytes) -> int:
    """The parameter of zlib. `deflate` is zlib's format, and without its header in old servers.

    RFC 9110, section 8.4.1.2; RFC 1950, section 2.2.
    """
    if name in _GZIP:
        return 16 + zlib.MAX_WBITS
    has_header = data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def _zstd() -> _Member:
    limit = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW}
    return zstd.ZstdDecompressor(options=limit)


class _Brotli:
    """Brotli (RFC 7932), which has one member alone and nothing behind it."""

    unused_data = b""

    def __init__(self) -> None:
        self._it = brotli.Decompressor()

    @property
    def eof(self) -> bool:
        done: bool = self._it.is_finished()
        return done

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        # The limit is a rough one: a block more may come.
        found: bytes = self._it.process(data, output_buffer_limit=max_length)
        return found[:max_length]
