"""Removal of secrets from the texts of a check: details, banners, URLs, tracebacks."""

import base64
import functools
import html
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus, unquote

MASK: Final = "***"

PIECE: Final = 6
"""The fewest characters in a row of a longer secret that are masked: an answer is often cut, so
that only a part of it is seen."""

_CUT: Final = "…"
_CUT_PIECE: Final = 3
"""The fewest characters of a secret's beginning that are masked where a text is cut."""

_UNGUESSED: Final = 12
"""The fewest characters that nobody guesses as a whole: such a form is masked everywhere."""

_CARRIED: Final = 16
"""The fewest characters in a row by which a URL counts as one with a part of a secret."""

MOST: Final = 4_096
"""The most characters of a text that is told: a detail may have an option of the author's."""

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
        """`text` with a mask in place of each secret and each piece of one.

        Of a text of more than `MOST` characters the beginning.
        """
        if not self._values or not text:
            return text
        cut = text[:MOST]
        lower = _lower(cut)
        shown = self._own(lower)
        masked = bytearray(len(cut))
        for value in self._values:
            for form in _forms(value):
                _mark_whole(lower, form, masked, shown)
            _mark_pieces(lower, _pieces(value), masked, shown)
            _mark_cut(lower, _forms(value), masked, shown)
        # The last characters may be the beginning of a secret that was cut.
        keep = len(cut) if len(cut) == len(text) else MOST - PIECE
        return _joined(cut[:keep], masked[:keep])

    def finds_in(self, text: str) -> bool:
        """Whether there is a whole secret in `text`, or `_CARRIED` characters of a longer one.

        Also behind percent-encoding, once or twice.
        """
        once = unquote(text)
        texts = {_lower(one) for one in (text, once, unquote(once))}
        return any(_carries(lower, value) for value in self._values for lower in texts)

    def _own(self, lower: str) -> bytearray:
        """Marks for the characters that stand in a text of the author's, or in its beginning."""
        shown = bytearray(len(lower))
        texts = {one[:MOST] for one in self._known()}
        forms = {
            _lower(form)
            for one in texts
            for form in (one, repr(one)[1:-1], json.dumps(one)[1:-1])
            if len(form) >= PIECE
        }
        begins = {form[:PIECE] for form in forms}
        ordered = sorted(forms)
        for at in range(len(lower) - PIECE + 1):
            if lower[at : at + PIECE] in begins:
                rest = lower[at:]
                place = bisect_right(ordered, rest)
                # Of a sorted list the neighbours share the longest beginning with it.
                end = max(_shared(rest, one) for one in ordered[max(0, place - 1) : place + 1])
                shown[at : at + end] = b"\1" * end
        return shown


@functools.lru_cache(maxsize=1_000)
def _forms(value: str) -> frozenset[str]:
    """The ways in which a secret may stand in a text, in lower case."""
    return frozenset(_lower(form) for form in _written(value) if len(form) > 1)


def _written(value: str) -> Iterator[str]:
    blanks = " ".join(value.split())  # a text for people is on one line
    parts = {value, value.strip(), blanks, *(part for part in value.split() if len(part) >= PIECE)}
    if _ARMOUR in value:  # PEM: its first and last line are words that many texts have
        lines = [line for line in value.split() if line and _ARMOUR not in line]
        body = [line for line in value.splitlines() if line and _ARMOUR not in line]
        parts = {"".join(body), *(line for line in lines if line in body)}
    for part in parts:
        yield from _coded(part)


def _coded(part: str) -> Iterator[str]:
    yield part
    yield quote(part, safe="")
    yield quote(part)
    yield quote_plus(part)
    yield json.dumps(part)[1:-1]
    yield json.dumps(part, ensure_ascii=False)[1:-1]
    yield from _escaped(part)
    yield repr(part)[1:-1]
    yield ascii(part)[1:-1]
    data = part.encode("utf-8", "surrogateescape")
    yield data.decode("latin-1")
    yield repr(data)[2:-1]
    yield data.hex()
    yield data.hex(" ")
    yield from _base64(data)


def _escaped(part: str) -> Iterator[str]:
    """As pages have it, and JSON as Go and PHP write it."""
    page = html.escape(part)
    yield page
    yield page.replace("&#x27;", "&#39;")
    yield page.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    yield html.escape(part, quote=False)
    for ascii_only in (True, False):
        text = json.dumps(part, ensure_ascii=ascii_only)[1:-1]
        yield text.replace("/", "\\/")
        yield text.translate({ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&"})


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


def _mark_cut(lower: str, forms: frozenset[str], masked: bytearray, shown: bytearray) -> None:
    """Marks the beginning of a secret in front of each place where a text is cut."""
    end = lower.find(_CUT)
    while end >= 0:
        for size in range(PIECE - 1, _CUT_PIECE - 1, -1):
            if size <= end and any(form.startswith(lower[end - size : end]) for form in forms):
                _mark(end - size, size, masked, shown)
                break
        end = lower.find(_CUT, end + 1)


def _carries(lower: str, value: str) -> bool:
    """Whether `lower` has the secret as a whole, or a long part of it."""
    whole = value.strip()
    if len(whole) < _CARRIED and any(_lower(form) in lower for form in _coded(whole)):
        return True
    pieces, run = _pieces(value), 0
    for at in range(len(lower) - PIECE + 1):
        run = run + 1 if lower[at : at + PIECE] in pieces else 0
        if run > _CARRIED - PIECE:
            return True
    return False


def _shared(one: str, other: str) -> int:
    """The number of characters with which both begin."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


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
