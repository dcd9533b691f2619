"""Reads [incidents] and delivers every event through its channels."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

import msgspec
from aiokafka import (
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    ConsumerRecord,
    TopicPartition,
)
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from foundation import kafka, telemetry
from foundation.lifecycle import ends_within
from foundation.settings import Settings
from schemas import incident, topics
from sinks.notifier import metrics
from sinks.notifier.delivery_queues import RETRY_DELAYS_S, DeliveryQueues, Message
from sinks.notifier.grouping import Groups, ReceivedEvent, runs
from sinks.notifier.offset_tracker import OffsetTracker
from sinks.notifier.outbox import Outbox
from sinks.notifier.policy_follower import PolicyFollower
from sinks.notifier.routing import Channel, told
from sinks.notifier.start_offsets import places

MOST_IN_HAND: Final = 10_000
"""Most events in hand (undelivered, for example because a channel fails) before reading stops."""

POLL_MS: Final = 200
COMMIT_EVERY_S: Final = 1.0
REBALANCE_TIMEOUT_MS: Final = 30_000
REVOKE_WITHIN_S: Final = 20.0
"""Longest wait for sends at a revocation, in s, below the timeout of a rebalance. The group waits
for us while partitions move, so that a slow channel's send is recorded before another notifier
reads the send log. The heartbeat goes on, so a dead member is detected no later."""
LAST_TURN_WITHIN_S: Final = 1.0
STOP_WITHIN_S: Final = 5.0
CLOSE_WITHIN_S: Final = 1.0
"""Longest wait for each step of the close, in s: together below the 10 s in which a role ends, even
if the broker does not answer."""

_SETTLE_S: Final = 0.1
"""The time for cancelled tasks to end."""

_log = telemetry.logger(__name__)


class Notifier(ConsumerRebalanceListener):  # type: ignore[misc]
    """One notifier of the group; several share the partitions of [incidents]."""

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        retry_delays_s: Sequence[float] = RETRY_DELAYS_S,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._retry_delays_s = retry_delays_s
        self._topic = settings.topic(topics.INCIDENTS.name)
        self._policy = PolicyFollower(settings)
        # aiokafka reads on while `on_partitions_assigned` runs, from here where the group has no
        # place: from the end, so that no history is told whatever becomes of the callback.
        self._consumer: AIOKafkaConsumer = kafka.consumer(
            settings,
            group_id=settings.group("notify"),
            auto_offset_reset="latest",
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
        )
        self._broken: Exception | None = None
        self._commit_at = 0.0
        self._assignment = 0
        self._begin()

    def _begin(self) -> None:
        """Drops everything of the earlier partitions."""
        self._assignment += 1
        self._placed = False
        self._log_is_current = False
        handled = self._handled = OffsetTracker()
        self._groups = Groups(self._settings.group_wait_s)
        self._lanes = DeliveryQueues(
            self._outbox,
            lambda taken: handled.done(taken.partition, taken.offset),
            self._retry_delays_s,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set; then ends running sends and commits, within 9 s.

        If this raises, the outbox still records the sends under way.

        Raises:
            aiokafka.errors.KafkaError: the cluster went away in a way that needs a new start.
            Exception: the routes can't be followed, or another fault of ours.
        """
        following = asyncio.create_task(self._policy.run())
        working = asyncio.create_task(self._work(stop))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, following, stopped}, return_when=asyncio.FIRST_COMPLETED)
            # A turn ends soon, unless it waits for a broker that is away.
            await ends_within(LAST_TURN_WITHIN_S, working, settle_s=_SETTLE_S)
            await self._lanes.stop(STOP_WITHIN_S)
        finally:
            if stop.is_set():
                self._lanes.cancel()
            for task in (working, following, stopped):
                task.cancel()
            await self._close()
        for task in (following, working):
            if task.done() and not task.cancelled():
                task.result()

    async def _work(self, stop: asyncio.Event) -> None:
        await self._policy.present()
        self._consumer.subscribe([self._topic], listener=self)
        await self._consumer.start()
        while not stop.is_set():
            await self._turn()

    async def _close(self) -> None:
        """Commits and leaves the group, each as far as the cluster answers in time."""
        await ends_within(CLOSE_WITHIN_S, self._commit(), settle_s=_SETTLE_S)
        await kafka.leave(self._consumer, CLOSE_WITHIN_S)

    async def _turn(self) -> None:
        batches = await self._consumer.getmany(timeout_ms=self._poll_ms(), max_records=1000)
        if self._broken is not None:
            raise self._broken
        if any(task.done() for task in kafka.vital_tasks(self._consumer)):
            raise KafkaError("the consumer has ended: nothing more would be read")
        if not self._placed:
            return  # read from anywhere; `on_partitions_assigned` is yet to say from where
        if not self._log_is_current and self._consumer.assignment():
            assignment = self._assignment
            await self._outbox.log.load()
            if assignment != self._assignment:
                return  # what was read belongs to partitions that moved meanwhile
            self._log_is_current = True
        for partition, records in batches.items():
            for record in records:
                self._take(partition, record)
        for group_key, group in self._groups.closed(time.monotonic()):
            self._send(group_key, group)
        in_hand = self._handled.in_hand
        metrics.IN_HAND.set(in_hand)
        self._hold_back(in_hand >= MOST_IN_HAND)
        if time.monotonic() >= self._commit_at:
            await self._commit()

    def _poll_ms(self) -> int:
        end = self._groups.next_end()
        if end is None:
            return POLL_MS
        return max(1, min(POLL_MS, round((end - time.monotonic()) * 1000)))

    def _hold_back(self, full: bool) -> None:
        paused = self._consumer.paused()
        if full and not paused:
            self._consumer.pause(*self._consumer.assignment())
        elif paused and not full:
            self._consumer.resume(*paused)

    def _take(self, partition: TopicPartition, record: ConsumerRecord) -> None:
        try:
            event = incident.decode(record.value or b"")
        except msgspec.DecodeError:
            # The sink dead-letters it.
            metrics.UNREADABLE.inc()
            self._handled.passed(partition, record.offset)
            return
        if not told(event):
            self._handled.passed(partition, record.offset)
            return
        self._handled.taken(partition, record.offset)
        self._groups.add(ReceivedEvent(event, partition, record.offset), time.monotonic())

    def _send(self, group_key: str, group: list[ReceivedEvent]) -> None:
        by_channel: dict[Channel, list[ReceivedEvent]] = {}
        for taken in group:
            channels = self._policy.routes.channels(taken.event)
            if not channels:
                _log.info("no route takes this event", about=incident.subject(taken.event))
            for channel in channels:
                by_channel.setdefault(channel, []).append(taken)
                self._handled.more(taken.partition, taken.offset)
        for channel, events in by_channel.items():
            for run in runs(events):
                self._lanes.put(group_key, Message(channel, tuple(run)))
        for taken in group:
            self._handled.done(taken.partition, taken.offset)

    async def _commit(self) -> None:
        self._commit_at = time.monotonic() + COMMIT_EVERY_S
        handled, offsets = self._handled, self._handled.to_commit()
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            return  # the partitions moved; their next owner reads what we have not committed
        handled.committed(offsets)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Records the sends under way, commits, and drops the partitions."""
        try:
            if any(True for _ in revoked):
                await self._lanes.stop(REVOKE_WITHIN_S)
                with suppress(KafkaError):
                    await self._commit()
        finally:
            self._begin()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Starts the partitions at their committed offsets, or one hour back."""
        try:
            found = await places(self._consumer, list(assigned))
        except Exception as error:  # noqa: BLE001 - the poll loop raises it
            self._broken = error  # aiokafka would log it and read on from the end
            return
        # Nothing is awaited from here on: what is read next is read from these places.
        for partition, offset in found.items():
            self._consumer.seek(partition, offset)
            self._handled.begins(partition, offset)
        self._placed = True
