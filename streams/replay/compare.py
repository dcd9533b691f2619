"""The log once more through the rules: what events it gives, and whether they are those sent.

A replay only reads. It joins no group, commits nothing and writes to no topic.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct

from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import topics
from schemas.json_decoder import JsonDecoder
from streams import results_log
from streams.replay import replay_range
from streams.replay.replay_range import From, Origin, Span, Stretch
from streams.rules.process import step

Progress = Callable[[int, int], None]
"""Called with how many records were replayed, and of how many."""

_EVERY: Final = 1_000
"""Progress is said once in so many records."""


class Given(Struct, frozen=True, gc=False):
    """An event as one of the two sides has it: `at` is its own time, `offset` that of the record.

    Of a replayed event it is the offset on [results], of a sent one that on [incidents].
    """

    event_id: str
    at: int
    partition: int
    offset: int
    value: bytes


class Difference(Struct, frozen=True, gc=False):
    """One event on which the replay and [incidents] do not agree; a side that lacks it is None."""

    kind: Literal["missing", "different", "unexpected"]
    replayed: Given | None
    sent: Given | None

    @property
    def event_id(self) -> str:
        return self._one.event_id

    @property
    def at(self) -> int:
        return self._one.at

    @property
    def _one(self) -> Given:
        one = self.replayed or self.sent
        if one is None:
            raise ValueError("expected a difference to have a side")
        return one


class Comparison(Struct, frozen=True, kw_only=True):
    """How the replay and [incidents] agree, event by event.

    `same` events have the same bytes in both, `differences` (the oldest first) do not: those that
    are not on [incidents] (`missing`), are there with other bytes (`different`), or are there
    within the replayed time and the replay does not give them (`unexpected`). `records` were
    replayed, `origins` says from where.
    """

    same: int
    differences: list[Difference]
    records: int
    origins: list[Origin]

    @property
    def given(self) -> int:
        """How many events the replay gave."""
        return self.same + sum(one.replayed is not None for one in self.differences)

    @property
    def agrees(self) -> bool:
        return not self.differences

    @property
    def unsound(self) -> list[int]:
        """The partitions whose log or checkpoint was cut: their events need not be the same."""
        return [one.partition for one in self.origins if not one.complete]

    @property
    def missing(self) -> list[str]:
        """The ids of the events that are not on [incidents], the oldest first."""
        return self._ids("missing")

    @property
    def different(self) -> list[str]:
        """The ids of those that are there with other bytes, the oldest first."""
        return self._ids("different")

    @property
    def unexpected(self) -> list[str]:
        """The ids of those that are there and were not given, the oldest first."""
        return self._ids("unexpected")

    def _ids(self, kind: str) -> list[str]:
        return [one.event_id for one in self.differences if one.kind == kind]


class _EventHead(Struct):
    event_id: str
    at: int


_head: Final[JsonDecoder[_EventHead]] = JsonDecoder(_EventHead)


async def compare(
    settings: Settings,
    *,
    partitions: Sequence[int] | None = None,
    start: From = "auto",
    span: Span | None = None,
    acknowledged: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Replays the log and compares its events with those on [incidents].

    Only events of `span` are compared; see `streams.stretch.find` for where it starts from and
    for `acknowledged`. An event that was sent more than once counts once; it differs if any copy
    differs.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
        log.LogStalledError: the log gives nothing although it has records.
    """
    span = span or Span()
    numbers = range(settings.partitions) if partitions is None else partitions
    stretches = await replay_range.find(
        settings, numbers, start=start, span=span, acknowledged=acknowledged
    )
    total = sum(one.origin.records for one in stretches)
    given: dict[str, Given] = {}
    done = 0
    for one in stretches:
        async for event in _events(settings, one, progress, done, total):
            if _within(span, event.at):
                given[event.event_id] = event
        done += one.origin.records
    if progress is not None:
        progress(total, total)
    # The state of a stretch has moved along: its `now` is the last replayed append time.
    sent, unexpected = await _sent(settings, stretches, span, given)
    differences = unexpected
    same = 0
    for event_id, event in given.items():
        copies = sent.get(event_id)
        if copies is None:
            differences.append(Difference("missing", event, None))
        else:
            other = next((copy for copy in copies if copy.value != event.value), None)
            if other is None:
                same += 1
            else:
                differences.append(Difference("different", event, other))
    differences.sort(key=lambda one: (one.at, one.event_id))
    origins = [one.origin for one in stretches]
    return Comparison(same=same, differences=differences, records=total, origins=origins)


def _within(span: Span, at: int) -> bool:
    return (span.since is None or span.since <= at) and (span.until is None or at <= span.until)


async def _events(
    settings: Settings, one: Stretch, progress: Progress | None, done: int, total: int
) -> AsyncIterator[Given]:
    state, origin = one.state, one.origin
    if not origin.records:
        return
    async for record in results_log.read(settings, origin.partition, origin.first, origin.end):
        made = step(state, record.offset, record.timestamp, record.value, record.headers)
        for message in made.messages:
            if message.topic == topics.INCIDENTS.name:
                head = _head.decode(message.value)
                where = origin.partition, record.offset
                yield Given(head.event_id, head.at, *where, message.value)
        if progress is not None and record.offset % _EVERY == 0:
            progress(done + record.offset - origin.first, total)


async def _sent(
    settings: Settings, stretches: Iterable[Stretch], span: Span, given: dict[str, Given]
) -> tuple[dict[str, list[Given]], list[Difference]]:
    """Those on [incidents] that were given too, by id, and those that the replay should give."""
    replayed = {one.origin.partition: one for one in stretches}
    sent: dict[str, list[Given]] = {}
    unexpected: dict[str, Difference] = {}
    async with Follower(settings, settings.topic(topics.INCIDENTS.name)) as follower:
        async for record in follower.present():
            one = replayed.get(record.partition)
            if one is None:
                continue
            try:
                head = _head.decode(record.value or b"")
            except msgspec.DecodeError:
                continue
            event = Given(head.event_id, head.at, record.partition, record.offset, record.value)
            if head.event_id in given:
                sent.setdefault(head.event_id, []).append(event)
            # What was appended in the last replayed millisecond may lie beyond the replay's end.
            elif one.origin.at < head.at < one.state.now and _within(span, head.at):
                unexpected.setdefault(head.event_id, Difference("unexpected", None, event))
    return sent, list(unexpected.values())
