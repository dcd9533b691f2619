"""Reads [incidents] without a consumer group: its past by time, then each new message."""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from foundation.kafka import CLOSE_S, admin, consumer, leave
from foundation.settings import Settings
from portquorum.events.message import EventMessage, UnreadableMessage, read

Message = EventMessage | UnreadableMessage

_SKEW_MS: Final = 600_000
"""A record may have been stamped by a clock that is wrong by as much as this, in ms."""

_AHEAD: Final = 200
"""Messages of a partition that are held ready, so that no partition waits for another."""

_STALLED_S: Final = 60.0
_POLL_MS: Final = 500
_ASK_EVERY_S: Final = 5.0


class EventLogStalledError(RuntimeError):
    """The topic has messages, and does not deliver them."""


class TopicMissingError(LookupError):
    """The cluster has no such topic, or this user may not see it; the text is its name."""


class EventLog:
    """All partitions of a topic of events, as an async context manager.

    Entering raises `TopicMissingError` if there is no such topic that this user may see, and
    `aiokafka.errors.KafkaError` if the cluster can't be reached. Nothing is committed and no
    consumer group exists, so the cluster keeps nothing of the reader.
    """

    def __init__(self, settings: Settings, topic: str) -> None:
        """`topic` is the full name of the topic."""
        self._settings = settings
        self._topic = topic
        self._client: AIOKafkaConsumer = consumer(settings, topic)

    async def __aenter__(self) -> Self:
        # A consumer asks for a missing topic until its request times out, 40 s.
        client = admin(self._settings)
        await client.start()
        try:
            known = set(await client.list_topics())
        finally:
            await client.close()
        if self._topic not in known:
            raise TopicMissingError(self._topic)
        try:
            await self._client.start()
        except BaseException:
            await leave(self._client, CLOSE_S)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await leave(self._client, CLOSE_S)

    async def ends(self) -> dict[TopicPartition, int]:
        """The offset after the last message, by partition."""
        return dict(await self._client.end_offsets(self._client.assignment()))

    async def starts(
        self, *, since: int = 0, newest: int | None = None
    ) -> dict[TopicPartition, int]:
        """Where to begin, by partition.

        Args:
            since: UTC ms; no event of this time or later lies before the offsets.
            newest: no message lies before them that is one of as many newest of its partition.
        """
        parts = self._client.assignment()
        begins = dict(await self._client.beginning_offsets(parts))
        if not since and newest is None:
            return begins
        ends = await self.ends()
        found: Mapping[TopicPartition, Any] = {}
        if since > _SKEW_MS:
            found = await self._client.offsets_for_times(dict.fromkeys(parts, since - _SKEW_MS))
        for part in parts:
            if part in found:
                place = found[part]
                begins[part] = ends[part] if place is None else place.offset
            if newest is not None:
                begins[part] = max(begins[part], ends[part] - newest)
        return begins

    async def past(
        self,
        starts: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        on_read: Callable[[int], None] = lambda _: None,
    ) -> AsyncIterator[Message]:
        """The messages from `starts` (inclusive) to `ends` (exclusive).

        They come by the time of their events; those of one partition always in its order. What is
        held in memory does not grow with their number. Afterwards `changes` goes on at `ends`.

        Args:
            starts: by partition.
            ends: by partition.
            on_read: is called with the number of messages that came from the broker.

        Raises:
            EventLogStalledError: nothing came for a minute.
        """
        held: dict[TopicPartition, deque[Message]] = {part: deque() for part in starts}
        for part, start in starts.items():
            self._client.seek(part, start)
        reading = {part for part, start in starts.items() if start < ends[part]}
        heap: list[tuple[int, TopicPartition]] = []

        async def fill(part: TopicPartition) -> None:
            if not held[part]:
                await self._fill(part, held, reading, ends, on_read)
            if held[part]:
                heapq.heappush(heap, (held[part][0].at, part))

        for part in starts:
            await fill(part)
        while heap:
            _, part = heapq.heappop(heap)
            yield held[part].popleft()
            await fill(part)
        for part, end in ends.items():
            self._client.seek(part, end)

    async def _fill(
        self,
        wanted: TopicPartition,
        held: Mapping[TopicPartition, deque[Message]],
        reading: set[TopicPartition],
        ends: Mapping[TopicPartition, int],
        on_read: Callable[[int], None],
    ) -> None:
        """Reads until there is a message of a partition, or its end is reached."""
        clock = asyncio.get_running_loop().time
        last_word = clock()
        while wanted in reading and not held[wanted]:
            short = [part for part in reading if len(held[part]) < _AHEAD]
            batches = await self._client.getmany(*short, timeout_ms=_POLL_MS)
            for part, records in batches.items():
                last_word = clock()
                on_read(len(records))
                held[part].extend(read(one) for one in records if one.offset < ends[part])
            for part in short:
                if await self._client.position(part) >= ends[part]:
                    reading.discard(part)
            if clock() - last_word > _STALLED_S:
                raise EventLogStalledError(
                    f"topic {wanted.topic} partition {wanted.partition}: expected messages up to "
                    f"offset {ends[wanted]}, got none for {_STALLED_S:.0f} s; `portquorum health` "
                    "says whether Kafka works"
                )

    async def changes(self) -> AsyncIterator[list[Message]]:
        """Each later message, without end, in groups as they arrive; cancel the task to stop."""
        while True:
            batches = await self._client.getmany(timeout_ms=_POLL_MS)
            parts = [[read(one) for one in records] for records in batches.values()]
            yield list(heapq.merge(*parts, key=lambda one: one.at))

    async def watch(self, tell: Callable[[str], None]) -> None:
        """Tells when Kafka stops to answer and when it answers again, without end."""
        away = False
        while True:
            await asyncio.sleep(_ASK_EVERY_S)
            try:
                async with asyncio.timeout(_ASK_EVERY_S):
                    await self.ends()
            except (KafkaError, TimeoutError):
                if not away:
                    tell("Kafka does not answer; new events are shown when it does")
                away = True
                continue
            if away:
                tell("Kafka answers again")
            away = False
