"""Sends the messages of the rules, and tracks those that the broker has not confirmed yet."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from msgspec import Struct

from foundation.settings import Settings
from foundation.standstill import Write, write_begins
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


class OpenWrite(Struct, frozen=True, gc=False):
    """Our last message on [incidents.open] for an incident: its number, and `content_of` it.

    `content` is None for a removal.
    """

    number: int
    content: int | None


def content_of(value: bytes, headers: Iterable[tuple[str, bytes]]) -> int:
    """A number for the bytes of a message, which nobody outside of this process can guess."""
    return hash((value, *headers))


class _Outgoing(Struct, frozen=True, eq=False):
    """An accepted message with its ticket, and the one that is sent once it is confirmed."""

    message: OutMessage
    ticket: Ticket
    follower: "_Outgoing | None" = None


class EventProducer:
    """The outgoing messages of one partition, in the order of `accept`.

    A message counts as open from its acceptance, not from its sending: a checkpoint between the two
    must wait for it too, because a record below a checkpoint's offset is never applied again. So
    does the message that follows it (`OutMessage.then`). Followers are sent by a task of their own,
    in the order of the confirmations: they never delay a message of the rules, and what is on
    [incidents.open] is on [incidents] before.

    `open_writes` has our newest message on [incidents.open] for each open incident, `open_number`
    is the number of the last one. `source` is the `ce_source` of our events.
    """

    def __init__(self, settings: Settings, producer: AIOKafkaProducer, partition: int) -> None:
        self._settings = settings
        self._producer = producer
        self._partition = partition
        self._open: set[Ticket] = set()
        self._waiting: deque[_Outgoing] = deque()
        self._followers: deque[_Outgoing] = deque()
        self._following: asyncio.Task[None] | None = None
        self.open_writes: dict[bytes, OpenWrite] = {}
        self.open_number = 0
        self.source = settings.event_source("stream")

    def accept(self, messages: Sequence[OutMessage]) -> None:
        """Accepts messages without waiting; the next `send` sends them."""
        self._waiting.extend(map(self._outgoing, messages))

    def repair(self, messages: Iterable[OutMessage]) -> None:
        """Accepts messages for [incidents.open] that follow no other; a task sends them."""
        for message in messages:
            self._follow(self._outgoing(message))

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
            await self._send(self._waiting.popleft())

    def open(self) -> set[Ticket]:
        """The tickets of all accepted messages that are not confirmed."""
        return set(self._open)

    def _outgoing(self, message: OutMessage) -> _Outgoing:
        ticket: Ticket = asyncio.get_running_loop().create_future()
        self._open.add(ticket)
        if message.topic == topics.INCIDENTS_OPEN.name:
            self.open_number += 1
            value = message.value
            content = None if value is None else content_of(value, message.headers)
            self.open_writes[message.key] = OpenWrite(self.open_number, content)
        follower = None if message.then is None else self._outgoing(message.then)
        return _Outgoing(message, ticket, follower)

    async def _send(self, one: _Outgoing) -> None:
        message = one.message
        write = write_begins(message.topic, self._partition)
        try:
            sent = await self._producer.send(
                self._settings.topic(message.topic),
                value=message.value,
                key=message.key,
                partition=self._partition if message.partition is None else message.partition,
                headers=list(message.headers),
            )
        except MessageSizeTooLargeError:
            write.failed()
            self._refuse(one)
        except Exception as error:  # noqa: BLE001 - whatever it is, the message is not out
            end_process(f"can't send to [{message.topic}]", error)
        else:
            sent.add_done_callback(partial(self._settle, one, write))

    def _follow(self, one: _Outgoing) -> None:
        self._followers.append(one)
        if self._following is None:
            self._following = asyncio.create_task(self._send_followers())

    async def _send_followers(self) -> None:
        while self._followers:
            await self._send(self._followers.popleft())
            # The producer does not yield while its buffer has room: the rules come first.
            await asyncio.sleep(0)
        self._following = None

    def _settle(self, one: _Outgoing, write: Write, sent: "asyncio.Future[object]") -> None:
        error = sent.exception() if not sent.cancelled() else asyncio.CancelledError()
        if error is not None:
            end_process(f"the broker did not confirm a message to [{one.message.topic}]", error)
        write.confirmed()
        metrics.SENT.labels(one.message.kind).inc()
        if one.follower is not None:
            self._follow(one.follower)
        self._close(one)

    def _refuse(self, one: _Outgoing) -> None:
        # It would be refused after every restart too, and the partition would stand still.
        message = one.message
        _log.critical(
            "a message is larger than the producer may send; it is dropped, please report this",
            topic=message.topic,
            partition=self._partition,
            key=message.key.decode(errors="replace"),
            size=len(message.value or b""),
        )
        metrics.REFUSED.inc()
        self._close(one)
        if one.follower is not None:
            # What is not on [incidents] is not on [incidents.open] either.
            self.open_writes.pop(one.follower.message.key, None)
            self._close(one.follower)

    def _close(self, one: _Outgoing) -> None:
        key = one.message.key
        write = self.open_writes.get(key)
        if write is not None and write.content is None and one.message.value is None:
            # Its removal is confirmed: there is nothing more to know.
            del self.open_writes[key]
        self._open.discard(one.ticket)
        if not one.ticket.done():
            one.ticket.set_result(None)
