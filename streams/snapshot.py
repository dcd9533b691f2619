"""The state of a partition as checkpoint chunks, and back.

The first entry of the first chunk is the frame (clocks, regions, rechecks), then come the targets
in the state's own order. A chunk is a msgpack array of entries that stand for themselves.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from schemas.checkpoint import MAX_CHUNK_BYTES
from streams.state import HostRecheck, PartitionState, RegionState, TargetState

_ARRAY_HEADER_BYTES: Final = 5


class Frame(Struct, gc=False, array_like=True):
    """What of a state is no target."""

    partition: int
    partitions: int
    offset: int
    now: int
    gaps: int
    looked_at: int
    regions: dict[str, RegionState]
    rechecks: dict[str, HostRecheck]


_encoder = msgspec.msgpack.Encoder()
_frame = msgspec.msgpack.Decoder(Frame)
_target = msgspec.msgpack.Decoder(TargetState)
_entries = msgspec.msgpack.Decoder(list[msgspec.Raw])


def encode(state: PartitionState) -> list[bytes]:
    """The chunks, each at most `MAX_CHUNK_BYTES` (a single larger entry stands alone)."""
    frame = Frame(
        state.partition,
        state.partitions,
        state.offset,
        state.now,
        state.gaps,
        state.looked_at,
        state.regions,
        state.rechecks,
    )
    chunks: list[bytes] = []
    entries = [_encoder.encode(frame)]
    size = _ARRAY_HEADER_BYTES + len(entries[0])
    for target in state.targets.values():
        raw = _encoder.encode(target)
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
        targets = [_target.decode(raw) for raw in raws[1:]]
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
        frame.looked_at,
        regions=frame.regions,
        rechecks=frame.rechecks,
    )
    for target in targets:
        state.add(target)
    return state


def _pack(entries: list[bytes]) -> bytes:
    return _encoder.encode([msgspec.Raw(entry) for entry in entries])
