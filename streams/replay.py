"""The log once more through the rules: what events it gives, and whether they are those sent.

A replay only reads. It joins no group, commits nothing and writes to no topic.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct

from portquorum.kafka import Follower
from portquorum.settings import Settings
from portquorum.telemetry import logger
from schemas import topics
from streams import log, shelves, snapshot
from streams.checkpoints import Shelf
from streams.outputs import OutMessage
from streams.state import PartitionState, new_state
from streams.step import step

From = Literal["auto", "beginning", "checkpoint"]

_log = logger(__name__)


class Replayed(Struct, frozen=True, gc=False):
    """A message that the record at `offset` (appended at `at`, UTC ms) gives."""

    partition: int
    offset: int
    at: int
    message: OutMessage


class Stretch(Struct, frozen=True, gc=False):
    """What of a partition is replayed: from `first` to `end` (exclusive), on `state`.

    `since` is the state's append time before the first record (0: from nothing). `complete` is
    False if the log no longer has all records between the state and `first`: then the events need
    not be those of the first time.
    """

    state: PartitionState
    since: int
    first: int
    end: int
    complete: bool


class _EventHead(Struct):
    event_id: str
    at: int


_head: Final = msgspec.json.Decoder(_EventHead)


class Comparison(Struct, frozen=True, kw_only=True):
    """Event ids by how the replay and [incidents] agree; each list is sorted.

    `same` events have the same bytes in both. `missing` are not on [incidents], `different` are
    there with other bytes, `unexpected` are there within the replayed time and the replay does
    not give them. `unsound` names the partitions whose log or checkpoint was cut.
    """

    same: int
    missing: list[str]
    different: list[str]
    unexpected: list[str]
    unsound: list[int]

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.different or self.unexpected)


async def replay(
    settings: Settings, *, partitions: Sequence[int] | None = None, start: From = "auto"
) -> AsyncIterator[Replayed]:
    """All messages that the log gives, partition by partition, in the order of the log.

    Reads up to where the log ended when this was called. `start`: `beginning` starts from nothing
    at the first record that the log has; `checkpoint` from the oldest checkpoint on [checkpoints]
    that the log follows on; `auto` from the beginning if the log still has its first record, else
    from the checkpoint. Where each partition starts is said in the program's log.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    numbers = range(settings.partitions) if partitions is None else partitions
    for stretch in await _stretches(settings, numbers, start):
        async for message in _replay(settings, stretch):
            yield message


async def compare(settings: Settings, *, start: From = "auto") -> Comparison:
    """Replays the whole log and compares its events with those on [incidents].

    An event that was sent more than once counts once; it differs if any copy differs.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    stretches = await _stretches(settings, range(settings.partitions), start)
    given: dict[str, bytes] = {}
    for stretch in stretches:
        async for replayed in _replay(settings, stretch):
            if replayed.message.topic == topics.INCIDENTS.name:
                given[_head.decode(replayed.message.value).event_id] = replayed.message.value
    # The state of a stretch has moved along: its `now` is the last replayed append time.
    sent, replayed_time = await _sent(settings, stretches)
    return Comparison(
        same=sum(sent.get(event_id) == {value} for event_id, value in given.items()),
        missing=sorted(given.keys() - sent.keys()),
        different=sorted(
            event_id
            for event_id, value in given.items()
            if event_id in sent and sent[event_id] != {value}
        ),
        unexpected=sorted((sent.keys() & replayed_time) - given.keys()),
        unsound=[stretch.state.partition for stretch in stretches if not stretch.complete],
    )


async def _stretches(settings: Settings, numbers: Iterable[int], start: From) -> list[Stretch]:
    bounds = await log.bounds(settings, list(numbers))
    if start == "beginning" or (
        start == "auto" and all(bound.begin == 0 for bound in bounds.values())
    ):
        archive = {number: Shelf(number) for number in bounds}
    else:
        archive = await shelves.read(settings, topics.CHECKPOINTS.name, bounds)
    stretches = []
    for number, bound in bounds.items():
        state = None
        if start == "checkpoint" or (start == "auto" and bound.begin > 0):
            state = _oldest(archive[number], settings.partitions, bound)
        source = "nothing" if state is None else "checkpoints"
        state = state or new_state(number, settings.partitions)
        first = max(state.offset + 1, bound.begin)
        _log.info("replaying", partition=number, started_from=source, first=first, until=bound.end)
        complete = first == state.offset + 1
        stretches.append(Stretch(state, state.now, first, bound.end, complete))
    return stretches


def _oldest(shelf: Shelf, partitions: int, bound: log.Bounds) -> PartitionState | None:
    for checkpoint in reversed(shelf.complete()):
        if bound.begin <= checkpoint.head.offset + 1 <= bound.end:
            return snapshot.decode(checkpoint.chunks, shelf.partition, partitions)
    return None


async def _replay(settings: Settings, stretch: Stretch) -> AsyncIterator[Replayed]:
    state = stretch.state
    async for record in log.read(settings, state.partition, stretch.first, stretch.end):
        done = step(state, record.offset, record.timestamp, record.value, record.headers)
        for message in done.messages:
            yield Replayed(state.partition, record.offset, record.timestamp, message)


async def _sent(
    settings: Settings, stretches: Iterable[Stretch]
) -> tuple[dict[str, set[bytes]], set[str]]:
    """All values on [incidents] by event id, and the ids that a replay should have given."""
    times = {stretch.state.partition: (stretch.since, stretch.state.now) for stretch in stretches}
    sent: dict[str, set[bytes]] = {}
    replayed_time: set[str] = set()
    async with Follower(settings, settings.topic(topics.INCIDENTS.name)) as follower:
        async for record in follower.present():
            try:
                head = _head.decode(record.value or b"")
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            sent.setdefault(head.event_id, set()).add(record.value)
            since, last = times[record.partition]
            # What was appended in the last replayed millisecond may lie beyond the replay's end.
            if since < head.at < last:
                replayed_time.add(head.event_id)
    return sent, replayed_time
