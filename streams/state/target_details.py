"""What of a target no rule reads: packed, and read only for an event or a changed inventory."""

from typing import Final

import msgspec
from msgspec import Struct

from schemas.probe import Probe
from schemas.target import Criticality, Target


class Definition(Struct, frozen=True, gc=False, array_like=True):
    """The fields of a `Target` that are neither its place nor its policy.

    New ones go to the end, with defaults: this lies in checkpoints.
    """

    version: int
    name: str
    source: str
    criticality: Criticality
    team: str | None
    purpose: str | None
    tags: tuple[str, ...]
    depends_on: tuple[str, ...]
    runbook: str | None
    probe: Probe | None = None


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Definition)


def pack(target: Target) -> bytes:
    """The definition of a target (msgpack)."""
    return _encoder.encode(
        Definition(
            target.version,
            target.name,
            target.source,
            target.criticality,
            target.team,
            target.purpose,
            target.tags,
            target.depends_on,
            target.runbook,
            target.probe,
        )
    )


def unpack(packed: bytes) -> Definition:
    """What `pack` was given."""
    return _decoder.decode(packed)
