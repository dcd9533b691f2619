"""Compressed HTTP bodies: lz4 frames, zstd, gzip, deflate, as in ClickHouse."""

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import lz4.frame  # type: ignore[import-untyped]
import zstandard

_SLICE_BYTES: Final = 1024
"""Bytes that are decompressed at a time: zstd may expand 4 bytes to 128 KiB."""


class Decompressor(Protocol):
    """Decompresses a body in parts of any size."""

    def decompress(self, data: bytes, /) -> Iterator[bytes]:
        """The content of the part, piece by piece; lazy."""
        ...

    def finish(self) -> None:
        """Raises one of `Corrupt` if the body so far is incomplete."""
        ...


class Compressor(Protocol):
    """Compresses a body in parts."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Frames:
    """Consecutive frames: clients compress each block of an insert separately."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._frame: Any = None

    def decompress(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), _SLICE_BYTES):
            piece = data[at : at + _SLICE_BYTES]
            while piece:
                if self._frame is None:
                    self._frame = self._make()
                yield self._frame.decompress(piece)
                if not self._frame.eof:
                    break
                piece = self._frame.unused_data
                self._frame = None

    def finish(self) -> None:
        if self._frame is not None:
            raise EOFError("it ends within a frame")


class _Lz4Compressor:
    def __init__(self) -> None:
        self._frame: Any = lz4.frame.LZ4FrameCompressor()
        self._begun = False

    def compress(self, data: bytes) -> bytes:
        return self._begin() + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        return self._begin() + bytes(self._frame.flush())

    def _begin(self) -> bytes:
        begun, self._begun = self._begun, True
        return b"" if begun else bytes(self._frame.begin())


# In the order in which a server chooses among what a client accepts: the cheapest first, since
# both ends are on one machine.
_COMPRESSORS: Final[dict[str, Callable[[], Any]]] = {
    "lz4": _Lz4Compressor,
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "gzip": lambda: zlib.compressobj(level=1, wbits=31),
    "deflate": lambda: zlib.compressobj(level=1),
}
_FRAMES: Final[dict[str, Callable[[], Any]]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "x-gzip": lambda: zlib.decompressobj(wbits=31),
    "deflate": zlib.decompressobj,
}
Corrupt: Final = (zlib.error, zstandard.ZstdError, RuntimeError, EOFError)
"""Errors of a decompressor for a body in another format."""


def decompressor(content_encoding: str) -> Decompressor:
    """The decompressor for a request's Content-Encoding.

    Raises:
        KeyError: an unsupported encoding.
    """
    return _Frames(_FRAMES[content_encoding.strip().lower()])


def choose(accept_encoding: str) -> tuple[str, Compressor] | None:
    """The name and the compressor for a request's Accept-Encoding; None if none is supported."""
    accepted = {part.split(";")[0].strip().lower() for part in accept_encoding.split(",")}
    for name, make in _COMPRESSORS.items():
        if name in accepted:
            return name, make()
    return None
