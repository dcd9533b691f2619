import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.embedded.clickhouse.engine import QueryError
from portquorum.embedded.clickhouse.native_format import Column, NativeStream

INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
COLUMNS = [Column(b"a", b"UInt8"), Column(b"n" * 200, b"String")]
HEADS = [b"\x01a\x05UInt8\x00", b"\xc8\x01" + b"n" * 200 + b"\x06String\x00"]

blocks = st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=40), st.binary(max_size=40)))


def buffers(rows: int, *columns: bytes) -> bytes:
    sized = b"".join(struct.pack("<Q", len(data)) + data for data in columns)
    return struct.pack("<QQ", len(columns), rows) + sized


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])


@given(blocks, st.lists(st.integers(0, 2000)))
def test_it_may_be_cut_anywhere(found: list[tuple[int, bytes, bytes]], cuts: list[int]) -> None:
    data = b"".join(buffers(*block) for block in found)
    stream = NativeStream(COLUMNS, 54460)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    made = b"".join(stream.convert(data[at:to]) for at, to in pairwise(places))
    stream.finish()
    assert made == b"".join(
        INFO + b"\x02" + varint(rows) + HEADS[0] + first + HEADS[1] + second
        for rows, first, second in found
    )


@given(st.integers(1, 56))
def test_an_end_within_a_block_is_an_error(size: int) -> None:
    data = buffers(3, b"123", b"\x01a\x01b\x01c")
    assert len(data) == 41
    stream = NativeStream(COLUMNS, 54460)
    stream.convert((data + data)[: size if size != 41 else 42])
    with pytest.raises(QueryError, match="ends within a block"):
        stream.finish()


def test_another_number_of_columns_is_an_error() -> None:
    with pytest.raises(QueryError, match="2 columns were described, and a block has 1"):
        NativeStream(COLUMNS, 54460).convert(buffers(1, b"x"))
