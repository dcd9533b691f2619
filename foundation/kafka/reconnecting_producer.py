"""An idempotent producer that is replaced by another when a send has failed."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from msgspec import Struct

from foundation.kafka import clients
from foundation.kafka.closing import abandon
from foundation.lifecycle import ends_within
from foundation.settings import Settings
from foundation.standstill import Write, write_begins
from foundation.telemetry import logger

SEND_ERRORS: Final = (KafkaError, OSError)
"""Errors of `connect`, `send` and `write`; a time limit's `TimeoutError` is an OSError."""

MAX_UNCONFIRMED: Final = 1000
"""Messages of one `write` that wait for their confirmation at once."""


class KeyedMessage(Struct, frozen=True, gc=False):
    """A message to write; a value of None removes the key from a compacted topic."""

    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class ReconnectingProducer:
    """At most one connected producer; a new one after each failure.

    aiokafka (0.14) retries an idempotent batch with its sequence number for as long as it takes:
    it never expires one while the broker is merely away. A send fails only when its partition has
    no leader for 40 s, or when the broker refuses it. Then the sequence of that partition has a
    hole, the broker refuses (OutOfOrderSequenceNumber) whatever the same producer sends there
    later, and only another producer helps.

    All methods belong to one event loop; any number of tasks may send.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        start_s: float | None = None,
        create: Callable[..., AIOKafkaProducer] = clients.producer,
        **options: Any,
    ) -> None:
        """Connects to nothing yet.

        `start_s` bounds one try to connect: without it, a broker that is there and does not
        answer is waited for. `options` are aiokafka's, for each producer that `create` makes.
        """
        self._start_s = start_s
        self._prefix = f"{settings.topic_prefix}."
        self._create: Callable[[], AIOKafkaProducer] = partial(create, settings, **options)
        self._connecting = asyncio.Lock()
        self._connection: _Connection | None = None
        self._closed = False
        self._closings: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        """Tries once to connect; does nothing if it is connected.

        Raises:
            KafkaError, OSError: the broker is away, or this is closed; try again later.
        """
        await self._connected()

    async def send(
        self,
        topic: str,
        value: bytes,
        *,
        partition: int,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> "asyncio.Future[object]":
        """Hands a message over; the future ends with the broker's confirmation.

        Does not connect. After a failure, of this or of the future, call `give_up`.

        Raises:
            KafkaError, OSError: it could not be handed over, or there is no connection.
        """
        if self._connection is None:
            raise KafkaError("no producer: the connection is being made")
        connection, write = self._connection, self._begins(topic, partition)
        connection.writes.add(write)
        try:
            with _kafka_errors(f"send to {topic}"):
                future: asyncio.Future[object] = await connection.client.send(
                    topic, value, partition=partition, headers=headers
                )
        except BaseException:
            connection.ended(write, None)
            raise
        future.add_done_callback(partial(connection.ended, write))
        return future

    async def write(
        self, topic: str, messages: Sequence[KeyedMessage], *, partition: int | None = None
    ) -> None:
        """Connects if need be, and writes; on return the broker has confirmed all, in this order.

        Without `partition` the key decides. After a failure the producer is given up.

        Raises:
            KafkaError, OSError: one was not confirmed, others may be; write all again.
        """
        write = self._begins(topic, partition)
        try:
            await self._write(topic, messages, partition)
        except BaseException:
            write.failed()
            raise
        write.confirmed()

    async def _write(
        self, topic: str, messages: Sequence[KeyedMessage], partition: int | None
    ) -> None:
        connection = await self._connected()
        writing = asyncio.create_task(_write(connection.client, topic, messages, partition))
        try:
            # What a producer held when it was given up would be waited for without end.
            await asyncio.wait({writing, connection.gone}, return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                raise KafkaError("another write found the connection broken, or it was closed")
            writing.result()
        except SEND_ERRORS:
            self._give_up(connection)
            raise
        finally:
            writing.cancel()

    def _begins(self, topic: str, partition: int | None) -> Write:
        return write_begins(topic.removeprefix(self._prefix), partition)

    async def give_up(self) -> None:
        """Closes the connection at once; what was not confirmed stays unconfirmed."""
        if self._connection is not None:
            self._give_up(self._connection)
        if self._closings:
            await asyncio.wait(self._closings)

    async def close(self, flush_s: float, within_s: float | None = None) -> None:
        """Ends it for good; waits at most `flush_s` for what is on its way.

        Whoever still writes gets an error. Returns after `within_s` even if a connection is not
        closed by then (its rest goes on by itself); without it after a few seconds.
        """
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            self._in_background(_stop(connection, flush_s))
        if self._closings:
            await asyncio.wait(self._closings, timeout=within_s)

    async def _connected(self) -> "_Connection":
        async with self._connecting:
            if self._connection is None:
                if self._closed:
                    raise KafkaError("the producer is closed")
                connection = _Connection(self._create())
                try:
                    with _kafka_errors("connect"):
                        async with asyncio.timeout(self._start_s):
                            await connection.client.start()
                except BaseException:
                    self._in_background(abandon(connection.client))
                    raise
                self._connection = connection
            return self._connection

    def _give_up(self, connection: "_Connection") -> None:
        """The next write gets a new producer; nobody waits for the end of this one."""
        if self._connection is connection:
            self._connection = None
            connection.has_gone()
            self._in_background(abandon(connection.client))

    def _in_background(self, closing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(closing)
        self._closings.add(task)
        task.add_done_callback(self._has_closed)

    def _has_closed(self, task: "asyncio.Task[None]") -> None:
        self._closings.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger(__name__).debug("a producer did not end well", error=repr(task.exception()))


class _Connection:
    """A producer, and a future that is done when it takes nothing more."""

    def __init__(self, client: AIOKafkaProducer) -> None:
        self.client = client
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.writes: set[Write] = set()
        """Messages of `send` that are not confirmed; aiokafka may never end their futures."""

    def ended(self, write: Write, sent: "asyncio.Future[object] | None") -> None:
        self.writes.discard(write)
        if sent is None or sent.cancelled() or sent.exception() is not None:
            write.failed()
        else:
            write.confirmed()

    def has_gone(self) -> None:
        for write in list(self.writes):
            self.ended(write, None)
        if not self.gone.done():
            self.gone.set_result(None)


async def _write(
    client: AIOKafkaProducer, topic: str, messages: Sequence[KeyedMessage], partition: int | None
) -> None:
    for start in range(0, len(messages), MAX_UNCONFIRMED):
        confirmations: list[asyncio.Future[object]] = []
        try:
            with _kafka_errors(f"send to {topic}"):
                for message in messages[start : start + MAX_UNCONFIRMED]:
                    sent = await client.send(
                        topic,
                        message.value,
                        key=message.key,
                        partition=partition,
                        headers=list(message.headers),
                    )
                    confirmations.append(sent)
                await asyncio.gather(*confirmations)
        finally:
            for confirmation in confirmations:
                confirmation.cancel()


async def _stop(connection: _Connection, flush_s: float) -> None:
    try:
        if not await ends_within(flush_s, connection.client.stop()):
            await abandon(connection.client)
    finally:
        connection.has_gone()


@contextmanager
def _kafka_errors(doing: str) -> Iterator[None]:
    """Faults of aiokafka: it asserts at an unknown partition, looks into None at a topic's."""
    try:
        yield
    except (AssertionError, TypeError) as error:
        raise KafkaError(f"aiokafka could not {doing}: {error!r}") from error
