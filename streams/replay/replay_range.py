"""Chooses the part of a partition's log to replay, and the state to start from."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from aiokafka import TopicPartition
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)
from msgspec import Struct, structs

from foundation import kafka
from foundation.kafka.clients import SOON_MS
from foundation.settings import Settings
from schemas import topics
from streams import results_log
from streams.checkpoint import restore, store
from streams.checkpoint.judged import same_rules
from streams.checkpoint.model import Checkpoint, PartitionCheckpoints
from streams.state.partition_state import PartitionState, new_state

From = Literal["auto", "beginning", "checkpoint"]
Source = Literal["checkpoints", "state", "nothing"]

_COORDINATOR_WITHIN_S: Final = 15.0
_NOT_YET: Final = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)


class Span(Struct, frozen=True):
    """A span of the log's time, UTC ms, both ends included; None stands for the log's own end."""

    since: int | None = None
    until: int | None = None


class Origin(Struct, frozen=True, kw_only=True):
    """The replayed part of a partition: the offsets from `first` to `end` (exclusive).

    `source` is the origin of the state before `first`, `offset` the state's own (-1: none), `at`
    its append time (0: none). `complete` is False if the log no longer has all records between the
    state and `first`: then the events may differ from the original ones. `begins_late`: neither
    state nor log reach back to the requested time. `judged_by` is the version that decided at the
    end of the range (empty: of 0.1, or there is no checkpoint), `judged_from` the offset since
    which it did. A range does not begin before that if this program has the same rules.
    """

    partition: int
    source: Source
    offset: int
    at: int
    first: int
    end: int
    complete: bool
    begins_late: bool
    judged_by: str = ""
    judged_from: int = 0

    @property
    def records(self) -> int:
        """Number of offsets in the range."""
        return max(0, self.end - self.first)


class ReplayRange(Struct, frozen=True):
    """A part of the log, and the starting state, which moves along with the replay."""

    origin: Origin
    state: PartitionState


async def find(
    settings: Settings,
    partitions: Iterable[int],
    *,
    start: From = "auto",
    span: Span | None = None,
    acknowledged: bool = False,
) -> list[ReplayRange]:
    """The range of each partition that covers `span`, up to the present end of the log.

    With `span.since`, each range starts from the newest checkpoint before that time that the log
    continues, on [checkpoints] or [state]; without such a checkpoint, from an empty state at the
    beginning of a complete log; if the log is incomplete, from the oldest checkpoint after that
    time. Without `span.since`, `start` decides: `beginning` is an empty state at the log's first
    record; `checkpoint` the oldest checkpoint on [checkpoints] that the log continues; `auto` the
    beginning if the log still has its first record, else that checkpoint.

    `acknowledged`: the range ends at the offset that the stream's group has acknowledged, so that
    on a live system no event counts as missing before the stream has reached it.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    span = span or Span()
    bounds = await results_log.bounds(settings, list(partitions))
    ends = {number: bound.end for number, bound in bounds.items()}
    if acknowledged:
        for number, offset in (await _acknowledged(settings)).items():
            if number in ends:
                ends[number] = min(ends[number], offset)
    if span.until is not None:
        after = await _offsets_at(settings, bounds, span.until + 1)
        ends = {n: min(end, after[n]) if n in after else end for n, end in ends.items()}
    begins = {} if span.since is None else await _offsets_at(settings, bounds, span.since)
    candidates = await _candidates(settings, bounds, start, span)
    stretches = []
    for number, bound in bounds.items():
        wanted = None if span.since is None else begins.get(number, bound.end)
        found = candidates[number]
        ours = 0 if span.since is None else _judged_from(found)
        chosen = _of_our_rules(found, ours, wanted) or _chosen(found, start, wanted, bound)
        one = _stretch(settings, number, bound, ends[number], wanted, chosen)
        stretches.append(_signed(one, found))
    return stretches


class _Candidate(Struct, frozen=True):
    source: Source
    checkpoint: Checkpoint

    @property
    def next_offset(self) -> int:
        return self.checkpoint.head.offset + 1


