"""The member of the region's consumer group: gets this prober's share of the targets."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from foundation import kafka
from foundation.settings import Settings
from foundation.telemetry import logger
from foundation.upgrade_order import client_id
from producers import metrics
from producers.broker_clock import Clock
from producers.prober.check_loop import CheckLoop
from producers.schedule.pauses import Pauses
from producers.schedule.target_definitions import Definitions
from schemas import recheck, topics
from schemas import target as target_schema
from schemas.recheck import RecheckRequest
from schemas.target import Target

AGAIN_S: Final = 1.0
STOP_S: Final = 2.0

LOOK_S: Final = 0.25
"""Time between two looks for pauses that are over."""

_Batches = Mapping[TopicPartition, Sequence[ConsumerRecord]]


def group_of(settings: Settings, region: str) -> str:
    """The consumer group of a region's probers."""
    return settings.group(f"probe-{region}")


class _Reading:
    """A partition of [targets] during the read from its beginning.

    Compaction keeps older records for a while. Applied one by one they would undo and redo known
    definitions, and end a retry series or begin a check: only the content at the end of the
    partition counts. `end` is its end offset at the start of the read.
    """

    __slots__ = ("end", "sought", "targets")

    def __init__(self) -> None:
        self.sought = False
        self.end: int | None = None
        self.targets: dict[str, Target] = {}


