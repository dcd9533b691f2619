"""Byte planes: an array's first bytes together, then its second bytes, and so on.

Similar numbers differ only in their low bytes, so most planes are constant and compress to almost
nothing. Written number by number, lz4 would not find that.
"""

import sys
from array import array
from typing import Literal


def planes(numbers: "array[int]") -> bytes:
    """The byte planes of an array, the lowest bytes first; consumes the array."""
    if sys.byteorder == "big":
        numbers.byteswap()
    raw, size = numbers.tobytes(), numbers.itemsize
    return b"".join(raw[plane::size] for plane in range(size))


def numbers(kind: Literal["q", "H", "I"], planes: bytes) -> "array[int]":
    """The inverse of `planes`: an array of type `kind`.

    Raises:
        ValueError: the length is not that of whole numbers.
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
