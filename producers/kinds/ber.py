"""The Basic Encoding Rules (ITU-T X.690), as far as LDAP (RFC 4511) and SNMP (RFC 3417) use them.

Tags have one byte and lengths are definite: both RFCs leave out the rest. Reading takes as long as
the data is long, whatever is in it: nothing nests of itself.
"""

from typing import Final

from msgspec import Struct

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
OBJECT_IDENTIFIER: Final = 0x06
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30

_MOST_LENGTH_BYTES: Final = 4
_MOST_INTEGER_BYTES: Final = 9
"""A Counter64 with a zero before it, since integers have a sign."""
_LONG: Final = 0x80


class BerError(ValueError):
    """The data is not of these rules; the text says what was expected and found."""


class Value(Struct, frozen=True, gc=False):
    """One value: its tag and its content."""

    tag: int
    content: bytes


def encoded(tag: int, *parts: bytes) -> bytes:
    """A value whose content is these parts, one after the other."""
    content = b"".join(parts)
    size = len(content)
    if size < _LONG:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG | len(length)]) + length + content


def integer(number: int) -> bytes:
    """An INTEGER."""
    return encoded(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def object_identifier(text: str) -> bytes:
    """An OBJECT IDENTIFIER, from its dotted form."""
    first, second, *others = map(int, text.split("."))
    return encoded(OBJECT_IDENTIFIER, *(_base128(arc) for arc in (first * 40 + second, *others)))


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(_LONG | number & 0x7F)
    return bytes(reversed(digits))


def size_of(data: bytes) -> int | None:
    """The bytes of the value that `data` begins with; None if its length is not known yet.

    Raises:
        BerError: no such length.
    """
    if len(data) < 2:
        return None
    if data[1] < _LONG:
        return 2 + data[1]
    count = data[1] & 0x7F
    if not 0 < count <= _MOST_LENGTH_BYTES:
        raise BerError(f"expected a length of at most {_MOST_LENGTH_BYTES} bytes, found {count}")
    if len(data) < 2 + count:
        return None
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")


def read(data: bytes, tag: int | None = None) -> tuple[Value, bytes]:
    """The first value of `data`, and what comes after it.

    Raises:
        BerError: there is none, or none with this tag.
    """
    size = size_of(data)
    if size is None or len(data) < size:
        raise BerError(f"expected a value, found its first {len(data)} bytes")
    start = 2 if data[1] < _LONG else 2 + (data[1] & 0x7F)
    if tag is not None and data[0] != tag:
        raise BerError(f"expected the tag 0x{tag:02x}, found 0x{data[0]:02x}")
    return Value(data[0], data[start:size]), data[size:]


def read_integer(data: bytes, tag: int = INTEGER) -> tuple[int, bytes]:
    """The number that `data` begins with, and what comes after it.

    Raises:
        BerError: there is none.
    """
    value, rest = read(data, tag)
    return integer_of(value.content), rest


def integer_of(content: bytes) -> int:
    """The number of an INTEGER's content.

    Raises:
        BerError: it is empty, or larger than any of these protocols has.
    """
    if not 0 < len(content) <= _MOST_INTEGER_BYTES:
        raise BerError(
            f"expected a number of at most {_MOST_INTEGER_BYTES} bytes, found {len(content)}"
        )
    return int.from_bytes(content, "big", signed=True)


def dotted(content: bytes) -> str:
    """The dotted form of an OBJECT IDENTIFIER's content.

    Raises:
        BerError: it ends within a number, or one is larger than 32 bits (RFC 2578, section 3.5).
    """
    arcs: list[int] = []
    arc = 0
    for byte in content:
        arc = arc << 7 | byte & 0x7F
        if arc >> 40:
            raise BerError("expected numbers of at most 32 bits, found a larger one")
        if byte < _LONG:
            arcs.append(arc)
            arc = 0
    if not arcs or content[-1] >= _LONG:
        raise BerError("expected an object identifier, found a part of one")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
