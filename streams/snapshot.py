"""The state of a partition as checkpoint chunks, and back.

The first entry of the first chunk is the frame (clocks, regions, rechecks), then come the targets
in the state's own order. A chunk is a msgpack array of entries that stand for themselves.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct, structs

from schemas.checkpoint import MAX_CHUNK_BYTES
from schemas.target import Target
from streams.state import (
    HostRecheck,
    OpenIncident,
    PartitionState,
    RegionState,
    Removed,
    TargetState,
    Window,
)

_ARRAY_HEADER_BYTES: Final = 5


class Frame(Struct, gc=False, array_like=True):
    """What of a state is no target."""

    partition: int
    partitions: int
    offset: int
    now: int
    gaps: int
    gap_end: int
    gap_ms: int
    looked_at: int
    regions: dict[str, RegionState]
    rechecks: dict[str, HostRecheck]
    removed: dict[str, Removed]


class _Row(Target, frozen=True, gc=False, kw_only=True, array_like=True):
    """A target without its field names. New fields of `Target` go to its end, with defaults."""


class _Entry(Struct, gc=False, array_like=True):
    """A `TargetState` with its target as a row."""

    target: _Row
    windows: list[Window | None]
    incident: OpenIncident | None
    held: bool
    floor: int


_encoder = msgspec.msgpack.Encoder()
_frame = msgspec.msgpack.Decoder(Frame)
_entry = msgspec.msgpack.Decoder(_Entry)
_entries = msgspec.msgpack.Decoder(list[msgspec.Raw])


def encode(state: PartitionState) -> list[bytes]:
    """The chunks, each at most `MAX_CHUNK_BYTES` (a single larger entry stands alone)."""
    frame = Frame(
        state.partition,
        state.partitions,
        state.offset,
        state.now,
        state.gaps,
        state.gap_end,
        state.gap_ms,
        state.looked_at,
        state.regions,
        state.rechecks,
        state.removed,
    )
    chunks: list[bytes] = []
    entries = [_encoder.encode(frame)]
    size = _ARRAY_HEADER_BYTES + len(entries[0])
    for entry in state.targets.values():
        target = structs.astuple(entry.target)
        raw = _encoder.encode((target, entry.windows, entry.incident, entry.held, entry.floor))
        if size + len(raw) > MAX_CHUNK_BYTES:
            chunks.append(_pack(entries))
            entries, size = [], _ARRAY_HEADER_BYTES
        entries.append(raw)
        size += len(raw)
    chunks.append(_pack(entries))
    return chunks


def decode(chunks: Sequence[bytes], partition: int, partitions: int) -> PartitionState:
    """The state that `encode` was given.

    Raises:
        ValueError: the chunks are no state, or that of another partition or partition count.
    """
    try:
        raws = [raw for chunk in chunks for raw in _entries.decode(chunk)]
        frame = _frame.decode(raws[0])
        entries = [_entry.decode(raw) for raw in raws[1:]]
    except (msgspec.MsgspecError, IndexError) as error:
        raise ValueError(f"expected the state of partition {partition}: {error}") from error
    if (frame.partition, frame.partitions) != (partition, partitions):
        raise ValueError(
            f"expected the state of partition {partition} of {partitions}, "
            f"found {frame.partition} of {frame.partitions}"
        )
    state = PartitionState(
        partition,
        partitions,
        frame.offset,
        frame.now,
        frame.gaps,
        frame.gap_end,
        frame.gap_ms,
        frame.looked_at,
        regions=frame.regions,
        rechecks=frame.rechecks,
        removed=frame.removed,
    )
    for entry in entries:
        target = Target(**structs.asdict(entry.target))
        state.add(TargetState(target, entry.windows, entry.incident, entry.held, entry.floor))
    return state


def _pack(entries: list[bytes]) -> bytes:
    return _encoder.encode([msgspec.Raw(entry) for entry in entries])
