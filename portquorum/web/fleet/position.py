"""The position: which records of the log's topics are applied, as one opaque text.

A vector of offsets a topic. It depends on the topics alone, so every process of the role `web`
gives the same text at the same place, and a viewer can go on at another process.
"""

import base64
from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

from schemas._types import LogOffset
from schemas.json_decoder import JsonDecoder

Source = Literal["incidents", "targets", "policy"]
SOURCES: Final[tuple[Source, ...]] = ("incidents", "targets", "policy")
_MOST_CHARS: Final = 64 * 1024
"""More than 1,024 partitions of three topics need."""

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
        """The position as text: base64url of JSON."""
        ordered = {
            source: dict(sorted(self.of(source).items())) for source in SOURCES if self.of(source)
        }
        return base64.urlsafe_b64encode(msgspec.json.encode(ordered)).decode().rstrip("=")


_decoder: JsonDecoder[Position] = JsonDecoder(Position)


def decode(text: str) -> Position | None:
    """The position of a text; None if it is none."""
    if not text or len(text) > _MOST_CHARS:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return _decoder.decode(raw)
    except (ValueError, msgspec.DecodeError):
        return None
