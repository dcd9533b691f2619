"""Acknowledges offsets: tells the group how far the stream has come."""

from typing import Any, Final, cast

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.exceptions import ConsumerNotStarted

from foundation.settings import Settings
from foundation.telemetry import logger
from schemas import topics

_GONE: Final = (KafkaError, ConsumerNotStarted, ValueError)
"""ValueError and IllegalStateError: the partition is not (any more) assigned to this worker."""

_log = logger(__name__)


class Acknowledger:
    """Commits one number a partition, that of the next record to read.

    Faust's own bookkeeping is switched off (the topic has `acks=False`), since it can step over
    a record that was never acknowledged, acknowledges what an agent failed on, and keeps every
    offset. Here nothing waits but a number: a record is acknowledged by the checkpoint that
    covers it. A commit that does not succeed costs nothing but reading again: the truth is the
    checkpoint, and a record at or below its offset is not applied twice.
    """

    def __init__(self, settings: Settings, app: faust.App) -> None:
        self._topic = settings.topic(topics.RESULTS.name)
        self._app = app

    async def acknowledge(self, partition: int, offset: int) -> bool:
        """Commits that all records up to `offset` (inclusive) are done; False if it was refused.

        Never raises for a partition that has moved to another worker: that is its business now.
        """
        part = TopicPartition(self._topic, partition)
        try:
            # Faust's own `_commit` crashes the app on a commit that came too late, so the client
            # behind it is asked, in its own thread.
            thread = cast("Any", self._app.consumer)._thread  # noqa: SLF001
            client = thread._ensure_consumer()  # noqa: SLF001
            await thread.call_thread(client.commit, {part: OffsetAndMetadata(offset + 1, "")})
        except _GONE as error:
            _log.warning(
                "an offset was not acknowledged; its records are read again and passed over",
                partition=partition,
                offset=offset,
                error=type(error).__name__,
            )
            return False
        return True
