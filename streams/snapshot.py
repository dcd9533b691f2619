"""The state of a partition as checkpoint chunks, and back.

The first chunk is the frame (clocks, regions). What is kept of hosts and of removed targets follows
in notes, then come blocks of targets, all in the state's own order. A policy stands in the row of
the first target that has it; the others name its number. The windows of a block follow its rows as
columns, byte by byte: the first bytes of all numbers, then the second ones and so on, of which most
are all alike and compress to nothing.
"""

import operator
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct

from schemas.checkpoint import MAX_CHUNK_BYTES
from streams.columns import Columns
from streams.policy import TargetPolicy, Terms
from streams.state import HostRecheck, PartitionState, RegionState, Removed
from streams.target_state import TargetState, Trouble

_BLOCK_BYTES: Final = 32
"""Room for what a block or a note has besides its entries."""

_KEY_BYTES: Final = 3
"""Room for the length of a key; no id and no host is longer than 65,535 bytes."""

_WINDOW_BYTES: Final = 29

_NOTES: Final = 0
_BLOCK: Final = 1


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
    respite_until: int
    respited: bool
    regions: dict[str, RegionState]
    rechecks_paid_us: int
    rechecks_wait: bool


class _Notes(Struct, gc=False, array_like=True, tag=_NOTES):
    """Some of what is kept by host, or by the id of a removed target."""

    rechecks: dict[str, HostRecheck]
    removed: dict[str, Removed]


class _Row(Struct, gc=False, array_like=True):
    """A target without its windows; `ahead` is that of the columns, by position."""

    id: str
    kind: str
    host: str | None
    port: int | None
    policy: int | Terms
    floor: int
    definition: bytes
    ahead: dict[int, int] | None
    trouble: Trouble | None
    transitions: tuple[int, ...]


class _Block(Struct, gc=False, array_like=True, tag=_BLOCK):
    """Some targets, and the columns of their windows one after the other.

    `reach` is `fresh_until` less `newest`: the same for most.
    """

    rows: list[_Row]
    newest: bytes
    reach: bytes
    since: bytes
    successes: bytes
    lately: bytes
    usual: bytes


_encoder = msgspec.msgpack.Encoder()
_frame = msgspec.msgpack.Decoder(Frame)
_part = msgspec.msgpack.Decoder(_Notes | _Block)


class Capture:
    """A state as it was at one offset, to be encoded while the state goes on.

    To make it costs little: it copies the columns, which is fast, and encodes the troubles, which
    are few. What else there is of a target never changes.
    """

    def __init__(self, state: PartitionState) -> None:
        self._frame = _encoder.encode(
            Frame(
                state.partition,
                state.partitions,
                state.offset,
                state.now,
                state.gaps,
                state.gap_end,
                state.gap_ms,
                state.looked_at,
                state.respite_until,
                state.respited,
                state.regions,
                state.rechecks_paid_us,
                state.rechecks_wait,
            )
        )
        self._rechecks = dict(state.rechecks)
        self._removed = dict(state.removed)
        self._entries = list(state.targets.values())
        self._newest = state.columns.newest[:]
        self._fresh_until = state.columns.fresh_until[:]
        self._since = state.columns.since[:]
        self._successes = state.columns.successes[:]
        self._lately = state.columns.lately[:]
        self._usual = state.columns.usual[:]
        self._ahead = dict(state.columns.ahead)
        self._troubles = {
            target_id: msgspec.Raw(_encoder.encode(state.targets[target_id].trouble))
            for target_id in state.hot
        }
        self._transitions = dict(state.transitions)

    def chunks(self) -> Iterator[bytes]:
        """The chunks, each at most `MAX_CHUNK_BYTES` (a single larger entry stands alone).

        A full one is the work of some milliseconds.
        """
        yield self._frame
        nothing: dict[str, msgspec.Raw] = {}
        for rechecks in _slices(self._rechecks):
            yield _encoder.encode((_NOTES, rechecks, nothing))
        for removed in _slices(self._removed):
            yield _encoder.encode((_NOTES, nothing, removed))
        policies: dict[int, int] = {}
        rows: list[msgspec.Raw] = []
        block: list[TargetState] = []
        size = _BLOCK_BYTES
        for entry in self._entries:
            raw = self._row(entry, policies)
            weight = len(raw) + _WINDOW_BYTES * len(entry.policy.regions)
            if block and size + weight > MAX_CHUNK_BYTES:
                yield self._pack(rows, block)
                rows, block, size = [], [], _BLOCK_BYTES
            rows.append(msgspec.Raw(raw))
            block.append(entry)
            size += weight
        if block:
            yield self._pack(rows, block)

    def _row(self, entry: TargetState, policies: dict[int, int]) -> bytes:
        policy = entry.policy
        # By identity: equal policies are the same object, and its hash would cost more than a row.
        number = policies.get(id(policy))
        if number is None:
            policies[id(policy)] = len(policies)
        return _encoder.encode(
            (
                entry.id,
                entry.kind,
                entry.host,
                entry.port,
                policy.terms if number is None else number,
                entry.floor,
                entry.definition,
                self._ahead_of(entry) if self._ahead else None,
                self._troubles.get(entry.id),
                self._transitions.get(entry.id, ()),
            )
        )

    def _ahead_of(self, entry: TargetState) -> dict[int, int] | None:
        found = {
            position: self._ahead[entry.slot + position]
            for position in range(len(entry.policy.regions))
            if entry.slot + position in self._ahead
        }
        return found or None

    def _pack(self, rows: list[msgspec.Raw], entries: list[TargetState]) -> bytes:
        newest, fresh_until, since = array("q"), array("q"), array("q")
        successes, lately, usual = array("B"), array("H"), array("H")
        for begin, end in _runs(entries):
            newest += self._newest[begin:end]
            fresh_until += self._fresh_until[begin:end]
            since += self._since[begin:end]
            successes += self._successes[begin:end]
            lately += self._lately[begin:end]
            usual += self._usual[begin:end]
        reach = array("q", map(operator.sub, fresh_until, newest))
        return _encoder.encode(
            (
                _BLOCK,
                rows,
                _planes(newest),
                _planes(reach),
                _planes(since),
                successes.tobytes(),
                _planes(lately),
                _planes(usual),
            )
        )


