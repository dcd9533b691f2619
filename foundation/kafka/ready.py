"""The first step of each role: waits for the cluster and its topics."""

import asyncio
import logging
import time
from typing import Final

from aiokafka.errors import KafkaError

from foundation.backoff import Backoff
from foundation.kafka.topics import create_topics, lone_copies
from foundation.kafka.trouble import explained
from foundation.settings import Settings
from foundation.telemetry import logger

_BACKOFF: Final = Backoff(first_s=0.25, longest_s=5.0)

AGAIN_S: Final = 60.0
"""How often the reason of a wait is looked for and said again, in s."""


async def topics_ready(settings: Settings) -> None:
    """Returns when all topics exist and fit; waits for an absent broker.

    Logs why it waits, again once a minute, and that the wait is over. Cancel it to give up.

    Raises:
        TopicMismatchError: the cluster's topics are not those of the settings.
        SettingsError: a file of the settings can't be used.
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
    said_at: float | None = None
    while True:
        try:
            await create_topics(settings)
            remark = await lone_copies(settings)
        except (KafkaError, OSError) as error:
            if said_at is None or time.monotonic() - said_at >= AGAIN_S:
                why = await explained(settings, error)
                log.warning("waiting for Kafka", servers=settings.kafka, error=why)
                said_at = time.monotonic()
            wait_s = _BACKOFF.next(wait_s)
            await asyncio.sleep(wait_s)
        else:
            if said_at is not None:
                log.info("Kafka is there", servers=settings.kafka)
            if remark is not None:
                log.warning("topics have one copy", remark=remark)
            return
