"""Commits offsets to Kafka, with the pending range in the metadata."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from msgspec import Struct

from foundation.awake_clock import awake_clock
from foundation.kafka import admin, commits, consumer, leave
from foundation.settings import Settings
from sinks.clickhouse.errors import DoubtError
from sinks.clickhouse.pending_block import Pending, from_metadata
from sinks.clickhouse.suspend_detector import STALL_S, SuspendDetector

COMMIT_TIMEOUT_S: Final = 2.0
READ_TIMEOUT_S: Final = 10.0
_CLOSE_S: Final = 1.0


class Committed(Struct, frozen=True):
    """A partition's commit: the next offset to read (None: no commit), and the pending range.

    `stalls` is the suspend detector's count before the read.
    """

    offset: int | None
    pending: Pending | None
    stalls: int


class Offsets:
    """Reads and writes the commits of one consumer group, as its `member`."""

    def __init__(
        self,
        settings: Settings,
        member: AIOKafkaConsumer,
        group: str,
        watch: SuspendDetector,
        *,
        topics: Iterable[str],
    ) -> None:
        """`topics`: full names of those that the member reads."""
        self._settings = settings
        self._member = member
        self._group = group
        self._watch = watch
        self._topics = tuple(topics)
        self._admin: AIOKafkaAdminClient | None = None
        self._asker: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Closes the connections for reads."""
        client, self._admin = self._admin, None
        asker, self._asker = self._asker, None
        if client is not None:
            with contextlib.suppress(KafkaError, OSError):
                async with asyncio.timeout(_CLOSE_S):
                    await client.close()
        if asker is not None:
            await leave(asker, _CLOSE_S)

    async def read(self, partition: TopicPartition) -> Committed:
        """The present commit.

        An admin client reads it: `consumer.committed()` returns the number without the metadata.

        Raises:
            aiokafka.errors.KafkaError, TimeoutError: the cluster can't be asked.
            sinks.clickhouse.pending_block.PendingError: the metadata is somebody else's.
        """
        stalls = self._watch.count()
        async with self._question():
            found = await commits(await self._client(), self._group, [partition])
        commit = found.get(partition)
        if commit is None:
            return Committed(None, None, stalls)
        return Committed(commit.offset, from_metadata(commit.metadata), stalls)

    async def bounds(self, partition: TopicPartition) -> tuple[int, int]:
        """The partition's first offset and the offset after its last.

        Raises:
            aiokafka.errors.KafkaError, TimeoutError: the cluster can't be asked.
        """
        async with self._question():
            client = await self._asking()
            begin = await client.beginning_offsets([partition])
            end = await client.end_offsets([partition])
        return begin[partition], end[partition]

    async def ends(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset after the last of each partition.

        Raises:
            aiokafka.errors.KafkaError, TimeoutError: the cluster can't be asked.
        """
        if not partitions:
            return {}
        async with self._question():
            return dict(await (await self._asking()).end_offsets(partitions))

    async def time_at(self, partition: TopicPartition, offset: int) -> int | None:
        """The time (UTC ms) of the message at `offset`; None if the log has none there.

        `offset` must be within the partition's bounds.

        Raises:
            aiokafka.errors.KafkaError, TimeoutError: the cluster can't be asked.
        """
        async with self._question():
            client = await self._asking()
            client.seek(partition, offset)
            client.resume(partition)
            try:
                record = await client.getone(partition)
            finally:
                client.pause(partition)
        return int(record.timestamp) if record.offset == offset else None

    async def commit(
        self, partition: TopicPartition, offset: int, metadata: str, stalls: int
    ) -> float:
        """Commits; returns the time (`awake_clock()`) before which a dependent insert must begin.

        Raises:
            DoubtError: not committed, or unknown; the partition may belong to another member.
        """
        began = awake_clock()
        self._check(stalls)
        try:
            # aiokafka tries again without end, and with a later membership than the one in which
            # the block was read: that must not happen, so the time is short.
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await self._member.commit({partition: (offset, metadata)})
        except (CommitFailedError, IllegalStateError, TimeoutError) as error:
            raise DoubtError(f"{partition.topic}/{partition.partition}: {error!r}") from error
        return began + STALL_S

    def _check(self, stalls: int) -> None:
        if self._watch.count() != stalls:
            raise DoubtError("this process stood still since the offsets were read")
        # A member that was thrown out commits as nobody (generation -1), and a broker takes that
        # for a group that has no members left.
        coordinator = self._member._coordinator  # noqa: SLF001 - aiokafka tells it nowhere else
        if coordinator.generation < 0:
            raise DoubtError("this consumer is not a member of its group now")

    @contextlib.asynccontextmanager
    async def _question(self) -> AsyncIterator[None]:
        """Runs one request at a time, within `READ_TIMEOUT_S`."""
        async with self._lock:
            try:
                async with asyncio.timeout(READ_TIMEOUT_S):
                    yield
            except BaseException:
                # The coordinator may have moved or the connection be dead: ask with a new one.
                await self.close()
                raise

    async def _client(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            self._admin = admin(self._settings)
            await self._admin.start()
        return self._admin

    async def _asking(self) -> AIOKafkaConsumer:
        """A consumer without a group that fetches no messages.

        On the sink's own connections a request waits behind a fetch that waits for data: 0.5 s.
        """
        if self._asker is None:
            self._asker = consumer(self._settings, *self._topics, auto_offset_reset="latest")
            await self._asker.start()
            self._asker.pause(*self._asker.assignment())
        return self._asker
