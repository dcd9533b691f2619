"""Target fields that no rule needs, stored encoded; read for events and inventory changes only."""

from typing import Final

import msgspec
from msgspec import Struct

from schemas.probe import Probe
from schemas.target import Criticality, Target


class TargetDetails(Struct, frozen=True, gc=False, array_like=True):
    """The fields of a `Target` that belong neither to its address nor to its policy.

    Add new fields at the end, with defaults: checkpoints contain this.
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
    depends_on_hosts: tuple[str, ...] = ()


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(TargetDetails)


def pack(target: Target) -> bytes:
    """The encoded details of a target (msgpack), the same as those of 0.1 where 0.1 knew all."""
    details = (
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
    hosts = target.depends_on_hosts
    return _encoder.encode((*details, hosts) if hosts else details)


def unpack(packed: bytes) -> TargetDetails:
    """The inverse of `pack`."""
    return _decoder.decode(packed)
