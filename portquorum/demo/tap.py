"""A plain Kafka consumer, as any subscriber would write one: it shows what the roles published."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from aiokafka import ConsumerRecord
from msgspec import Struct

from foundation import kafka
from foundation.kafka.closing import leave
from foundation.settings import Settings
from schemas import batch, incident, notification, recheck, topics
from schemas.incident import IncidentEvent
from schemas.notification import Notification
from schemas.recheck import RecheckRequest
from schemas.result import CheckResult

TAPPED: Final = (topics.RESULTS, topics.RECHECKS, topics.INCIDENTS, topics.NOTIFICATIONS)

Published = CheckResult | RecheckRequest | IncidentEvent | Notification

LEAVE_S: Final = 0.5
"""Longest time for the broker to close the connection, in s; there is no group to leave."""


class Seen(Struct, frozen=True, gc=False):
    """A published record. `at` is Kafka's timestamp of its message, UTC ms."""

    at: int
    what: Published


class Tap:
    """Reads the topics from their beginning; `seen` are the published records, in order."""

    def __init__(self, settings: Settings) -> None:
        """Call `follow`."""
        self._settings = settings
        self._more = asyncio.Condition()
        self.seen: list[Seen] = []

    async def follow(self) -> None:
        """Reads until it is cancelled.

        Raises:
            aiokafka.errors.KafkaError: the cluster can't be reached.
        """
        names = [self._settings.topic(topic.name) for topic in TAPPED]
        # Without a group: every partition, from the beginning; nothing is committed.
        client = kafka.consumer(self._settings, *names, fetch_max_wait_ms=50)
        await client.start()
        try:
            while True:
                batches = await client.getmany(timeout_ms=500)
                news = [seen for records in batches.values() for seen in self._read(records)]
                if news:
                    async with self._more:
                        self.seen += sorted(news, key=lambda seen: seen.at)
                        self._more.notify_all()
        finally:
            await leave(client, LEAVE_S)

    async def since(self, position: int) -> AsyncIterator[Seen]:
        """All records of `seen` from `position` on, and each later one, without end."""
        while True:
            while position < len(self.seen):
                yield self.seen[position]
                position += 1
            async with self._more:
                if position >= len(self.seen):
                    await self._more.wait()

    def _read(self, records: list[ConsumerRecord]) -> list[Seen]:
        return [
            Seen(record.timestamp, what)
            for record in records
            for what in _decode(record.topic.rpartition(".")[2], record.value)
        ]


def _decode(topic: str, value: bytes | None) -> list[Published]:
    if not value:  # a control record, or a removal
        return []
    try:
        match topic:
            case topics.RESULTS.name:
                return list(batch.decode(value)[0])
            case topics.RECHECKS.name:
                return [recheck.decode(value)]
            case topics.NOTIFICATIONS.name:
                return [notification.decode(value)]
            case _:
                event = incident.decode(value)
                return [event] if isinstance(event, IncidentEvent) else []
    except msgspec.DecodeError:
        return []


__all__ = ["Published", "Seen", "Tap"]
