"""This prober's share of its region's targets: a member of the region's consumer group."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from portquorum import kafka
from portquorum.settings import Settings
from portquorum.telemetry import logger
from producers import metrics
from producers.clock import Clock
from producers.runner import Runner
from schemas import topics
from schemas.recheck import RecheckRequest
from schemas.target import Target

AGAIN_S: Final = 1.0
STOP_S: Final = 2.0

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_target = msgspec.json.Decoder(Target)
_request = msgspec.json.Decoder(RecheckRequest)


def group_of(settings: Settings, region: str) -> str:
    """The consumer group of a region's probers."""
    return settings.group(f"probe-{region}")


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Feeds the roster from [targets] and the rechecks from [rechecks].

    The range assignor gives both topics' partition p to the same member. A partition that is
    taken away is checked on until the group has said who has it now: while the broker is away
    nobody else could take it, and a target checked twice does no harm, one not checked does.
    """

    def __init__(self, settings: Settings, runner: Runner, clock: Clock, *, region: str) -> None:
        self._settings = settings
        self._runner = runner
        self._clock = clock
        self._group = group_of(settings, region)
        self._targets = topics.TARGETS.full_name(settings.topic_prefix)
        self._rechecks = topics.RECHECKS.full_name(settings.topic_prefix)
        self._consumer: AIOKafkaConsumer | None = None

    async def run(self) -> None:
        """Is a member until cancelled, then leaves the group, so that others take over at once."""
        while True:
            consumer = kafka.consumer(
                self._settings,
                group_id=self._group,
                partition_assignment_strategy=(RangePartitionAssignor,),
            )
            self._consumer = consumer
            try:
                consumer.subscribe((self._targets, self._rechecks), listener=self)
                await consumer.start()
                while True:
                    self._take(await consumer.getmany(timeout_ms=1000))
            except (KafkaError, OSError) as error:
                logger(__name__).warning("lost touch with the group", error=repr(error))
            finally:
                await self._leave(consumer)
            await asyncio.sleep(AGAIN_S)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Keeps the targets until the next assignment; see the class."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Drops the targets of partitions that others have now, reads those that are ours."""
        ours = [part for part in assigned if part.topic == self._targets]
        asked = [part for part in assigned if part.topic == self._rechecks]
        self._runner.roster.keep_partitions(part.partition for part in ours)
        self._runner.changed()
        logger(__name__).info("partitions assigned", partitions=sorted(p.partition for p in ours))
        if self._consumer is None:
            return
        try:
            if ours:
                await self._consumer.seek_to_beginning(*ours)
            if asked:
                await self._consumer.seek_to_end(*asked)
        except IllegalStateError:
            return  # assigned anew meanwhile; this is called again

    def _take(self, batches: dict[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        defined: list[tuple[int, Target]] = []
        requests: list[RecheckRequest] = []
        for part, records in batches.items():
            for record in records:
                if part.topic == self._rechecks:
                    self._take_request(record, requests)
                else:
                    self._take_target(record, defined)
        if defined:
            self._runner.roster.set_targets(defined, self._clock.now_ms())
        for request in requests:
            self._recheck(request)
        if batches:
            self._runner.changed()

    def _take_target(self, record: ConsumerRecord, defined: list[tuple[int, Target]]) -> None:
        if record.value is None:
            # What was defined before the removal must be there to be removed.
            if defined:
                self._runner.roster.set_targets(defined, self._clock.now_ms())
                defined.clear()
            key = (record.key or b"").decode(errors="replace")
            self._runner.roster.remove(key, record.partition)
            return
        try:
            defined.append((record.partition, _target.decode(record.value)))
        except _UNREADABLE as error:
            self._skip(record, error)

    def _take_request(self, record: ConsumerRecord, requests: list[RecheckRequest]) -> None:
        try:
            requests.append(_request.decode(record.value or b""))
        except _UNREADABLE as error:
            self._skip(record, error)

    def _recheck(self, request: RecheckRequest) -> None:
        now_ms = self._clock.now_ms()
        if now_ms > request.expires_at:
            metrics.RECHECKS.labels("expired").inc()
            return
        asked = self._runner.roster.recheck(request.host, now_ms)
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
        try:
            await asyncio.wait_for(consumer.stop(), STOP_S)
        except (TimeoutError, KafkaError, OSError) as error:
            logger(__name__).warning("did not leave the group cleanly", error=repr(error))
