"""Writes to [notifications], with a producer that is replaced after a failure."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka import AIOKafkaProducer

from foundation import kafka, telemetry
from foundation.backoff import Backoff
from foundation.kafka.reconnecting_producer import (
    SEND_ERRORS,
    KeyedMessage,
    ReconnectingProducer,
)
from foundation.settings import Settings

_BACKOFF: Final = Backoff(first_s=0.5, longest_s=5.0)
_log = telemetry.logger(__name__)


class LogWriter:
    """An idempotent producer at a time, connected at the first write."""

    def __init__(
        self,
        settings: Settings,
        topic: str,
        producer: Callable[..., AIOKafkaProducer] = kafka.producer,
    ) -> None:
        """`topic` is the full name of a topic of one partition."""
        self._topic = topic
        self._producer = ReconnectingProducer(settings, create=producer)

    async def write(self, messages: Sequence[KeyedMessage]) -> None:
        """Writes; on return the broker has confirmed all, in this order, each once or more.

        Tries without a time limit; cancel it to give up.
        """
        wait_s: float | None = None
        while True:
            try:
                await self._producer.write(self._topic, messages, partition=0)
            except SEND_ERRORS as error:
                _log.warning("the send log can't be written, trying again", error=repr(error))
                wait_s = _BACKOFF.next(wait_s)
                await asyncio.sleep(wait_s)
            else:
                return

    async def close(self, within_s: float) -> None:
        """Closes the connection; waits so long for what is on its way."""
        await self._producer.close(within_s / 2, within_s)
