"""Decodes checkpoint chunks (`streams.checkpoint.format`) to a partition's state."""

import operator
from array import array
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct, structs

from streams.checkpoint.byte_planes import numbers
from streams.checkpoint.encoder import StateEncoder
from streams.checkpoint.format import PIECE, Frame, JobRow, Notes, Piece, TargetBlock, TargetRow
from streams.rules import heartbeat_due
from streams.state import heartbeats
from streams.state.heartbeats import JobState
from streams.state.partition_state import PartitionState
from streams.state.policy import TargetPolicy, warn_days_of
from streams.state.target_details import unpack
from streams.state.target_state import TargetState
from streams.state.windows import WindowColumns

_piece = msgspec.msgpack.Decoder(Piece)
_frame = msgspec.msgpack.Decoder(Frame)
_part = msgspec.msgpack.Decoder(Notes | TargetBlock)
_row = msgspec.msgpack.Decoder(TargetRow)


class _RowWindows(Struct, gc=False):
    """A row, and the position of its windows in the saved columns."""

    raw: msgspec.Raw
    policy: TargetPolicy
    slot: int


def encode(state: PartitionState) -> list[bytes]:
    """The chunks of the present state; see `StateEncoder`."""
    return list(StateEncoder(state).chunks())


def decode(chunks: Sequence[bytes], partition: int, partitions: int) -> PartitionState:
    """The state that `encode` encoded.

    Raises:
        ValueError: the chunks are not a state, or belong to another partition or partition count.
    """
    try:
        return _decode(list(_joined(chunks)), partition, partitions)
    except MemoryError:
        raise
    except Exception as error:
        # Anybody who may write to the topic may put anything there.
        raise ValueError(f"expected the state of partition {partition}: {error}") from error


def frame_of(chunk: bytes) -> Frame:
    """The fields of a state outside of targets and notes, from the first chunk alone.

    Raises:
        ValueError: it is no frame, or a piece of one that is too large for a message.
    """
    try:
        return _frame.decode(chunk)
    except msgspec.DecodeError as error:
        raise ValueError(f"expected the first chunk of a checkpoint: {error}") from error


