"""Numbers as planes of bytes: the first bytes of all of them, then the second ones, and so on.

Numbers that are near each other differ in their last bytes only: most planes are all alike, and
compress to nothing. Written one number after the other they would hide that from lz4.
"""

import sys
from array import array
from typing import Literal


def planes(numbers: "array[int]") -> bytes:
    """The planes of an array, the lowest bytes first; the array is used up by it."""
    if sys.byteorder == "big":
        numbers.byteswap()
    raw, size = numbers.tobytes(), numbers.itemsize
    return b"".join(raw[plane::size] for plane in range(size))


def numbers(kind: Literal["q", "H", "I"], planes: bytes) -> "array[int]":
    """What `planes` was given, an array of the type `kind`.

    Raises:
        ValueError: no whole numbers.
    """
    found = array(kind)
    size = found.itemsize
    count, rest = divmod(len(planes), size)
    if rest:
        raise ValueError(f"expected numbers of {size} bytes")
    raw = bytearray(len(planes))
    for plane in range(size):
        raw[plane::size] = planes[plane * count : (plane + 1) * count]
    found.frombytes(raw)
    if sys.byteorder == "big":
        found.byteswap()
    return found
