"""Encodes a state as checkpoint chunks while the state moves on."""

import operator
from array import array
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct, structs

from schemas.checkpoint import MAX_CHUNK_BYTES
from streams.checkpoint.byte_planes import planes
from streams.checkpoint.format import BLOCK, NOTES, PIECE, Frame, JobRow
from streams.state.heartbeats import JobState
from streams.state.partition_state import PartitionState
from streams.state.policy import Terms
from streams.state.target_state import TargetState

_PART_BYTES: Final = 48
"""Bytes of a block or a note beside its entries."""

_KEY_BYTES: Final = 3
"""Bytes for the length of a key; ids and hosts have at most 65,535 bytes."""

_NUMBER_BYTES: Final = 8
_WINDOW_BYTES: Final = 33

_encoder = msgspec.msgpack.Encoder()


class StateEncoder:
    """A snapshot of a state at one offset, which is encoded while the state moves on.

    Cheap to create: it copies the columns and the jobs that report themselves, which is fast, and
    encodes the troubles, which are few. All other target fields are immutable.
    """

    def __init__(self, state: PartitionState) -> None:
        frame = Frame(
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
            state.earlier_gaps,
            state.coverage,
            state.receivers,
        )
        # Without receivers of heartbeats the bytes are those of 0.1.
        fields = structs.astuple(frame)
        self._frame = _encoder.encode(fields if state.receivers.newest_beat else fields[:-1])
        self._rechecks = dict(state.rechecks)
        self._dependency_rechecks = dict(state.dependency_rechecks)
        self._removed = dict(state.removed)
        self._news = dict(state.news)
        self._paused = dict(state.paused)
        self._woken = dict(state.woken)
        self._entries = list(state.targets.values())
        self._newest = state.columns.newest[:]
        self._fresh_until = state.columns.fresh_until[:]
        self._since = state.columns.since[:]
        self._successes = state.columns.successes[:]
        self._lately = state.columns.lately[:]
        self._usual = state.columns.usual[:]
        self._daily = state.columns.daily[:]
        self._ahead = dict(state.columns.ahead)
        self._troubles = {
            target_id: msgspec.Raw(_encoder.encode(state.targets[target_id].trouble))
            for target_id in state.hot
        }
        self._transitions = dict(state.transitions)
        self._jobs = {job_id: _job_row(state, job) for job_id, job in state.jobs.items()}

    def chunks(self) -> Iterator[bytes]:
        """The chunks, each small enough for one message.

        Encoding a full chunk takes some milliseconds. A chunk has at most slightly more than
        `MAX_CHUNK_BYTES`; a larger single entry is cut in pieces, and so is the frame, which comes
        first.
        """
        for part in self._parts():
            if len(part) <= MAX_CHUNK_BYTES:
                yield part
            else:
                yield from _pieces(part)

    def _parts(self) -> Iterator[bytes]:
        yield self._frame
        nothing: dict[str, msgspec.Raw] = {}
        for rechecks in _slices(self._rechecks):
            yield _encoder.encode((NOTES, rechecks, nothing))
        for removed in _slices(self._removed):
            yield _encoder.encode((NOTES, nothing, removed))
        for news in _slices(self._news):
            yield _encoder.encode((NOTES, nothing, nothing, news))
        for woken in _slices(self._woken):
            yield _encoder.encode((NOTES, nothing, nothing, nothing, woken))
        for hosts in _slices(self._dependency_rechecks):
            yield _encoder.encode((NOTES, nothing, nothing, nothing, nothing, hosts))
        for paused in _slices(self._paused):
            yield _encoder.encode((NOTES, nothing, nothing, nothing, nothing, nothing, paused))
        for jobs in _slices(self._jobs):
            yield _encoder.encode(
                (NOTES, nothing, nothing, nothing, nothing, nothing, nothing, jobs)
            )
        yield from self._blocks()

    def _blocks(self) -> Iterator[bytes]:
        # By identity: equal policies are the same object, and its hash would cost more than a row.
        known: dict[int, int] = {}
        policies: list[Terms] = []
        which = array("q")
        rows: list[msgspec.Raw] = []
        block: list[TargetState] = []
        size = _PART_BYTES
        for entry in self._entries:
            raw, policy = self._row(entry), entry.policy
            weight = len(raw) + _NUMBER_BYTES + _WINDOW_BYTES * len(policy.regions)
            if id(policy) not in known:
                weight += len(_encoder.encode(policy.terms))
            if block and size + weight > MAX_CHUNK_BYTES:
                yield self._pack(policies, which, rows, block)
                policies, which, rows, block, size = [], array("q"), [], [], _PART_BYTES
            if id(policy) not in known:
                known[id(policy)] = len(known)
                policies.append(policy.terms)
            which.append(known[id(policy)])
            rows.append(msgspec.Raw(raw))
            block.append(entry)
            size += weight
        if block:
            yield self._pack(policies, which, rows, block)

    def _row(self, entry: TargetState) -> bytes:
        return _encoder.encode(
            (
                entry.id,
                entry.kind,
                entry.host,
                entry.port,
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

    def _pack(
        self,
        policies: list[Terms],
        which: "array[int]",
        rows: list[msgspec.Raw],
        entries: list[TargetState],
    ) -> bytes:
        newest, fresh_until, since = array("q"), array("q"), array("q")
        successes, lately, usual, daily = array("B"), array("H"), array("H"), array("I")
        for begin, end in _runs(entries):
            newest += self._newest[begin:end]
            fresh_until += self._fresh_until[begin:end]
            since += self._since[begin:end]
            successes += self._successes[begin:end]
            lately += self._lately[begin:end]
            usual += self._usual[begin:end]
            daily += self._daily[begin:end]
        reach = array("q", map(operator.sub, fresh_until, newest))
        return _encoder.encode(
            (
                BLOCK,
                policies,
                planes(which),
                rows,
                planes(newest),
                planes(reach),
                planes(since),
                successes.tobytes(),
                planes(lately),
                planes(usual),
                planes(daily) if any(daily) else b"",
            )
        )


def _job_row(state: PartitionState, job: JobState) -> JobRow:
    """A copy: of a job only its incident is changed in place."""
    return JobRow(
        job.definition,
        job.since,
        job.due,
        job.after,
        job.held_until,
        job.reported,
        job.floor,
        job.runs,
        job.counted,
        job.last,
        job.down,
        None if job.incident is None else structs.replace(job.incident),
        state.transitions.get(job.id, ()),
    )


def _pieces(part: bytes) -> Iterator[bytes]:
    starts = range(0, len(part), MAX_CHUNK_BYTES)
    for number, start in enumerate(starts, 1):
        left = len(starts) - number
        yield _encoder.encode((PIECE, left, part[start : start + MAX_CHUNK_BYTES]))


def _slices(entries: Mapping[str, Struct | None]) -> Iterator[dict[str, msgspec.Raw]]:
    """The entries in slices that fit into a chunk, in their order."""
    piece: dict[str, msgspec.Raw] = {}
    size = _PART_BYTES
    for key, entry in entries.items():
        raw = _encoder.encode(entry)
        weight = len(key.encode()) + _KEY_BYTES + len(raw)
        if piece and size + weight > MAX_CHUNK_BYTES:
            yield piece
            piece, size = {}, _PART_BYTES
        piece[key] = msgspec.Raw(raw)
        size += weight
    if piece:
        yield piece


def _runs(entries: list[TargetState]) -> Iterator[tuple[int, int]]:
    """Runs of neighbouring windows of `entries`: begin and end of each."""
    begin = end = entries[0].slot
    for entry in entries:
        if entry.slot != end:
            yield begin, end
            begin = end = entry.slot
        end += len(entry.policy.regions)
    yield begin, end
