"""Removal of secrets from the texts of a check: details, banners, URLs, tracebacks."""

import base64
import functools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"

PIECE: Final = 6
"""The fewest characters in a row of a longer secret that are masked: an answer is often cut, so
that only a part of it is seen."""

_UNGUESSED: Final = 12
"""The fewest characters that nobody guesses as a whole: such a form is masked everywhere."""

_ARMOUR: Final = "-----"


class Scrubber:
    """Masks the secrets that it was told of, in every form and also in pieces.

    `known` gives the texts that the author of the inventory wrote. Pieces of a secret within such a
    text stay as they are: the author knows them, and a mask there would tell who guesses whether
    a guess is right.
    """

    __slots__ = ("_known", "_values")

    def __init__(self, known: Callable[[], Iterable[str]] = tuple) -> None:
        self._known = known
        self._values: set[str] = set()

    @property
    def used(self) -> bool:
        """Whether there is a secret to be masked."""
        return bool(self._values)

    def add(self, value: str) -> None:
        """Masks `value` from now on."""
        self._values.add(value)

    def scrub(self, text: str) -> str:
        """`text` with a mask in place of each secret and each piece of one."""
        if not self._values or not text:
            return text
        lower = _lower(text)
        shown = self._own(lower)
        masked = bytearray(len(text))
        for value in self._values:
            for form in _forms(value):
                _mark_whole(lower, form, masked, shown)
            _mark_pieces(lower, _pieces(value), masked, shown)
        return _joined(text, masked)

    def _own(self, lower: str) -> bytearray:
        """Marks for the characters that stand in a text of the author's, or in its beginning."""
        shown = bytearray(len(lower))
        for own in self._known():
            for form in (own, repr(own)[1:-1], json.dumps(own)[1:-1]):
                wanted = _lower(form)
                if len(wanted) < PIECE:
                    continue
                at = lower.find(wanted[:PIECE])
                while at >= 0:
                    end = PIECE
                    most = min(len(wanted), len(lower) - at)
                    while end < most and lower[at + end] == wanted[end]:
                        end += 1
                    shown[at : at + end] = b"\1" * end
                    at = lower.find(wanted[:PIECE], at + 1)
        return shown


@functools.lru_cache(maxsize=1_000)
def _forms(value: str) -> frozenset[str]:
    """The ways in which a secret may stand in a text, in lower case."""
    return frozenset(_lower(form) for form in _written(value) if len(form) > 1)


def _written(value: str) -> Iterator[str]:
    parts = {value, value.strip(), *(part for part in value.split() if len(part) >= PIECE)}
    if _ARMOUR in value:  # PEM: its first and last line are words that many texts have
        lines = [line for line in value.split() if line and _ARMOUR not in line]
        body = [line for line in value.splitlines() if line and _ARMOUR not in line]
        parts = {"".join(body), *(line for line in lines if line in body)}
    for part in parts:
        yield part
        yield quote(part, safe="")
        yield quote(part)
        yield quote_plus(part)
        yield json.dumps(part)[1:-1]
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        yield repr(part)[1:-1]
        yield ascii(part)[1:-1]
        data = part.encode("utf-8", "surrogateescape")
        yield data.decode("latin-1")
        yield repr(data)[2:-1]
        yield data.hex()
        yield data.hex(" ")
        yield from _base64(data)


def _base64(data: bytes) -> Iterator[str]:
    """Base64 of any text that has `data` in it, as Basic authentication has a password.

    The characters depend on where it begins in a group of three bytes; the outermost ones have bits
    of what is beside it.
    """
    for before in range(3):
        whole = bytes(before) + data
        bits_from, bits_to = 8 * before, 8 * len(whole)
        first, last = -(-bits_from // 6), bits_to // 6
        for encoded in (base64.b64encode(whole), base64.urlsafe_b64encode(whole)):
            yield encoded.decode()[first:last]


@functools.lru_cache(maxsize=1_000)
def _pieces(value: str) -> frozenset[str]:
    """All runs of `PIECE` characters in the forms of a secret."""
    return frozenset(
        form[at : at + PIECE] for form in _forms(value) for at in range(len(form) - PIECE + 1)
    )


def _mark_whole(lower: str, form: str, masked: bytearray, shown: bytearray) -> None:
    at = lower.find(form)
    while at >= 0:
        if len(form) >= _UNGUESSED:
            masked[at : at + len(form)] = b"\1" * len(form)
        else:
            _mark(at, len(form), masked, shown)
        at = lower.find(form, at + 1)


def _mark_pieces(lower: str, pieces: frozenset[str], masked: bytearray, shown: bytearray) -> None:
    for at in range(len(lower) - PIECE + 1):
        if lower[at : at + PIECE] in pieces:
            _mark(at, PIECE, masked, shown)


def _lower(text: str) -> str:
    """`text` in lower case, with the same number of characters."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _mark(at: int, size: int, masked: bytearray, shown: bytearray) -> None:
    if 0 in shown[at : at + size]:
        masked[at : at + size] = b"\1" * size


def _joined(text: str, masked: bytearray) -> str:
    parts: list[str] = []
    at = 0
    while at < len(text):
        wanted = masked[at]
        end = masked.find(1 - wanted, at)
        end = len(text) if end < 0 else end
        parts.append(MASK if wanted else text[at:end])
        at = end
    return "".join(parts)
