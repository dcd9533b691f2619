"""Sends the messages of the rules, and tracks those that the broker has not confirmed yet."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from foundation.settings import Settings
from foundation.telemetry import logger
from schemas import topics
from schemas.deadletter import MAX_ERROR_CHARS, DeadLetter, raw_text
from streams.rules.clock import LATEST_MS
from streams.rules.messages import OutMessage, dead_letter
from streams.rules.process import NotApplied
from streams.worker import metrics
from streams.worker.exit import end_process

Ticket = asyncio.Future[None]
"""Done when the broker has confirmed one message."""

_log = logger(__name__)


class EventProducer:
    """The outgoing messages of one partition, in the order of `accept`.

    A message counts as open from its acceptance, not from its sending: a checkpoint between the two
    must wait for it too, because a record below a checkpoint's offset is never applied again.
    """

    def __init__(self, settings: Settings, producer: AIOKafkaProducer, partition: int) -> None:
        self._settings = settings
        self._producer = producer
        self._partition = partition
        self._open: set[Ticket] = set()
        self._waiting: list[tuple[OutMessage, Ticket]] = []

    def accept(self, messages: Sequence[OutMessage]) -> None:
        """Accepts messages without waiting; the next `send` sends them."""
        loop = asyncio.get_running_loop()
        for message in messages:
            ticket: Ticket = loop.create_future()
            self._open.add(ticket)
            self._waiting.append((message, ticket))

    def letters(
        self, offset: int, append_time: int, parts: Iterable[NotApplied]
    ) -> tuple[OutMessage, ...]:
        """A dead letter for each part of the record at `offset` that was not applied.

        The same parts always give the same letters: the sink stores each id once.
        """
        topic = self._settings.topic(topics.RESULTS.name)
        return tuple(
            dead_letter(
                DeadLetter(
                    topic=topic,
                    partition=self._partition,
                    offset=offset,
                    line=part.line,
                    part="control" if part.line < 0 else "line",
                    error=part.error[:MAX_ERROR_CHARS],
                    at=min(max(append_time, 0), LATEST_MS),
                    size=len(part.raw),
                    raw=raw_text(part.raw),
                )
            )
            for part in parts
        )

    async def send(self) -> None:
        """Hands all accepted messages to the producer, which sends them in the background.

        Waits only while the producer's buffer is full. If the broker does not confirm a message,
        the process ends.
        """
        while self._waiting:
            message, ticket = self._waiting.pop(0)
            try:
                sent = await self._producer.send(
                    self._settings.topic(message.topic),
                    value=message.value,
                    key=message.key,
                    partition=self._partition if message.partition is None else message.partition,
                    headers=list(message.headers),
                )
            except MessageSizeTooLargeError:
                self._refuse(message, ticket)
            except Exception as error:  # noqa: BLE001 - whatever it is, the message is not out
                end_process(f"can't send to [{message.topic}]", error)
            else:
                sent.add_done_callback(partial(self._settle, message, ticket))

    def open(self) -> set[Ticket]:
        """The tickets of all accepted messages that are not confirmed."""
        return set(self._open)

    def _settle(self, message: OutMessage, ticket: Ticket, sent: "asyncio.Future[object]") -> None:
        error = sent.exception() if not sent.cancelled() else asyncio.CancelledError()
        if error is not None:
            end_process(f"the broker did not confirm a message to [{message.topic}]", error)
        metrics.SENT.labels(message.kind).inc()
        self._close(ticket)

    def _refuse(self, message: OutMessage, ticket: Ticket) -> None:
        # It would be refused after every restart too, and the partition would stand still.
        _log.critical(
            "a message is larger than the producer may send; it is dropped, please report this",
            topic=message.topic,
            partition=self._partition,
            key=message.key.decode(errors="replace"),
            size=len(message.value),
        )
        metrics.REFUSED.inc()
        self._close(ticket)

    def _close(self, ticket: Ticket) -> None:
        self._open.discard(ticket)
        if not ticket.done():
            ticket.set_result(None)
