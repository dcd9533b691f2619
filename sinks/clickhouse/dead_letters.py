"""Writes dead letters to [deadletter]; the sink's reader of that topic stores them as rows."""

from collections.abc import Sequence
from typing import Final

import msgspec

from foundation.kafka.reconnecting_producer import KeyedMessage, ReconnectingProducer
from foundation.settings import Settings
from schemas.deadletter import DeadLetter
from schemas.topics import DEADLETTER
from sinks.clickhouse import metrics

_START_S: Final = 10.0
_GOODBYE_S: Final = 1.0


class DeadLetters:
    """The producer of dead letters, started with the first one, made anew after each failure."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = DEADLETTER.full_name(settings.topic_prefix)
        # A broker that is there and does not answer would be waited for without end.
        self._producer = ReconnectingProducer(settings, start_s=_START_S)

    async def close(self) -> None:
        """Ends the producer within seconds; whoever still sends gets an error."""
        await self._producer.close(_GOODBYE_S)

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """Sends letters; on return the broker has confirmed all of them.

        Raises:
            aiokafka.errors.KafkaError, TimeoutError, OSError: one was not confirmed; send all
                again.
        """
        if not letters:
            return
        await self._producer.write(
            self._topic,
            [KeyedMessage(found.id.encode(), msgspec.json.encode(found)) for found in letters],
        )
        for found in letters:
            name = found.topic.removeprefix(f"{self._settings.topic_prefix}.")
            metrics.DEAD_LETTERS.labels(name).inc()
