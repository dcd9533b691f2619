"""The connection to Kafka that results and beats leave by; made anew when it is broken."""

import asyncio
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from foundation import kafka
from foundation.backoff import Backoff
from foundation.settings import Settings
from foundation.telemetry import logger

STOP_S: Final = 1.5
BACKOFF: Final = Backoff(first_s=0.25, longest_s=5.0)

_MAX_BATCH_BYTES: Final = 1_000_000
_MAX_REQUEST_BYTES: Final = (
    8_000_000  # before compression; the broker's limit is on the packed size
)

SEND_ERRORS: Final = (KafkaError, OSError, AssertionError)
"""What a send may raise; aiokafka asserts where it meets a partition that it does not know."""


class Broker:
    """An idempotent producer. Never expires a batch while the broker is merely away.

    aiokafka (0.14) retries an idempotent batch with its sequence number for as long as it takes;
    a send fails only when its partition has no leader for 40 s, or when the broker refuses it.
    After such a failure the sequence has a hole and no later send succeeds, so the producer is
    given up and another begun (`renew`).
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connects; waits with growing pauses while the broker is not there."""
        wait_s: float | None = None
        while True:
            producer = kafka.producer(
                self._settings,
                max_batch_size=_MAX_BATCH_BYTES,
                max_request_size=_MAX_REQUEST_BYTES,
            )
            try:
                await producer.start()
            except (KafkaError, OSError) as error:
                wait_s = BACKOFF.next(wait_s)
                logger(__name__).warning("can't reach Kafka", error=str(error), again_in_s=wait_s)
                await kafka.abandon(producer)
                await asyncio.sleep(wait_s)
            except BaseException:
                await kafka.abandon(producer)
                raise
            else:
                self._producer = producer
                return

    async def send(
        self,
        topic: str,
        partition: int,
        value: bytes,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> "asyncio.Future[object]":
        """Hands a message over; the future ends with the broker's confirmation.

        Raises one of `SEND_ERRORS` when it could not be handed over.
        """
        if self._producer is None:
            raise KafkaError("no producer: the connection is being made")
        future: asyncio.Future[object] = await self._producer.send(
            topic, value, partition=partition, headers=headers
        )
        return future

    async def give_up(self) -> None:
        """Closes the connection at once; what was not confirmed stays unconfirmed."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await kafka.abandon(producer)

    async def stop(self) -> None:
        """Closes the connection; waits at most 1.5 s for what is on its way."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), STOP_S)
        except (TimeoutError, KafkaError, OSError):
            await kafka.abandon(producer)
