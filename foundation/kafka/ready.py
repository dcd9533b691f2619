"""The first step of each role: waits for the cluster and its topics."""

import asyncio
import logging
from typing import Final

from aiokafka.errors import KafkaError

from foundation.backoff import Backoff
from foundation.kafka.topics import create_topics
from foundation.settings import Settings
from foundation.telemetry import logger

_BACKOFF: Final = Backoff(first_s=0.25, longest_s=5.0)


async def topics_ready(settings: Settings) -> None:
    """Returns when all topics exist and fit; waits for an absent broker.

    Logs once that it waits, and once that the wait is over. Cancel it to give up.

    Raises:
        TopicMismatchError: the cluster's topics are not those of the settings.
    """
    library = logging.getLogger("aiokafka")
    level = library.level
    library.setLevel(logging.CRITICAL)  # it reports each refused connection; we log it once
    try:
        await _wait(settings)
    finally:
        library.setLevel(level)


async def _wait(settings: Settings) -> None:
    log = logger(__name__)
    wait_s: float | None = None
    waiting = False
    while True:
        try:
            await create_topics(settings)
        except (KafkaError, OSError) as error:
            if not waiting:
                log.warning("waiting for Kafka", servers=settings.kafka, error=str(error))
                waiting = True
            wait_s = _BACKOFF.next(wait_s)
            await asyncio.sleep(wait_s)
        else:
            if waiting:
                log.info("Kafka is there", servers=settings.kafka)
            return
