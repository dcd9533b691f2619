"""Replays the log through the rules and compares the events with those that were sent.

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
from streams.replay.replay_range import From, Origin, ReplayRange, Span
from streams.rules.process import step

Progress = Callable[[int, int], None]
"""Called with the number of replayed records and the total."""

_EVERY: Final = 1_000
"""Records between two progress reports."""


class Given(Struct, frozen=True, gc=False):
    """An event of one of the two sides: `at` is its own time, `offset` that of its record.

    The offset of a replayed event is on [results], that of a sent event on [incidents].
    """

    event_id: str
    at: int
    partition: int
    offset: int
    value: bytes


class Difference(Struct, frozen=True, gc=False):
    """An event on which the replay and [incidents] disagree; None stands for a missing side."""

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


class ReplayComparison(Struct, frozen=True, kw_only=True):
    """The result of the comparison of a replay with [incidents], event by event.

    `same` events have the same bytes on both sides. `differences`, the oldest first, are events
    that are not on [incidents] (`missing`), have other bytes there (`different`), or are there
    within the replayed time but not in the replay (`unexpected`). `records` were replayed,
    `origins` are the starting points.
    """

    same: int
    differences: list[Difference]
    records: int
    origins: list[Origin]

    @property
    def given(self) -> int:
        """Number of events that the replay gave."""
        return self.same + sum(one.replayed is not None for one in self.differences)

    @property
    def agrees(self) -> bool:
        return not self.differences

    @property
    def unsound(self) -> list[int]:
        """Partitions with a cut log or checkpoint: their events may differ for that reason."""
        return [one.partition for one in self.origins if not one.complete]

    @property
    def missing(self) -> list[str]:
        """Ids of events that are not on [incidents], the oldest first."""
        return self._ids("missing")

    @property
    def different(self) -> list[str]:
        """Ids of events that have other bytes on [incidents], the oldest first."""
        return self._ids("different")

    @property
    def unexpected(self) -> list[str]:
        """Ids of events on [incidents] that the replay did not give, the oldest first."""
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
) -> ReplayComparison:
    """Replays the log and compares its events with those on [incidents].

    Compares only events of `span`; see `streams.replay.replay_range.find` for the starting point
    and for `acknowledged`. An event that was sent more than once counts once; it differs if any
    copy differs.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
        results_log.LogStalledError: the log gives nothing although it has records.
    """
    span = span or Span()
    numbers = range(settings.partitions) if partitions is None else partitions
    stretches = await replay_range.find(
        settings, numbers, start=start, span=span, acknowledged=acknowledged
    )
    total = sum(one.origin.records for one in stretches)
    given: dict[str, Given] = {}
    async for event in _events(settings, stretches, progress, total):
        if _within(span, event.at):
            given[event.event_id] = event
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
    return ReplayComparison(same=same, differences=differences, records=total, origins=origins)


def _within(span: Span, at: int) -> bool:
    return (span.since is None or span.since <= at) and (span.until is None or at <= span.until)


async def _events(
    settings: Settings, stretches: Iterable[ReplayRange], progress: Progress | None, total: int
) -> AsyncIterator[Given]:
    states = {one.origin.partition: one.state for one in stretches}
    ranges = {one.origin.partition: (one.origin.first, one.origin.end) for one in stretches}
    done = 0
    async for record in results_log.read_all(settings, ranges):
        state = states[record.partition]
        made = step(state, record.offset, record.timestamp, record.value, record.headers)
        for message in made.messages:
            # What is on [incidents.open] follows from [incidents]: it is not compared by itself.
            if message.topic == topics.INCIDENTS.name and message.value is not None:
                head = _head.decode(message.value)
                where = record.partition, record.offset
                yield Given(head.event_id, head.at, *where, message.value)
        done += 1
        if progress is not None and done % _EVERY == 0:
            progress(done, total)


async def _sent(
    settings: Settings, stretches: Iterable[ReplayRange], span: Span, given: dict[str, Given]
) -> tuple[dict[str, list[Given]], list[Difference]]:
    """Sent events that the replay gave too, by id, and those that it should give."""
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
