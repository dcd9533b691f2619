"""The position: which records of the log's topics are applied, as one opaque text.

A vector of offsets a topic. It depends on the topics alone, so every process of the role `web`
gives the same text at the same place, and a viewer can go on at another process.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas._types import LogOffset

Source = Literal["incidents", "targets", "policy"]
SOURCES: Final[tuple[Source, ...]] = ("incidents", "targets", "policy")
MOST_CHARS: Final = 3_500
"""What a header and an address hold well."""

SHORT: Final = "~"
"""Before the short form: the last byte of each offset, and a digest of all.

With 1,024 partitions it has 2,800 characters. A reader knows the rest from where it is itself; if
it is 128 records or more away in a partition, the digest differs, and the text is no position.
"""

_DIGEST_BYTES: Final = 12
_NEAR: Final = 128

_Offsets = Annotated[list[LogOffset], Meta(max_length=1024)]

Vector = Mapping[int, int]
"""By partition the offset of the next record."""


class Position(Struct, frozen=True):
    """By topic and partition the offset of the next record."""

    incidents: dict[int, LogOffset] = {}
    targets: dict[int, LogOffset] = {}
    policy: dict[int, LogOffset] = {}

    def of(self, source: Source) -> Vector:
        """The vector of one topic."""
        match source:
            case "incidents":
                return self.incidents
            case "targets":
                return self.targets
            case "policy":
                return self.policy

    def has(self, source: Source, partition: int, offset: int) -> bool:
        """True if the record is before this position."""
        return offset < self.of(source).get(partition, 0)

    def encode(self) -> str:
        """The position as text: base64url of three lists in MessagePack; see `SHORT` if long."""
        lists = self._lists()
        text = _text(msgspec.msgpack.encode(lists))
        if len(text) <= MOST_CHARS:
            return text
        ends = [bytes(offset & 0xFF for offset in one) for one in lists]
        short = _text(msgspec.msgpack.encode([*ends, self.digest()]))
        return SHORT + short

    def _lists(self) -> list[list[int]]:
        return [_listed(self.of(source)) for source in SOURCES]

    def digest(self) -> bytes:
        """Of all offsets."""
        packed = msgspec.msgpack.encode(self._lists())
        return hashlib.blake2b(packed, digest_size=_DIGEST_BYTES).digest()


_NOWHERE: Final = Position()
_decoder = msgspec.msgpack.Decoder(tuple[_Offsets, _Offsets, _Offsets])


_short_decoder = msgspec.msgpack.Decoder(tuple[bytes, bytes, bytes, bytes])


def decode(text: str, near: Position = _NOWHERE) -> Position | None:
    """The position of a text; None if it is none. `near` is where the reader is."""
    if not text or len(text) > MOST_CHARS:
        return None
    try:
        if text.startswith(SHORT):
            return _of_short(_raw(text.removeprefix(SHORT)), near)
        return Position(*map(_vector, _decoder.decode(_raw(text))))
    except (ValueError, msgspec.DecodeError):
        return None


def _of_short(raw: bytes, near: Position) -> Position | None:
    *ends, digest = _short_decoder.decode(raw)
    vectors = [_nearest(each, near.of(source)) for each, source in zip(ends, SOURCES, strict=True)]
    found = Position(*vectors)
    return found if found.digest() == digest else None


def _nearest(ends: bytes, near: Vector) -> dict[int, int]:
    """Of all offsets that end so, in each partition the nearest one to `near`."""
    found = {}
    for partition, end in enumerate(ends):
        here = near.get(partition, 0)
        offset = here + ((end - here + _NEAR) & 0xFF) - _NEAR
        if offset > 0:
            found[partition] = offset
    return found


def _raw(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _listed(vector: Vector) -> list[int]:
    return [vector.get(partition, 0) for partition in range(max(vector, default=-1) + 1)]


def _vector(offsets: list[int]) -> dict[int, int]:
    return {partition: offset for partition, offset in enumerate(offsets) if offset}
