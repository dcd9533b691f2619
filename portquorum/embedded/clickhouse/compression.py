"""Compressed bodies over HTTP: lz4 frames, zstd, gzip, deflate, as ClickHouse takes and gives."""

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import lz4.frame  # type: ignore[import-untyped]
import zstandard

_SLICE_BYTES: Final = 1024
"""So much is decompressed at a time: zstd may make 128 KiB of 4 bytes."""


class Decompressor(Protocol):
    """Takes a body in parts, cut anywhere."""

    def decompress(self, data: bytes, /) -> Iterator[bytes]:
        """What the part gives, piece by piece; nothing is done before a piece is asked for."""
        ...

    def finish(self) -> None:
        """Raises one of `Corrupt` if what came so far is no whole body."""
        ...


class Compressor(Protocol):
    """Gives a body in parts."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Frames:
    """Frames one after another: clients compress each block of an insert for itself."""

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
"""What a decompressor raises on a body that is not of its kind."""


def decompressor(content_encoding: str) -> Decompressor:
    """For a request's Content-Encoding.

    Raises:
        KeyError: not one of ours.
    """
    return _Frames(_FRAMES[content_encoding.strip().lower()])


def choose(accept_encoding: str) -> tuple[str, Compressor] | None:
    """For a request's Accept-Encoding: the name and the compressor, None if there is none."""
    accepted = {part.split(";")[0].strip().lower() for part in accept_encoding.split(",")}
    for name, make in _COMPRESSORS.items():
        if name in accepted:
            return name, make()
    return None
