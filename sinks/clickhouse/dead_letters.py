"""Writes dead letters to [deadletter]; the sink's reader of that topic stores them as rows."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from foundation.kafka import abandon, producer
from foundation.settings import Settings
from schemas.deadletter import DeadLetter
from schemas.topics import DEADLETTER
from sinks.clickhouse import metrics

_AT_ONCE = 1000
_START_S: Final = 10.0
_GOODBYE_S: Final = 1.0


class _Line:
    """A producer in use; `gone` is done once it is given up, for those who wait for it."""

    def __init__(self, client: AIOKafkaProducer) -> None:
        self.client = client
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class DeadLetters:
    """The producer of dead letters: created for the first letter, and again after each failure.

    An expired or refused message leaves a gap in the sequence numbers of its partition: the broker
    then refuses (OutOfOrderSequenceNumber) all later messages of the same producer there.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = DEADLETTER.full_name(settings.topic_prefix)
        self._line: _Line | None = None
        self._lock = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Closes the producer within seconds; senders that still wait get an error."""
        line = self._line
        if line is not None:
            stopping = asyncio.create_task(line.client.stop())
            await asyncio.wait({stopping}, timeout=_GOODBYE_S)
            if not stopping.done():
                stopping.cancel()
            self._give_up(line)
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """Sends letters; on return the broker has confirmed all of them.

        Raises:
            aiokafka.errors.KafkaError, TimeoutError, OSError: one was not confirmed; send all
                again.
        """
        if not letters:
            return
        line = await self._started()
        try:
            await _confirmed(line, self._topic, letters)
        except AssertionError as error:
            # aiokafka asserts where it meets a partition that it does not know.
            self._give_up(line)
            raise KafkaError(f"dead letters were not sent: {error!r}") from error
        except (KafkaError, OSError):
            self._give_up(line)
            raise
        for found in letters:
            name = found.topic.removeprefix(f"{self._settings.topic_prefix}.")
            metrics.DEAD_LETTERS.labels(name).inc()

    async def _started(self) -> _Line:
        async with self._lock:
            if self._line is None:
                line = _Line(producer(self._settings))
                try:
                    # It waits without end for a broker that is there and does not answer.
                    async with asyncio.timeout(_START_S):
                        await line.client.start()
                except BaseException:
                    self._give_up(line)
                    raise
                self._line = line
            return self._line

    def _give_up(self, line: _Line) -> None:
        """Closes this producer in the background; the next letter creates a new one."""
        if self._line is line:
            self._line = None
        if line.gone.done():
            return
        line.gone.set_result(None)
        task = asyncio.create_task(abandon(line.client))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _confirmed(line: _Line, topic: str, letters: Sequence[DeadLetter]) -> None:
    sending = asyncio.create_task(_send(line.client, topic, letters))
    try:
        # What a producer held when it was given up would be waited for without end.
        await asyncio.wait({sending, line.gone}, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            raise KafkaError("the producer of dead letters was given up")
        sending.result()
    finally:
        sending.cancel()


async def _send(client: AIOKafkaProducer, topic: str, letters: Sequence[DeadLetter]) -> None:
    for start in range(0, len(letters), _AT_ONCE):
        futures: list[asyncio.Future[object]] = []
        try:
            for found in letters[start : start + _AT_ONCE]:
                value = msgspec.json.encode(found)
                futures.append(await client.send(topic, key=found.id.encode(), value=value))
            await asyncio.gather(*futures)
        finally:
            for future in futures:
                future.cancel()
