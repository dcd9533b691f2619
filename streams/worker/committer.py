"""Commits offsets: tells the group how far the stream has come."""

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
"""Errors for a partition that is not (any more) assigned to this worker: ValueError,
IllegalStateError."""

_log = logger(__name__)


class Committer:
    """Commits one number for each partition, the offset of the next record to read.

    Faust's own bookkeeping is switched off (the topic has `acks=False`): it can skip a record that
    was never acknowledged, acknowledges messages on which an agent failed, and keeps every offset.
    Here only a number is kept: a record is acknowledged by the checkpoint that covers it. A failed
    commit only costs another read: the checkpoint decides, and a record at or below its offset is
    not applied twice.
    """

    def __init__(self, settings: Settings, app: faust.App) -> None:
        self._topic = settings.topic(topics.RESULTS.name)
        self._app = app

    async def acknowledge(self, partition: int, offset: int) -> bool:
        """Commits that all records up to `offset` (inclusive) are done; False if it was refused.

        Never raises for a partition that has moved to another worker, which commits it now.
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