class GroupMember(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Feeds the scheduler from [targets] and the rechecks from [rechecks].

    The range assignor gives partition p of both topics to the same member. The targets of a revoked
    partition are checked until the next assignment: while the broker is away no other member can
    take them, and a target without checks is worse than one checked twice. What is paused (by
    `pauses`) or not enabled is not given to the scheduler.
    """

    def __init__(
        self,
        settings: Settings,
        runner: CheckLoop,
        clock: Clock,
        *,
        region: str,
        pauses: Pauses,
    ) -> None:
        self._settings = settings
        self._runner = runner
        self._clock = clock
        self._pauses = pauses
        self._group = group_of(settings, region)
        self._targets = topics.TARGETS.full_name(settings.topic_prefix)
        self._rechecks = topics.RECHECKS.full_name(settings.topic_prefix)
        self._consumer: AIOKafkaConsumer | None = None
        self._definitions = Definitions()
        self._reading: dict[int, _Reading] = {}
        self._failure: Exception | None = None

    async def run(self) -> None:
        """Stays a member until cancelled, then leaves the group, so that others take over."""
        while True:
            consumer = kafka.consumer(
                self._settings,
                client_id=client_id("probe"),
                group_id=self._group,
                partition_assignment_strategy=(RangePartitionAssignor,),
            )
            self._consumer, self._reading, self._failure = consumer, {}, None
            try:
                consumer.subscribe((self._targets, self._rechecks), listener=self)
                await consumer.start()
                while True:
                    self._take(await consumer.getmany(timeout_ms=1000))
                    if self._failure is not None:
                        raise self._failure
                    await self._finish_reading(consumer)
            except (KafkaError, OSError) as error:
                logger(__name__).warning("lost touch with the group", error=repr(error))
            finally:
                await self._leave(consumer)
            await asyncio.sleep(AGAIN_S)

    async def end_pauses(self) -> None:
        """Takes up what was paused when its time has come, until cancelled."""
        while True:
            self.look_again(self._pauses.end_due(self._brokers_now_ms()))
            await asyncio.sleep(LOOK_S)

    def look_again(self, target_ids: Collection[str]) -> None:
        """These targets may have begun or ceased to be paused."""
        if target_ids:
            self._define(target_ids)

    def _brokers_now_ms(self) -> float:
        return self._clock.now_ms() - self._clock.ahead_ms()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Keeps the targets until the next assignment; see the class."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Drops the targets of other members' partitions, reads the assigned ones."""
        try:
            await self._begin_reading(tuple(assigned))
        except IllegalStateError:
            return  # a new assignment came meanwhile; this is called again
        except Exception as error:  # noqa: BLE001  (aiokafka would log it and go on)
            self._failure = error

    async def _begin_reading(self, assigned: Sequence[TopicPartition]) -> None:
        ours = [part for part in assigned if part.topic == self._targets]
        asked = [part for part in assigned if part.topic == self._rechecks]
        reading = {part.partition: _Reading() for part in ours}
        self._reading = reading
        self._define(self._definitions.keep(reading))
        logger(__name__).info("partitions assigned", partitions=sorted(reading))
        if self._consumer is None:
            return
        if ours:
            await self._consumer.seek_to_beginning(*ours)
            for one in reading.values():
                one.sought = True
        if asked:
            await self._consumer.seek_to_end(*asked)

    async def _finish_reading(self, consumer: AIOKafkaConsumer) -> None:
        """Applies the content of the partitions that have been read to their end."""
        changed: dict[str, None] = {}
        for partition, reading in tuple(self._reading.items()):
            part = TopicPartition(self._targets, partition)
            if not reading.sought or part not in consumer.assignment():
                continue
            if reading.end is None:
                reading.end = consumer.highwater(part)
            try:
                read = reading.end is not None and await consumer.position(part) >= reading.end
            except IllegalStateError:
                return  # a new assignment came meanwhile
            if read and self._reading.get(partition) is reading:
                del self._reading[partition]
                changed |= dict.fromkeys(self._definitions.replace(partition, reading.targets))
        self._define(changed)

    def _define(self, changed: Collection[str]) -> None:
        """Gives the scheduler the valid definitions of these ids, of what is to be checked."""
        scheduler, now_ms = self._runner.scheduler, self._brokers_now_ms()
        hold: list[Target] = []
        for target_id in changed:
            target = self._definitions.of(target_id)
            if target is None or not target.enabled or self._pauses.holds(target_id, now_ms):
                scheduler.remove(target_id)
            else:
                hold.append(target)
        scheduler.set_targets(hold, self._clock.now_ms())
        if changed:
            self._runner.changed()

    def _take(self, batches: _Batches) -> None:
        changed: dict[str, None] = {}
        requests: list[RecheckRequest] = []
        for part, records in batches.items():
            for record in records:
                if part.topic == self._rechecks:
                    self._take_request(record, requests)
                else:
                    changed |= dict.fromkeys(self._take_target(record))
        self._define(changed)
        for request in requests:
            self._recheck(request)

    def _take_target(self, record: ConsumerRecord) -> tuple[str, ...]:
        """Applies a definition or a removal; returns the ids whose definition may have changed."""
        reading = self._reading.get(record.partition)
        if record.value is None:
            key = (record.key or b"").decode(errors="replace")
            if reading is None:
                return self._definitions.remove(record.partition, key)
            reading.targets.pop(key, None)
            return ()
        try:
            target = target_schema.decode(record.value)
        except msgspec.DecodeError as error:
            self._skip(record, error)
            return ()
        if reading is None:
            return self._definitions.define(record.partition, target)
        reading.targets[target.id] = target
        return ()

    def _take_request(self, record: ConsumerRecord, requests: list[RecheckRequest]) -> None:
        try:
            requests.append(recheck.decode(record.value or b""))
        except msgspec.DecodeError as error:
            self._skip(record, error)

    def _recheck(self, request: RecheckRequest) -> None:
        now_ms = self._clock.now_ms()
        if now_ms - self._clock.ahead_ms() > request.expires_at:
            metrics.RECHECKS.labels("expired").inc()
            return
        asked = self._runner.scheduler.recheck(
            request.host, now_ms, by=request.target, requested_ms=request.requested_at
        )
        if asked:
            self._runner.changed()
        metrics.RECHECKS.labels("checked" if asked else "nothing_to_do").inc()

    def _skip(self, record: ConsumerRecord, error: Exception) -> None:
        metrics.UNREADABLE.labels(record.topic).inc()
        logger(__name__).warning(
            "skipped a message that can't be read",
            at=f"{record.topic}:{record.partition}:{record.offset}",
            error=str(error),
        )

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = None
        # `stop()` may raise the cancellation of a task of its own: the member would end with it.
        await kafka.leave(consumer, STOP_S)
