"""Writes to a topic of one partition, with a producer that is replaced after a failure."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from foundation import kafka, telemetry
from foundation.backoff import Backoff
from foundation.kafka.reconnecting_producer import (
    SEND_ERRORS,
    KeyedMessage,
    ReconnectingProducer,
)
from foundation.settings import Settings
from schemas.topics import Topic

_BACKOFF: Final = Backoff(first_s=0.5, longest_s=5.0)
_TOO_LARGE: Final = (MessageSizeTooLargeError, RecordListTooLargeError)
_MAX_REQUEST_BYTES: Final = 32 * 1024 * 1024
"""aiokafka's limit before compression; the broker's limit, after it, is what counts."""

_log = telemetry.logger(__name__)

Shorten = Callable[[KeyedMessage], Iterator[KeyedMessage]]
"""Shorter and shorter versions of a message that the broker refuses as too large."""


def _no_shorter(_message: KeyedMessage) -> Iterator[KeyedMessage]:
    return iter(())


class LogWriter:
    """An idempotent producer at a time, connected at the first write."""

    def __init__(
        self,
        settings: Settings,
        topic: Topic,
        producer: Callable[..., AIOKafkaProducer] = kafka.producer,
        shorten: Shorten = _no_shorter,
    ) -> None:
        """`topic` has one partition."""
        self._topic = topic.full_name(settings.topic_prefix)
        self._shorten = shorten
        self._producer = ReconnectingProducer(
            settings,
            create=producer,
            max_request_size=_MAX_REQUEST_BYTES,
            compression_type=topic.compression,
        )

    async def write(self, messages: Sequence[KeyedMessage]) -> None:
        """Writes; on return the broker has confirmed all, in this order, each once or more.

        Tries without a time limit; cancel it to give up. What the broker refuses as too large is
        written shorter, or left out with an error in the log: it must not stop all that follows.
        """
        if not messages:
            return
        try:
            await self._write(messages)
        except _TOO_LARGE:
            for message in messages:
                await self._write_one(message)

    async def close(self, within_s: float) -> None:
        """Closes the connection; waits so long for what is on its way."""
        await self._producer.close(within_s / 2, within_s)

    async def _write_one(self, message: KeyedMessage) -> None:
        about = {"topic": self._topic, "key": repr(message.key)[:200]}
        about["size"] = str(len(message.value or b""))
        for version in (message, *self._shorten(message)):
            try:
                await self._write([version])
            except _TOO_LARGE:
                continue
            if version is not message:
                _log.warning("the broker takes this record only shortened", **about)
            return
        _log.error(
            "the broker takes no record of this size: it is left out; "
            "raise the topic's max.message.bytes",
            **about,
        )

    async def _write(self, messages: Sequence[KeyedMessage]) -> None:
        wait_s: float | None = None
        while True:
            try:
                return await self._producer.write(self._topic, messages, partition=0)
            except _TOO_LARGE:
                raise
            except SEND_ERRORS as error:
                _log.warning(
                    "the topic can't be written, trying again",
                    topic=self._topic,
                    error=repr(error),
                )
                wait_s = _BACKOFF.next(wait_s)
                await asyncio.sleep(wait_s)
