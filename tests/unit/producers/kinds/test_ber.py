"""The encoding rules of LDAP and SNMP: what is written can be read, and nothing else breaks it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.kinds import ber
from producers.kinds.ber import BerError, Value

MOST = (1 << 63) - 1


@given(st.integers(-MOST - 1, MOST))
def test_numbers_come_back(number: int) -> None:
    assert ber.read_integer(ber.integer(number) + b"rest") == (number, b"rest")


@given(st.integers(0, 255), st.binary(max_size=70_000))
def test_values_come_back(tag: int, content: bytes) -> None:
    data = ber.encoded(tag, content)
    assert ber.read(data + b"rest") == (Value(tag, content), b"rest")
    assert ber.size_of(data) == len(data)


@given(
    st.tuples(st.integers(0, 2), st.integers(0, 39)),
    st.lists(st.integers(0, (1 << 32) - 1), max_size=20),
)
def test_identifiers_come_back(first: tuple[int, int], others: list[int]) -> None:
    text = ".".join(map(str, (*first, *others)))
    value, _ = ber.read(ber.object_identifier(text))
    assert ber.dotted(value.content) == text


def test_an_identifier_of_the_third_tree() -> None:
    value, _ = ber.read(ber.object_identifier("2.999.3"))
    assert value.content == b"\x88\x37\x03"  # X.690, 8.19.5
    assert ber.dotted(value.content) == "2.999.3"


@given(st.binary(max_size=300))
def test_anything_else_is_an_error(data: bytes) -> None:
    for reading in (ber.read, ber.read_integer, ber.size_of, ber.dotted, ber.integer_of):
        with contextlib.suppress(BerError):
            reading(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "found its first 0 bytes"),
        (b"\x30\x05\x02", "found its first 3 bytes"),
        (b"\x30\x80\0\0", "a length of at most 4 bytes, found 0"),
        (b"\x30\x85\0\0\0\0\x01", "a length of at most 4 bytes, found 5"),
        (b"\x02\0", "the tag 0x30, found 0x02"),
    ],
)
def test_what_was_found_is_told(data: bytes, words: str) -> None:
    with pytest.raises(BerError, match=words):
        ber.read(data, ber.SEQUENCE)
