"""An undecodable message, or one such line of a batch; the value of [deadletter]."""

import base64
from typing import Annotated, Final

from msgspec import Meta, Struct

from schemas._types import Count, LogOffset, Millis, Name, Text
from schemas.json_decoder import JsonDecoder

MAX_RAW_BYTES: Final = 64 * 1024
MAX_ERROR_CHARS: Final = 500


class DeadLetter(Struct, frozen=True, gc=False, kw_only=True):
    """A dead letter; `id` identifies it. `line` is the line of a batch (from 0), -1: whole message.

    `at` is the broker's append time of the unreadable message. `raw` is base64, cut to the first
    `MAX_RAW_BYTES`; `size` is the whole length in bytes. `part` names the undecodable part of the
    message.
    """

    topic: Name
    partition: Count
    offset: LogOffset
    line: Annotated[int, Meta(ge=-1, le=2**31 - 1)]
    part: Name
    error: Text
    at: Millis
    size: Count
    raw: Annotated[str, Meta(max_length=100_000)]

    @property
    def id(self) -> str:
        """`topic:partition:offset:line`."""
        return f"{self.topic}:{self.partition}:{self.offset}:{self.line}"


def raw_text(raw: bytes) -> str:
    """`raw` as the field `raw` holds it: cut, then base64."""
    return base64.b64encode(raw[:MAX_RAW_BYTES]).decode()


_decoder: JsonDecoder[DeadLetter] = JsonDecoder(DeadLetter)


def decode(value: bytes) -> DeadLetter:
    """Decodes a value of [deadletter].

    Raises:
        msgspec.DecodeError: not a dead letter.
    """
    return _decoder.decode(value)