async def _candidates(
    settings: Settings, bounds: Mapping[int, results_log.Bounds], start: From, span: Span
) -> dict[int, list[_Candidate]]:
    """Checkpoints that are possible starting points, the oldest first."""
    sources: tuple[tuple[str, Source], ...]
    if span.since is not None:
        sources = (topics.CHECKPOINTS.name, "checkpoints"), (topics.STATE.name, "state")
    else:
        sources = ((topics.CHECKPOINTS.name, "checkpoints"),) if start != "beginning" else ()
    found: dict[int, list[_Candidate]] = {number: [] for number in bounds}
    for topic, source in sources:
        shelves_read: Mapping[int, PartitionCheckpoints] = await store.read(settings, topic, bounds)
        for number, shelf in shelves_read.items():
            found[number] += [_Candidate(source, one) for one in shelf.complete()]
    for number, bound in bounds.items():
        found[number] = sorted(
            (one for one in found[number] if bound.begin <= one.next_offset <= bound.end),
            key=lambda one: one.next_offset,
        )
    return found


def _judged_from(found: list[_Candidate]) -> int:
    """The offset since which this program's rules have decided; 0: always, or it is not known."""
    newest = found[-1].checkpoint.head if found else None
    return newest.judged_from if newest is not None and same_rules(newest) else 0


def _of_our_rules(found: list[_Candidate], ours: int, wanted: int | None) -> list[_Candidate]:
    """The starting points behind an older version's records; none if there are no such records."""
    if not ours or wanted is None:
        return []
    later = [one for one in found if one.next_offset >= ours]
    reached = [one for one in later if one.next_offset <= wanted]
    return reached[::-1] + later[len(reached) :]


def _signed(one: ReplayRange, found: list[_Candidate]) -> ReplayRange:
    """The range with what is known of who decided."""
    if not found:
        return one
    head = found[-1].checkpoint.head
    origin = structs.replace(one.origin, judged_by=head.version, judged_from=head.judged_from)
    return ReplayRange(origin, one.state)


def _chosen(
    found: list[_Candidate], start: From, wanted: int | None, bound: results_log.Bounds
) -> list[_Candidate]:
    """The starting points, the best first; an empty state if none of them can be read."""
    if wanted is None:
        return found if start == "checkpoint" or bound.begin > 0 else []
    earlier = [one for one in found if one.next_offset <= wanted]
    # Nothing and a whole log are better than a beginning that comes late.
    return earlier[::-1] + (found[len(earlier) :] if bound.begin > 0 else [])


def _stretch(  # noqa: PLR0917 - what a stretch is decided by
    settings: Settings,
    number: int,
    bound: results_log.Bounds,
    end: int,
    wanted: int | None,
    chosen: Iterable[_Candidate],
) -> ReplayRange:
    state = new_state(number, settings.partitions)
    source: Source = "nothing"
    for candidate in chosen:
        try:
            state = restore.decoded(candidate.checkpoint, number, settings.partitions)
        except ValueError:
            continue
        source = candidate.source
        break
    first = max(state.offset + 1, bound.begin)
    origin = Origin(
        partition=number,
        source=source,
        offset=state.offset,
        at=state.now,
        first=first,
        end=max(end, first),
        complete=first == state.offset + 1,
        begins_late=wanted is not None and first > wanted,
    )
    return ReplayRange(origin, state)


async def _offsets_at(
    settings: Settings, bounds: Mapping[int, results_log.Bounds], at: int
) -> dict[int, int]:
    """The first offset appended at or after `at`; leaves out partitions without one."""
    topic = settings.topic(topics.RESULTS.name)
    parts = [TopicPartition(topic, number) for number in bounds]
    async with kafka.started(kafka.consumer(settings, fetch_max_wait_ms=SOON_MS)) as reader:
        reader.assign(parts)
        found = await reader.offsets_for_times(dict.fromkeys(parts, at))
    return {part.partition: one.offset for part, one in found.items() if one is not None}


async def _acknowledged(settings: Settings) -> dict[int, int]:
    """The offsets (exclusive) up to which the stream has sent all its events."""
    topic = settings.topic(topics.RESULTS.name)
    parts = [TopicPartition(topic, number) for number in range(settings.partitions)]
    client = kafka.admin(settings)
    await client.start()
    try:
        deadline = time.monotonic() + _COORDINATOR_WITHIN_S
        while True:
            try:
                found = await kafka.commits(client, settings.group("stream"), parts)
                break
            except _NOT_YET:
                # A cluster without any group yet makes its topic of offsets when it is asked; one
                # that has just started reads it first.
                if time.monotonic() >= deadline:
                    raise
                await asyncio.sleep(0.2)
    finally:
        await client.close()
    return {part.partition: commit.offset for part, commit in found.items()}
