"""The connection to Kafka that results and beats leave by; made anew when it is broken."""

import asyncio
from typing import Final

from foundation.backoff import Backoff
from foundation.kafka.reconnecting_producer import SEND_ERRORS, ReconnectingProducer
from foundation.settings import Settings
from foundation.telemetry import logger
from schemas.topics import RESULTS

__all__ = ["BACKOFF", "SEND_ERRORS", "STOP_S", "BrokerConnection"]

STOP_S: Final = 1.5
BACKOFF: Final = Backoff(first_s=0.25, longest_s=5.0)

_MAX_BATCH_BYTES: Final = 1_000_000
_MAX_REQUEST_BYTES: Final = (
    8_000_000  # before compression; the broker's limit is on the packed size
)


class BrokerConnection:
    """An idempotent producer for the publisher, which says when it is broken."""

    def __init__(self, settings: Settings) -> None:
        self._producer = ReconnectingProducer(
            settings,
            max_batch_size=_MAX_BATCH_BYTES,
            max_request_size=_MAX_REQUEST_BYTES,
            compression_type=RESULTS.compression,
        )

    async def start(self) -> None:
        """Connects; waits with growing pauses while the broker is not there."""
        wait_s: float | None = None
        while True:
            try:
                await self._producer.connect()
            except SEND_ERRORS as error:
                wait_s = BACKOFF.next(wait_s)
                logger(__name__).warning("can't reach Kafka", error=str(error), again_in_s=wait_s)
                await asyncio.sleep(wait_s)
            else:
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
        return await self._producer.send(topic, value, partition=partition, headers=headers)

    async def give_up(self) -> None:
        """Closes the connection at once; what was not confirmed stays unconfirmed."""
        await self._producer.give_up()

    async def stop(self) -> None:
        """Closes the connection for good; waits at most 1.5 s for what is on its way."""
        await self._producer.close(STOP_S)
