import struct

import lz4.block
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from portquorum.embedded.clickhouse import blocks
from portquorum.embedded.clickhouse.blocks import BlockCompressor, BlockDecompressor

BODY = b"0123456789" * 300_000


def packed(body: bytes, part: int = 100_000) -> bytes:
    compressor = BlockCompressor()
    parts = [compressor.compress(body[at : at + part]) for at in range(0, len(body), part)]
    return b"".join(parts) + compressor.flush()


def unpacked(data: bytes, part: int) -> bytes:
    decompressor = BlockDecompressor()
    pieces = []
    for at in range(0, len(data), part):
        pieces += decompressor.decompress(data[at : at + part])
    decompressor.finish()
    return b"".join(pieces)


def block(method: int, packed: bytes, size: int) -> bytes:
    body = struct.pack("<BII", method, 9 + len(packed), size) + packed
    return blocks._checksum(body) + body


@given(st.binary(max_size=300), st.integers(1, 50))
def test_what_is_packed_is_unpacked(body: bytes, part: int) -> None:
    assert unpacked(packed(body, part), part) == body


def test_a_long_body_is_several_blocks() -> None:
    data = packed(BODY)
    assert len(data) < len(BODY) / 50
    assert unpacked(data, 777) == BODY
    assert unpacked(data, len(data)) == BODY


@pytest.mark.parametrize(
    ("method", "compress"),
    [
        (0x02, bytes),
        (0x82, lambda data: lz4.block.compress(data, store_size=False)),
        (0x90, lambda data: zstandard.ZstdCompressor().compress(data)),
    ],
)
def test_each_method_of_a_client_is_understood(method: int, compress) -> None:  # noqa: ANN001
    data = block(method, compress(BODY), len(BODY))
    assert unpacked(data + data, 5000) == BODY * 2


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"SELECT 1, and no compression at all", "blocks of at most"),
        (packed(b"x")[:-1], "ends within a block"),
        (packed(b"x")[:-1] + b"?", "checksum"),
        (block(0x77, b"x", 1), "method 0x77"),
        (block(0x82, b"\xff\xff\xff", 100), "can't be decompressed"),
        (block(0x02, b"xx", 3), "its head says 3"),
        (struct.pack("<QQBII", 0, 0, 0x82, 100, 1 << 31), "blocks of at most"),
    ],
)
def test_what_is_no_block_is_said(data: bytes, says: str) -> None:
    with pytest.raises(EOFError, match=says):
        unpacked(data, 10)