def encode(state: PartitionState) -> list[bytes]:
    """The chunks of the state as it is; see `Capture`."""
    return list(Capture(state).chunks())


def decode(chunks: Sequence[bytes], partition: int, partitions: int) -> PartitionState:
    """The state that `encode` was given.

    Raises:
        ValueError: the chunks are no state, or that of another partition or partition count.
    """
    try:
        frame = _frame.decode(chunks[0])
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
        frame.respite_until,
        frame.respited,
        regions=frame.regions,
        rechecks_paid_us=frame.rechecks_paid_us,
        rechecks_wait=frame.rechecks_wait,
        set_aside={name for name, region in frame.regions.items() if region.suspect},
    )
    policies: list[TargetPolicy] = []
    try:
        for chunk in chunks[1:]:
            part = _part.decode(chunk)
            if isinstance(part, _Block):
                _unpack(state, part, policies)
            else:
                state.rechecks |= part.rechecks
                state.removed |= part.removed
    except (msgspec.MsgspecError, IndexError, OverflowError) as error:
        raise ValueError(f"expected targets of partition {partition}: {error}") from error
    in_time = sorted(state.transitions.items(), key=lambda turned: turned[1][-1])
    state.transitions = dict(in_time)
    return state


def _slices(entries: Mapping[str, Struct]) -> Iterator[dict[str, msgspec.Raw]]:
    """The entries in pieces that fit into a chunk, in their order."""
    piece: dict[str, msgspec.Raw] = {}
    size = _BLOCK_BYTES
    for key, entry in entries.items():
        raw = _encoder.encode(entry)
        weight = len(key.encode()) + _KEY_BYTES + len(raw)
        if piece and size + weight > MAX_CHUNK_BYTES:
            yield piece
            piece, size = {}, _BLOCK_BYTES
        piece[key] = msgspec.Raw(raw)
        size += weight
    if piece:
        yield piece


def _unpack(state: PartitionState, block: _Block, policies: list[TargetPolicy]) -> None:
    columns: Columns = state.columns
    newest, reach, since = (
        _numbers("q", planes) for planes in (block.newest, block.reach, block.since)
    )
    slot = len(columns.newest)
    columns.extend(
        newest,
        array("q", map(operator.add, newest, reach)),
        since,
        array("B", block.successes),
        _numbers("H", block.lately),
        _numbers("H", block.usual),
    )
    for row in block.rows:
        if isinstance(row.policy, Terms):
            policies.append(state.policy(row.policy))
            policy = policies[-1]
        else:
            policy = policies[row.policy]
        for position, started in (row.ahead or {}).items():
            columns.ahead[slot + position] = started
        if row.transitions:
            state.transitions[row.id] = row.transitions
        state.add(
            TargetState(
                row.id,
                row.kind,
                row.host,
                row.port,
                policy,
                slot,
                row.trouble,
                row.floor,
                row.definition,
            )
        )
        slot += len(policy.regions)
    if slot != len(columns.newest):
        raise ValueError(f"expected {slot} windows, found {len(columns.newest)}")


def _runs(entries: list[TargetState]) -> Iterator[tuple[int, int]]:
    """Where the windows of `entries` stand: begin and end of each stretch."""
    begin = end = entries[0].slot
    for entry in entries:
        if entry.slot != end:
            yield begin, end
            begin = end = entry.slot
        end += len(entry.policy.regions)
    yield begin, end


def _planes(numbers: "array[int]") -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    raw, size = numbers.tobytes(), numbers.itemsize
    return b"".join(raw[plane::size] for plane in range(size))


def _numbers(kind: Literal["q", "H"], planes: bytes) -> "array[int]":
    """What `_planes` was given.

    Raises:
        ValueError: no whole numbers.
    """
    numbers = array(kind)
    size = numbers.itemsize
    count, rest = divmod(len(planes), size)
    if rest:
        raise ValueError(f"expected numbers of {size} bytes")
    raw = bytearray(len(planes))
    for plane in range(size):
        raw[plane::size] = planes[plane * count : (plane + 1) * count]
    numbers.frombytes(raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
