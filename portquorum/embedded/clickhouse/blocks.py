"""ClickHouse's own compressed blocks: `compress=1` of an answer, `decompress=1` of a body.

A block is a checksum (CityHash128 1.0.2 of all that follows, 16 bytes), the method (1 byte), the
compressed size with these 9 bytes of head and the size before (4 bytes each, little-endian), and
the data. The same blocks lie in the files of a MergeTree.

Source: ClickHouse, src/Compression/CompressedWriteBuffer.cpp, CompressionInfo.h.
"""

import struct
from collections.abc import Iterator
from typing import Final

import lz4.block  # type: ignore[import-untyped]
import zstandard
from clickhouse_cityhash.cityhash import CityHash128  # type: ignore[import-untyped]

BLOCK_BYTES: Final = 1 << 20
"""As the server's max_compress_block_size."""
_MOST_BYTES: Final = 64 << 20
"""Largest block of a request, compressed or not: a whole block is in memory."""

_CHECKSUM: Final = struct.Struct("<QQ")
_HEAD: Final = struct.Struct("<BII")
_NONE: Final = 0x02
_LZ4: Final = 0x82
_ZSTD: Final = 0x90


class BlockCompressor:
    """LZ4 blocks of 1 MiB."""

    def __init__(self) -> None:
        """Nothing is pending yet."""
        self._pending = bytearray()

    def compress(self, data: bytes) -> bytes:
        """The blocks that are complete."""
        self._pending += data
        blocks = []
        while len(self._pending) >= BLOCK_BYTES:
            blocks.append(_block(bytes(self._pending[:BLOCK_BYTES])))
            del self._pending[:BLOCK_BYTES]
        return b"".join(blocks)

    def flush(self) -> bytes:
        """The last block, if any data is left."""
        rest, self._pending = bytes(self._pending), bytearray()
        return _block(rest) if rest else b""


class BlockDecompressor:
    """Blocks of any of the methods LZ4, ZSTD and NONE."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._pending = bytearray()

    def decompress(self, data: bytes) -> Iterator[bytes]:
        """The contents of the complete blocks.

        Raises:
            EOFError: an impossible checksum, method or size.
        """
        self._pending += data
        while (size := self._size()) is not None and len(self._pending) >= size:
            block = bytes(self._pending[:size])
            del self._pending[:size]
            yield _content(block)

    def finish(self) -> None:
        """Checks that no incomplete block is left.

        Raises:
            EOFError: there is one.
        """
        if self._pending:
            raise EOFError("it ends within a block")

    def _size(self) -> int | None:
        """Size of the present block, including checksum; None before its head is complete."""
        if len(self._pending) < _CHECKSUM.size + _HEAD.size:
            return None
        _, packed, plain = _HEAD.unpack_from(self._pending, _CHECKSUM.size)
        if not _HEAD.size <= packed <= _MOST_BYTES or plain > _MOST_BYTES:
            raise EOFError(
                f"expected blocks of at most {_MOST_BYTES} bytes, found one of {packed} bytes "
                f"({plain} before compression)"
            )
        return _CHECKSUM.size + int(packed)


def _block(data: bytes) -> bytes:
    packed = bytes(lz4.block.compress(data, store_size=False))
    body = _HEAD.pack(_LZ4, _HEAD.size + len(packed), len(data)) + packed
    return _checksum(body) + body


def _content(block: bytes) -> bytes:
    body = block[_CHECKSUM.size :]
    if _checksum(body) != block[: _CHECKSUM.size]:
        raise EOFError("the checksum of a block is not that of its data")
    method, _, size = _HEAD.unpack_from(body)
    packed = body[_HEAD.size :]
    try:
        if method == _LZ4:
            plain = bytes(lz4.block.decompress(packed, uncompressed_size=size))
        elif method == _ZSTD:
            plain = bytes(zstandard.ZstdDecompressor().decompress(packed, max_output_size=size))
        elif method == _NONE:
            plain = packed
        else:
            raise EOFError(f"expected a block of LZ4, ZSTD or NONE, found method {method:#x}")
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise EOFError(f"a block can't be decompressed: {error}") from error
    if len(plain) != size:
        raise EOFError(f"a block has {len(plain)} bytes, its head says {size}")
    return plain


def _checksum(body: bytes) -> bytes:
    found = CityHash128(body)
    return _CHECKSUM.pack(found >> 64, found & 0xFFFF_FFFF_FFFF_FFFF)
