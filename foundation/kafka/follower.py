"""Follows a compacted topic: its present content, then each change."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.protocol.metadata import MetadataRequest

from foundation.kafka.clients import LATER_MS, SOON_MS, admin, consumer, set_fetch_wait
from foundation.kafka.closing import CLOSE_S, leave
from foundation.settings import Settings


class Follower:
    """Reads every partition of `topic` from its beginning, without a consumer group.

    Use as an async context manager; entering raises `aiokafka.errors.KafkaError` when the cluster
    can't be reached or the topic may not be seen, `LookupError` when it does not exist. Records
    arrive in offset order within a partition; a null value means that the key was removed. Nothing
    is committed. Values are raw bytes: the caller decodes them, and skips and counts undecodable
    ones.
    """

    def __init__(self, settings: Settings, topic: str) -> None:
        """`topic` is the full name of the topic."""
        self._settings = settings
        self._topic = topic
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        # A consumer asks for a missing topic until its request times out, 40 s.
        if not await _is_there(self._settings, self._topic):
            raise LookupError(f"topic {self._topic} does not exist")
        # Without a group, a subscription is every partition, assigned when `start` returns.
        client = consumer(self._settings, self._topic, fetch_max_wait_ms=SOON_MS)
        try:
            await client.start()
            await client.seek_to_beginning()
        except BaseException:
            await leave(client, CLOSE_S)
            raise
        self._consumer = client
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._consumer is not None:
            await leave(self._consumer, CLOSE_S)

    @property
    def _client(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("enter the follower first: `async with Follower(…)`")
        return self._consumer

    async def present(self, *, stalled_s: float | None = None) -> AsyncIterator[ConsumerRecord]:
        """All records up to the end of the topic at the time of the call, then returns.

        Args:
            stalled_s: the longest wait for further records, in s; None: without end.

        Raises:
            TimeoutError: nothing came for `stalled_s`, and the end was not reached.
        """
        client = self._client
        async with asyncio.timeout(stalled_s):
            ends = await client.end_offsets(client.assignment())
        batches: Mapping[TopicPartition, Sequence[ConsumerRecord]] = {}
        while True:
            async with asyncio.timeout(stalled_s):
                while not batches:
                    behind = [
                        part for part, end in ends.items() if await client.position(part) < end
                    ]
                    if not behind:
                        return
                    batches = await client.getmany(*behind, timeout_ms=500)
            for records in batches.values():
                for record in records:
                    yield record
            batches = {}

    async def changes(self) -> AsyncIterator[ConsumerRecord]:
        """Each later record, without end; cancel the task to stop."""
        client = self._client
        set_fetch_wait(client, LATER_MS)
        while True:
            batches = await client.getmany(timeout_ms=1000)
            for records in batches.values():
                for record in records:
                    yield record
            await asyncio.sleep(0)


async def _is_there(settings: Settings, topic: str) -> bool:
    client = admin(settings)
    await client.start()
    try:
        # `describe_topics` of aiokafka (0.14) would make the broker create what it asks for.
        request = MetadataRequest([topic], allow_auto_topic_creation=False)
        answer = await client._send_request(request)  # noqa: SLF001 - see above
    finally:
        await client.close()
    (found,) = answer.to_object()["topics"]
    if found["error_code"] == TopicAuthorizationFailedError.errno:
        raise TopicAuthorizationFailedError(topic)
    return bool(found["partitions"])
