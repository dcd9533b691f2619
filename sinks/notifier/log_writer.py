"""Writes to [notifications], with a producer that is replaced after a failure."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata
from msgspec import Struct

from foundation import kafka, telemetry
from foundation.settings import Settings

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 5.0

FAILURES: Final = (KafkaError, OSError, AssertionError, TypeError)
"""Errors of a send; aiokafka fails an assertion for an unknown partition, and uses None for an
unknown topic."""

_log = telemetry.logger(__name__)


class Line(Struct, frozen=True):
    """A record to write: key and value."""

    key: bytes
    value: bytes


class LogWriter:
    """One idempotent producer at a time, connected at the first write.

    aiokafka (0.14) never gives up a batch while the broker is merely away. It does if the partition
    has no leader for 40 s; then the sequence has a gap, and every later send of that producer
    fails. Therefore a producer is replaced after its first failure.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        producer: Callable[[Settings], AIOKafkaProducer] = kafka.producer,
    ) -> None:
        """`topic` is the full name of a topic of one partition."""
        self._settings = settings
        self._producer = producer
        self._topic = topic
        self._connecting = asyncio.Lock()
        self._connection: _Connection | None = None
        self._ends: set[asyncio.Task[None]] = set()

    async def write(self, lines: list[Line]) -> None:
        """Writes; on return the broker has confirmed all lines, in this order, each once or more.

        Tries without a time limit; cancel it to give up.
        """
        wait_s = FIRST_WAIT_S
        while True:
            try:
                connection = await self._connected()
                await self._send(connection, lines)
            except FAILURES as error:
                _log.warning("the send log can't be written, trying again", error=repr(error))
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            else:
                return

    async def close(self, within_s: float) -> None:
        """Closes the connection; waits up to the given time for unconfirmed lines."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._end(_stop(connection, within_s / 2))
        if self._ends:
            await asyncio.wait(self._ends, timeout=within_s)

    async def _connected(self) -> "_Connection":
        async with self._connecting:
            if self._connection is None:
                producer = self._producer(self._settings)
                try:
                    await producer.start()
                except BaseException:
                    self._end(kafka.abandon(producer))
                    raise
                self._connection = _Connection(producer)
            return self._connection

    async def _send(self, connection: "_Connection", lines: list[Line]) -> None:
        try:
            confirmations = [
                await connection.producer.send(self._topic, line.value, key=line.key, partition=0)
                for line in lines
            ]
            await connection.confirmed(confirmations)
        except FAILURES:
            self._give_up(connection)
            raise

    def _give_up(self, connection: "_Connection") -> None:
        if self._connection is connection:
            self._connection = None
            connection.given_up.set()
            self._end(kafka.abandon(connection.producer))

    def _end(self, closing: Coroutine[None, None, None]) -> None:
        """Closes a producer in the background, without waiting for an absent broker."""
        task = asyncio.create_task(closing)
        self._ends.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._ends.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.debug("a producer did not end well", error=repr(task.exception()))


class _Connection:
    """A producer, and whether it was given up, for those who wait for its confirmations."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.producer = producer
        self.given_up = asyncio.Event()

    async def confirmed(self, confirmations: "list[asyncio.Future[RecordMetadata]]") -> None:
        """Returns when all are confirmed; raises if one failed or can't be confirmed any more."""
        all_of_them = asyncio.gather(*confirmations)
        given_up = asyncio.create_task(self.given_up.wait())
        first: set[asyncio.Future[Any]] = {all_of_them, given_up}
        try:
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if not all_of_them.done():
                raise KafkaError("another write found the connection broken")
            all_of_them.result()
        finally:
            given_up.cancel()
            all_of_them.cancel()


async def _stop(connection: _Connection, within_s: float) -> None:
    try:
        await asyncio.wait_for(connection.producer.stop(), within_s)
    except FAILURES:
        await kafka.abandon(connection.producer)
