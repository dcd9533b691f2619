"""The position: which records of the log's topics are applied, as one opaque text.

A vector of offsets a topic. It depends on the topics alone, so every process of the role `web`
gives the same text at the same place, and a viewer can go on at another process.
"""

import base64
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas._types import LogOffset

Source = Literal["incidents", "targets", "policy"]
SOURCES: Final[tuple[Source, ...]] = ("incidents", "targets", "policy")
MOST_CHARS: Final = 3_500
"""What a header and an address hold well: three topics of 256 partitions."""

TOO_LONG: Final = "~"
"""In place of a longer text: no position, so that who comes back asks for the page anew."""

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
        """The position as text: base64url of three lists in MessagePack, by partition."""
        lists = [_listed(self.of(source)) for source in SOURCES]
        text = base64.urlsafe_b64encode(msgspec.msgpack.encode(lists)).decode().rstrip("=")
        return text if len(text) <= MOST_CHARS else TOO_LONG


_decoder = msgspec.msgpack.Decoder(tuple[_Offsets, _Offsets, _Offsets])


def decode(text: str) -> Position | None:
    """The position of a text; None if it is none."""
    if not text or len(text) > MOST_CHARS:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return Position(*map(_vector, _decoder.decode(raw)))
    except (ValueError, msgspec.DecodeError):
        return None


def _listed(vector: Vector) -> list[int]:
    return [vector.get(partition, 0) for partition in range(max(vector, default=-1) + 1)]


def _vector(offsets: list[int]) -> dict[int, int]:
    return {partition: offset for partition, offset in enumerate(offsets) if offset}
