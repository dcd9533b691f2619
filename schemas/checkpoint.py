"""Checkpoints on [state] and [checkpoints]: the state of one partition at one offset.

A checkpoint is `chunks` messages of at most 512 KB and a head, all keyed
`writer/generation/part`; it is complete when the head and all chunks that it names are there and
their checksums agree. The chunks hold the encoded state (msgpack, `streams.checkpoint.encoder`).
"""

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas._types import Count, Millis
from schemas.json_decoder import JsonDecoder

FORMAT: Final = 1
"""Version of the chunks' content; the stream ignores checkpoints of other versions.

Never raise it without a reader of the old version: only checkpoints have the targets that were set
before the log begins, and an upgrade that starts from the log alone would lose them. New fields
with defaults at the end of the encoded state (`streams.checkpoint.encoder`) need no new version.
"""

MAX_CHUNK_BYTES: Final = 512 * 1024
HEAD: Final = "head"

_KEY: Final = re.compile(rb"(.+)/(0|[1-9][0-9]{0,17})/(head|0|[1-9][0-9]{0,8})", re.DOTALL)
"""Each key has one spelling: `w/01/0` must not mean `w/1/0`."""


Crc32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class CheckpointKey(Struct, frozen=True, gc=False):
    """`writer` is new at each assignment; `part` is a chunk number (from 0) or `head`."""

    writer: str
    generation: int
    part: str

    def encode(self) -> bytes:
        """The message key."""
        return f"{self.writer}/{self.generation}/{self.part}".encode()

    @classmethod
    def decode(cls, raw: bytes) -> "CheckpointKey":
        """The key of a message.

        Raises:
            ValueError: not a checkpoint key.
        """
        found = _KEY.fullmatch(raw)
        if found is None:
            raise ValueError(f"expected writer/generation/part, found {raw[:200]!r}")
        return cls(found[1].decode(), int(found[2]), found[3].decode())


class CheckpointHead(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Describes a checkpoint: the state after all records up to and including `offset`.

    `now` is the partition's newest append time at that offset; `written_at` is the worker's
    clock at the time of writing (for people; no rule reads it). `crc32` has one checksum a chunk.
    `version` is that of the portquorum whose rules have decided all records from `judged_from` on,
    up to `offset`; it is empty if that is not known (0.1 did not write it).
    """

    format: Count
    partition: Count
    offset: Annotated[int, Meta(ge=-1, le=2**63 - 1)]
    now: Millis
    written_at: Millis
    crc32: Annotated[tuple[Crc32, ...], Meta(max_length=1_000_000)]
    version: Annotated[str, Meta(max_length=100)] = ""
    judged_from: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0


_head: JsonDecoder[CheckpointHead] = JsonDecoder(CheckpointHead)


def encode_head(head: CheckpointHead) -> bytes:
    """The value of a head's message."""
    return msgspec.json.encode(head)


def decode_head(value: bytes) -> CheckpointHead:
    """Decodes a head.

    Raises:
        msgspec.DecodeError: not a head.
    """
    return _head.decode(value)
