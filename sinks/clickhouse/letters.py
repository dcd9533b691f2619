"""Writes dead letters to [deadletter]; the sink that reads that topic makes rows of them."""

import asyncio
from collections.abc import Sequence

import msgspec
from aiokafka import AIOKafkaProducer

from portquorum.kafka import producer
from portquorum.settings import Settings
from schemas.deadletter import DeadLetter
from schemas.topics import DEADLETTER
from sinks.clickhouse import metrics

_AT_ONCE = 1000


class Letters:
    """The producer of dead letters, started with the first one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = DEADLETTER.full_name(settings.topic_prefix)
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Ends the producer; nothing waits in it."""
        client, self._producer = self._producer, None
        if client is not None:
            await client.stop()

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """On return the broker has confirmed all of them.

        Raises:
            aiokafka.errors.KafkaError: one was not confirmed; send all again.
        """
        if not letters:
            return
        client = await self._started()
        for start in range(0, len(letters), _AT_ONCE):
            futures = [
                await client.send(
                    self._topic, key=found.id.encode(), value=msgspec.json.encode(found)
                )
                for found in letters[start : start + _AT_ONCE]
            ]
            await asyncio.gather(*futures)
        for found in letters:
            name = found.topic.removeprefix(f"{self._settings.topic_prefix}.")
            metrics.DEAD_LETTERS.labels(name).inc()

    async def _started(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                client = producer(self._settings)
                await client.start()
                self._producer = client
            return self._producer
