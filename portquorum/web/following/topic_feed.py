"""Reads the topics into the fleet: what there is, then each record as it comes."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from foundation import kafka
from foundation.settings import Settings
from portquorum.web.answers import ChangeKind
from portquorum.web.fleet import Fleet
from portquorum.web.fleet.position import Source
from portquorum.web.following.announcer import Announcer
from portquorum.web.following.beats import BeatBook
from schemas import topics
from schemas.duration import DAY_MS
from schemas.incident import IncidentEvent, RegionEvent

SKEW_MS: Final = 600_000
"""A record may have been stamped by a clock that is wrong by as much as this."""

POLL_MS: Final = 200
STEP: Final = 200
"""Records that are applied before others have a turn: about 5 ms."""

STALLED_S: Final = 60.0
"""Longest wait for the next record while the topics are read up."""

ANSWER_S: Final = 20.0
"""Longest wait until what is confirmed is read."""

BEAT_MS: Final = 5_000
"""A prober beats so often."""

_BEATS_MS: Final = 20_000


class FeedEndedError(RuntimeError):
    """The reader of the topics does not work any more; the role must begin anew."""


class TopicFeed:
    """One consumer without a group over [targets], [policy], [incidents.open] and [incidents].

    Of [results] it reads one partition, for the beats that come in each; results are not decoded.
    Use as an async context manager. Topics may be applied in any order: of an incident the newest
    event counts, from whichever topic it comes first.
    """

    def __init__(
        self, settings: Settings, fleet: Fleet, announcer: Announcer, now: Callable[[], int]
    ) -> None:
        """`now` gives UTC ms."""
        self._fleet = fleet
        self._announcer = announcer
        self._now = now
        self._settings = settings
        self._takers: dict[str, Callable[[ConsumerRecord], None]] = {
            settings.topic(topics.TARGETS.name): self._target,
            settings.topic(topics.POLICY.name): self._policy,
            settings.topic(topics.INCIDENTS_OPEN.name): self._open,
            settings.topic(topics.INCIDENTS.name): self._event,
        }
        self.beats = BeatBook()
        self._beats_at = 0
        self.log_partition = TopicPartition(settings.topic(topics.RESULTS.name), 0)
        """The partition of [results] whose beats are read: the one with the fewest records."""
        self._asking: AIOKafkaConsumer | None = None
        self._applied_to: dict[TopicPartition, int] = {}
        self._reaching: list[tuple[Mapping[TopicPartition, int], asyncio.Future[None]]] = []
        self.is_present = asyncio.Event()
        """Set when all topics have been read up to where they ended at the beginning."""

    async def run(self) -> None:
        """Reads without end; cancel the task to stop.

        Raises:
            aiokafka.errors.KafkaError: the cluster refuses, or an offset is not there any more.
            FeedEndedError: nothing is read any more.
            TimeoutError: the topics can't be read up.
        """
        # Never again from the beginning without a word: what was removed meanwhile would stay.
        consumer = kafka.consumer(self._settings, auto_offset_reset="none")
        # Its own connections: a broker answers one after the other, and a fetch waits for 500 ms.
        asking = kafka.consumer(self._settings)
        async with kafka.started(consumer) as client, kafka.started(asking) as self._asking:
            starts = await self._starts(client)
            ends = await client.end_offsets(list(starts))
            client.assign(list(starts))
            for part, offset in starts.items():
                client.seek(part, offset)
            await self._read_up(client, ends)
            await self._has_applied(client, client.assignment())
            self.is_present.set()
            while True:
                batches = await client.getmany(timeout_ms=POLL_MS)
                await self._take(batches)
                await self._has_applied(client, batches)
                await asyncio.sleep(0)
                if any(task.done() for task in kafka.vital_tasks(client)):
                    raise FeedEndedError("the consumer of the topics has ended; begin again")

    async def caught_up(self) -> None:
        """Returns when what was confirmed in [targets] and [policy] before the call is applied.

        Raises:
            KafkaError, OSError: Kafka is away.
            TimeoutError: likewise, or the topics are not read up yet.
        """
        async with asyncio.timeout(ANSWER_S):
            await self.is_present.wait()
            if self._asking is None:
                raise FeedEndedError("the topics are not read")
            names = {self._settings.topic(one.name) for one in (topics.TARGETS, topics.POLICY)}
            parts = [part for part in self._applied_to if part.topic in names]
            ends = await self._asking.end_offsets(parts)
            if all(self._applied_to.get(part, 0) >= end for part, end in ends.items()):
                return
            reached = asyncio.get_running_loop().create_future()
            self._reaching.append((ends, reached))
            await reached

    async def _has_applied(self, client: AIOKafkaConsumer, parts: Iterable[TopicPartition]) -> None:
        """What was read of these partitions is applied, and nothing is read and not applied."""
        waited_for = {part for ends, _ in self._reaching for part in ends}
        for part in {*parts, *waited_for}:
            self._applied_to[part] = await client.position(part)
        for ends, reached in self._reaching:
            if not reached.done() and all(self._applied_to[part] >= ends[part] for part in ends):
                reached.set_result(None)
        self._reaching = [one for one in self._reaching if not one[1].done()]

    async def _read_up(self, client: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        left = set(ends)
        heard = self._now()
        while left:
            batches = await client.getmany(timeout_ms=POLL_MS)
            await self._take(batches)
            left = {part for part in left if await client.position(part) < ends[part]}
            if batches:
                heard = self._now()
            elif self._now() - heard > STALLED_S * 1000:
                raise TimeoutError(
                    f"expected the records of {min(left)} up to offset {ends[min(left)]}, got none "
                    f"for {STALLED_S:.0f} s; `portquorum health` says whether Kafka works"
                )

    async def _starts(self, client: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Where to begin: compacted topics at their beginning, [incidents] a day ago."""
        prefix = self._settings.topic
        compacted = [
            TopicPartition(prefix(topic.name), number)
            for topic in (topics.TARGETS, topics.POLICY, topics.INCIDENTS_OPEN)
            for number in range(topic.partition_count(self._settings.partitions))
        ]
        since = self._now() - DAY_MS - SKEW_MS
        fleet = range(self._settings.partitions)
        events = [TopicPartition(prefix(topics.INCIDENTS.name), number) for number in fleet]
        log = [TopicPartition(prefix(topics.RESULTS.name), number) for number in fleet]
        starts = dict(await client.beginning_offsets(compacted))
        starts |= await _since(client, events, since)
        recent = await _since(client, log, self._now() - _BEATS_MS)
        ends = await client.end_offsets(log)
        self.log_partition = min(log, key=lambda part: (ends[part] - recent[part], part.partition))
        starts[self.log_partition] = recent[self.log_partition]
        return starts

    async def _take(self, batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """Applies records in steps: an apply of a whole inventory comes at once, too."""
        for records in batches.values():
            for begin in range(0, len(records), STEP):
                self._apply(records[begin : begin + STEP])
                await asyncio.sleep(0)

    def _apply(self, records: Sequence[ConsumerRecord]) -> None:
        if records and records[0].topic == self.log_partition.topic:
            self._log_records(records)
            return
        for record in records:
            self._takers[record.topic](record)

    def _target(self, record: ConsumerRecord) -> None:
        if record.key is None:
            return
        key, partition, offset = bytes(record.key), record.partition, record.offset
        changed = self._fleet.apply_target(key, record.value, partition, offset)
        self._applied("targets", record)
        if changed:
            self._changed("target", key.decode())

    def _policy(self, record: ConsumerRecord) -> None:
        if record.key is None:
            return
        key = bytes(record.key)
        changed = self._fleet.apply_policy(key, record.value, record.offset)
        self._applied("policy", record)
        if changed:
            self._changed("policy", key.decode(errors="replace"))

    def _open(self, record: ConsumerRecord) -> None:
        """What [incidents] has said already is no news here; the stream's repairs are."""
        if record.key is None:
            return
        key = bytes(record.key)
        if self._fleet.apply_open(key, record.value):
            self._changed("incident", key.decode())

    def _event(self, record: ConsumerRecord) -> None:
        event = self._fleet.apply_event(record.partition, record.offset, record.value)
        self._applied("incidents", record)
        if event is None:
            return
        match event:
            case IncidentEvent():
                self._changed("incident", event.incident_id)
            case RegionEvent():
                self._changed("region", event.region)
            case _:
                self._changed("unwatched", event.cause_id)

    def apply_beats(self) -> None:
        """The beats of now, into the fleet."""
        clock = self.beats.clock
        self._beats_at = clock.newest or 0
        if clock.newest is not None and self._fleet.apply_beats(
            self.beats.by_region(), clock.newest
        ):
            self._changed("region", "")

    def _log_records(self, records: Sequence[ConsumerRecord]) -> None:
        live_at = self._now() if self.is_present.is_set() else None
        has_beats = self.beats.take(records, live_at)
        newest = self.beats.clock.newest or 0
        # Where nobody beats any more, the stream's ticks tell that time passes.
        if live_at is not None and (has_beats or newest - self._beats_at >= BEAT_MS):
            self.apply_beats()

    def _changed(self, kind: ChangeKind, subject: str) -> None:
        """Tells viewers, but not of what was there at the beginning: every page has it."""
        if self.is_present.is_set():
            self._announcer.changed(kind, subject)

    def _applied(self, source: Source, record: ConsumerRecord) -> None:
        if self.is_present.is_set():
            self._announcer.applied(source, record.partition, record.offset)


async def _since(
    client: AIOKafkaConsumer, parts: Sequence[TopicPartition], at: int
) -> dict[TopicPartition, int]:
    """The offset of the first record of `at` or later; the end where there is none."""
    found = await client.offsets_for_times(dict.fromkeys(parts, max(at, 0)))
    ends = await client.end_offsets(list(parts))
    return {
        part: ends[part] if (place := found.get(part)) is None else place.offset for part in parts
    }