def _joined(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, with each cut chunk joined from its pieces."""
    held: list[bytes] = []
    left = 0
    for chunk in chunks:
        # An array of three (0x93) that begins with the tag: no frame and no other part does.
        if chunk[:2] != bytes((0x93, PIECE)):
            if left:
                raise ValueError(f"expected {left} more pieces, found another part")
            yield chunk
            continue
        piece = _piece.decode(chunk)
        if held and piece.left != left - 1:
            raise ValueError(f"expected a piece with {left - 1} behind it, found {piece.left}")
        held.append(piece.raw)
        left = piece.left
        if not left:
            yield b"".join(held)
            held = []
    if left:
        raise ValueError(f"expected {left} more pieces, found none")


def _decode(chunks: Sequence[bytes], partition: int, partitions: int) -> PartitionState:
    frame = _frame.decode(chunks[0])
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
        earlier_gaps=frame.earlier_gaps,
        coverage=frame.coverage,
        receivers=frame.receivers,
        set_aside={name for name, region in frame.regions.items() if region.suspect},
        silent={name for name, region in frame.regions.items() if region.silent},
    )
    for name in state.set_aside:
        # A checkpoint of 0.1 does not have it.
        state.regions[name].aside_since = state.regions[name].aside_since or state.running
    blocks: list[TargetBlock] = []
    for chunk in chunks[1:]:
        part = _part.decode(chunk)
        if isinstance(part, TargetBlock):
            blocks.append(part)
        else:
            state.rechecks |= part.rechecks
            state.removed |= part.removed
            state.news |= part.news
            state.woken |= part.woken
            state.dependency_rechecks |= part.dependency_rechecks
            state.paused |= part.paused
            for job_id, row in part.jobs.items():
                _put_job(state, job_id, row)
    _unpack(state, blocks)
    _check(state)
    for target_id, paused in state.paused.items():
        if paused.pause is not None and paused.pause.until is not None:
            state.pause_ends.add(target_id, paused.pause.until)
    in_time = sorted(state.transitions.items(), key=lambda turned: turned[1][-1])
    state.transitions = dict(in_time)
    return state


def _put_job(state: PartitionState, job_id: str, row: JobRow) -> None:
    target = heartbeats.unpack_definition(row.definition)
    job = JobState(
        job_id,
        row.definition,
        heartbeat_due.probe_of(target),
        row.since,
        row.due,
        row.after,
        row.held_until,
        row.reported,
        row.floor,
        row.runs,
        row.counted,
        row.last,
        row.down,
        row.incident,
    )
    if target.id != job_id:
        raise ValueError(f"expected the definition of {job_id!r}, found {target.id!r}")
    state.jobs[job_id] = job
    state.job_index.note(job)
    if row.transitions:
        state.transitions[job_id] = row.transitions


def _check(state: PartitionState) -> None:
    """Checks the consistency between parts of the state.

    Raises:
        ValueError: a contradiction that would make the rules fail.
    """
    if state.gaps > state.now:
        raise ValueError(f"expected gaps of at most {state.now} ms, found {state.gaps}")
    for entry in state.targets.values():
        unpack(entry.definition)
        if entry.trouble is not None:
            endings = entry.trouble.endings
            positions = {*entry.trouble.failing, *entry.trouble.pace, *endings}
            if not positions <= set(range(len(entry.policy.regions))):
                raise ValueError(f"expected regions of {entry.id!r}, found {sorted(positions)}")
            if not all(any(end for _, end in row.looks) for row in endings.values()):
                raise ValueError(f"expected an end of a certificate of {entry.id!r}, found none")
    _check_sorts(state)
    if strange := state.woken.keys() - state.hot.keys():
        raise ValueError(f"expected targets in trouble to be woken, found {min(strange)!r}")


def _check_sorts(state: PartitionState) -> None:
    """Checks that a target is judged by checks or by its reports, or is paused.

    Raises:
        ValueError: it is more than one of them, or has another target's definition.
    """
    if both := state.paused.keys() & (state.targets.keys() | state.jobs.keys()):
        raise ValueError(f"expected {min(both)!r} to be judged or paused, found both")
    if both := state.jobs.keys() & state.targets.keys():
        raise ValueError(f"expected {min(both)!r} to report itself or be checked, found both")
    for target_id, paused in state.paused.items():
        target = paused.target
        if target is not None and target.id != target_id:
            raise ValueError(f"expected the definition of {target_id!r}, found {target.id!r}")


def _unpack(state: PartitionState, blocks: Iterable[TargetBlock]) -> None:
    policies: list[TargetPolicy] = []
    places: list[_RowWindows] = []
    saved = WindowColumns()
    slot = 0
    for block in blocks:
        policies += map(state.policy, block.policies)
        newest, reach = numbers("q", block.newest), numbers("q", block.reach)
        saved.extend(
            newest,
            array("q", map(operator.add, newest, reach)),
            numbers("q", block.since),
            array("B", block.successes),
            numbers("H", block.lately),
            numbers("H", block.usual),
            numbers("I", block.daily) if block.daily else array("I", bytes(4 * len(newest))),
        )
        for raw, number in zip(block.rows, numbers("q", block.which), strict=True):
            places.append(_RowWindows(raw, policies[number], slot))
            slot += len(policies[number].regions)
    if slot != len(saved.newest):
        raise ValueError(f"expected {slot} windows, found {len(saved.newest)}")
    # In memory, too, targets stand in the order in which they are checked: so the next result is
    # about what lies behind the one before, and need not be fetched from far away. That is more
    # than half of what a result costs when there are many.
    order = sorted(range(len(places)), key=lambda number: saved.newest[places[number].slot])
    entries = {number: _restore(state, places[number], saved) for number in order}
    for number in range(len(places)):
        state.add(entries[number])


def _restore(state: PartitionState, place: _RowWindows, saved: WindowColumns) -> TargetState:
    row, columns = _row.decode(place.raw), state.columns
    windows = slice(place.slot, place.slot + len(place.policy.regions))
    slot = len(columns.newest)
    columns.extend(
        saved.newest[windows],
        saved.fresh_until[windows],
        saved.since[windows],
        saved.successes[windows],
        saved.lately[windows],
        saved.usual[windows],
        saved.daily[windows],
    )
    for position, started in (row.ahead or {}).items():
        columns.ahead[slot + position] = started
    policy = place.policy
    if policy.warn_days is None:
        # A checkpoint of 0.1 has `warn_days` in the definition alone.
        known = warn_days_of(unpack(row.definition).probe)
        policy = state.policy(structs.replace(policy.terms, warn_days=known))
    if row.transitions:
        state.transitions[row.id] = row.transitions
    return TargetState(
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
