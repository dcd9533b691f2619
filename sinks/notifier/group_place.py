"""A notifier's place in the group: its partitions of [incidents], what it reads and commits."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from foundation import kafka
from foundation.lifecycle import cancelled, ends_within
from foundation.settings import Settings
from foundation.upgrade_order import client_id
from schemas import topics
from sinks.notifier.assignor import OneActiveAssignor

POLL_MS: Final = 500
MOST_RECORDS: Final = 400
"""Events of one turn: between two turns the sends that are due begin."""

COMMIT_EVERY_S: Final = 1.0
REBALANCE_TIMEOUT_MS: Final = 10_000
"""A member that does not join again within this time is out; a revocation is over sooner."""

COMMIT_WITHIN_S: Final = 0.5
"""Longest wait for a commit before the partitions go, in s."""

_SETTLE_S: Final = 0.02
_NEVER_IDLE_MS: Final = 2**31 - 1

Batches = dict[TopicPartition, list[ConsumerRecord]]


class GroupPlace(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The member of the group: it has all partitions of [incidents], or none.

    A rebalance takes the partitions for a moment; `assignment` counts each loss and gain.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        revoked: Callable[[], Awaitable[None]],
        assigned: Callable[[], None],
    ) -> None:
        """`revoked` is awaited before the partitions go, `assigned` called when some have come."""
        self._topic = settings.topic(topics.INCIDENTS.name)
        self._revoked, self._came = revoked, assigned
        self.assignor = OneActiveAssignor()
        self.consumer: AIOKafkaConsumer = kafka.consumer(
            settings,
            client_id=client_id("notify"),
            group_id=settings.group("notify"),
            # Where the group has no place: from the end, so that no history is told whatever
            # becomes of `resume_at`.
            auto_offset_reset="latest",
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
            partition_assignment_strategy=(self.assignor,),
            max_poll_interval_ms=_NEVER_IDLE_MS,
        )
        self.partitions: frozenset[TopicPartition] = frozenset()
        self.assignment = 0
        self.joined = False
        """True from an assignment, also an empty one, to the next revocation."""
        self._reading: asyncio.Task[tuple[int, Batches]] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._committed: dict[int, int] = {}
        self._commit_at = 0.0

    async def start(self) -> None:
        """Starts the consumer; it is not in the group yet."""
        await self.consumer.start()

    def join(self) -> None:
        """Begins to join the group."""
        self.consumer.subscribe([self._topic], listener=self)

    def look(self) -> None:
        """Looks whether the consumer lives.

        Raises:
            aiokafka.errors.KafkaError: it has ended.
        """
        if any(task.done() for task in kafka.vital_tasks(self.consumer)):
            raise KafkaError("the consumer has ended: nothing more would be read")

    async def batches(self, awake: asyncio.Event, pause_s: float) -> Batches:
        """What was read since the last assignment, as soon as there is some.

        Nothing after `pause_s`, or when `awake` is set, which is cleared.
        """
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(self.assignment))
        woken = asyncio.create_task(awake.wait())
        try:
            await asyncio.wait(
                {self._reading, woken}, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            woken.cancel()
        awake.clear()
        if not self._reading.done():
            return {}
        reading, self._reading = self._reading, None
        assignment, found = reading.result()
        return found if assignment == self.assignment else {}

    async def read_nothing(self) -> None:
        """Ends a read that is under way: what it finds is not wanted."""
        if self._reading is not None:
            await cancelled(self._reading)
            self._reading = None

    def resume_at(self, offsets: Mapping[int, int]) -> bool:
        """Reads on from these offsets; False if one of a partition is missing."""
        if any(part.partition not in offsets for part in self.partitions):
            return False
        for part in self.partitions:
            self.consumer.seek(part, offsets[part.partition])
        self.consumer.resume(*self.partitions)
        return True

    def commit_soon(self, offsets: Mapping[int, int]) -> None:
        """Commits in the background, once in `COMMIT_EVERY_S` at most."""
        self.look_at_commit()
        if self._committing is None and time.monotonic() >= self._commit_at:
            self._commit_at = time.monotonic() + COMMIT_EVERY_S
            self._committing = asyncio.create_task(self._commit(offsets))

    def look_at_commit(self) -> None:
        """Raises what a commit in the background has raised."""
        if self._committing is not None and self._committing.done():
            self._committing.result()
            self._committing = None

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """Commits now, as far as the cluster answers in time."""
        await ends_within(COMMIT_WITHIN_S, self._commit(offsets), settle_s=_SETTLE_S)

    async def leave(self, within_s: float) -> None:
        """Leaves the group."""
        await kafka.leave(self.consumer, within_s)

    def cancel(self) -> None:
        """Ends what runs in the background."""
        for task in (self._reading, self._committing):
            if task is not None:
                task.cancel()

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        """The partitions go, perhaps for a moment."""
        self.joined = False
        self.partitions = frozenset()
        self.assignment += 1
        await self._revoked()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Notes the partitions; whoever takes over does it later: no heartbeat is sent meanwhile.

        Nothing is read before `resume_at`.
        """
        self.partitions = frozenset(assigned)
        self.consumer.pause(*self.partitions)
        self.assignment += 1
        self.joined = True
        self._came()

    async def _read(self, assignment: int) -> tuple[int, Batches]:
        found = await self.consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
        return assignment, found

    async def _commit(self, offsets: Mapping[int, int]) -> None:
        """Commits what is recorded, for those who look at the group's lag."""
        if offsets == self._committed:
            return
        wanted = dict(offsets)
        with suppress(CommitFailedError, IllegalStateError):  # the partitions moved
            await self.consumer.commit(
                {TopicPartition(self._topic, number): offset for number, offset in wanted.items()}
            )
            self._committed = wanted
