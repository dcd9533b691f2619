"""The pipeline of one partition into ClickHouse: block by block, each exactly once."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any, Final, Literal

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from foundation.backoff import Backoff
from foundation.telemetry import logger
from schemas.topics import Topic
from sinks.clickhouse import metrics
from sinks.clickhouse.bad_line_limit import TooManyBadLinesError
from sinks.clickhouse.block import Block, build, rebuild
from sinks.clickhouse.buffer import Buffer
from sinks.clickhouse.context import SinkContext
from sinks.clickhouse.decoding import log_time
from sinks.clickhouse.errors import DoubtError, NotInsertedError
from sinks.clickhouse.pending_block import Pending, PendingError
from sinks.clickhouse.start_offset import find, record_gap

BACKOFF: Final = Backoff(first_s=0.2, longest_s=10.0)
_REPLAY_PATIENCE_S: Final = 30.0

FILL_S: Final = 2.0
"""Longest time to fill a whole block, in s; then a partial block is inserted."""

Level = Literal["debug", "info", "warning", "error"]


class _Finished(Exception):  # noqa: N818 - the way out of the loop, no fault
    """The pipeline was asked to end, and is between two blocks."""


class PartitionPipeline:
    """Decodes, fixes, promises, inserts and commits the messages of one partition.

    Before its pending commit a block may be dropped at any time, because nothing is announced yet.
    After the pending commit it must be finished, by this pipeline or by the partition's next owner:
    the same messages, the same rows, the same token. After any later failure the pipeline drops
    what it holds, reads the offsets again, and thus finishes the pending range first.
    """

    def __init__(
        self,
        services: SinkContext,
        topic: Topic,
        partition: TopicPartition,
        *,
        buffer_bytes: int,
        turn_bytes: int | None = None,
    ) -> None:
        """`buffer_bytes` is the size that the pipeline may hold before its partition is paused.

        With `turn_bytes` it takes turns with others to fill a whole block, and may hold this many
        bytes during its turn: blocks are large however many pipelines share the memory. Block size
        matters most for ClickHouse's cost of a row.
        """
        self._services = services
        self._topic = topic
        self._partition = partition
        self._buffer = Buffer(topic, services.settings.sink_block_wait_s)
        self._buffer_bytes = self._limit = buffer_bytes
        self._turn_bytes = turn_bytes
        self._log = logger(__name__).bind(topic=partition.topic, partition=partition.partition)
        self._changed = asyncio.Event()
        self._reading = False
        self._paused = False
        self._replaying: Pending | None = None
        self._stopping = False
        self._out_of_range = False
        self._stalls = -1
        self._expected = 0
        self._gap: tuple[int, int, int] | None = None
        self.committed = 0
        """The first offset that is not done."""

    # -- fed by the poll loop ----------------------------------------------------------------

    def feed(self, records: Sequence[ConsumerRecord]) -> None:
        """Takes fetched messages; ignores those that do not fit the pipeline's position."""
        if not self._reading:
            return
        now = time.monotonic()
        for record in records:
            if record.offset < self._expected:
                # The consumer was set back: what the pipeline waits for is out of the log's range.
                self._out_of_range = True
                self.forget()
                return
            if record.offset > self._expected and self._topic.cleanup == "delete":
                self._gap = self._gap or (self._expected, record.offset, record.timestamp)
            self._expected = record.offset + 1
            self._buffer.add(record, now)
        self._regulate()
        self._changed.set()

    def stop(self) -> None:
        """Asks the pipeline to end after its present block."""
        self._stopping = True
        self._changed.set()

    def forget(self) -> None:
        """Reports a loss of fetched messages: the pipeline must read its offsets again."""
        self._stalls = -1
        self._reading = False
        self._changed.set()

    # -- its own task ------------------------------------------------------------------------

    async def run(self) -> None:
        """Works until `stop`; no failure ends it, except too many bad lines.

        Raises:
            TooManyBadLinesError: see `BadLines`.
        """
        try:
            await self._work()
        finally:
            metrics.PAUSED.dec(int(self._paused))

    async def _work(self) -> None:
        wait_s: float | None = None
        while not self._stopping:
            before = self.committed
            try:
                # A new pipeline must not read, and drop, messages that it can't insert yet. The
                # consumer may learn of its partition after the pipeline: hence the repeated pause.
                self._rest()
                while not self._services.writer.is_up:
                    self._rest()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._services.writer.reachable(), BACKOFF.first_s)
                await self._begin()
                while True:
                    await self._next()
            except _Finished:
                break
            except TooManyBadLinesError:
                raise
            except Exception as error:  # noqa: BLE001 - a partition nobody reads would be worse
                self._tell(error)
            self._rest()
            wait_s = BACKOFF.next(None if self.committed > before else wait_s)
            await self._pause_for(wait_s)
        self._rest()

    def _tell(self, error: Exception) -> None:
        """Logs why a block was not finished."""
        again = "block not finished, trying again"
        match error:
            case DoubtError():
                self._say("info", "reading the offsets again", because=str(error))
            case NotInsertedError():
                # While ClickHouse is away the writer says so, once for all pipelines.
                level: Level = "warning" if self._services.writer.is_up else "debug"
                self._say(level, "block not inserted, trying again", error=str(error))
            case KafkaError() | TimeoutError() | OSError():
                self._say("warning", again, error=str(error) or repr(error))
            case PendingError():
                self._say("error", "the group's commit is not a sink's", error=str(error))
            case _:
                self._say("error", again, error=repr(error), exc_info=error)

    def _rest(self) -> None:
        """Drops the fetched messages; they are read again from the committed offset."""
        self._reading = False
        self._replaying = None
        self._buffer.clear()
        self._limit = self._buffer_bytes
        self._gap = None
        self._regulate()

    def _say(self, level: Level, event: str, **fields: Any) -> None:
        """Logs why a block failed: once for all pipelines, then rarely and with `times`.

        In an outage every attempt of every pipeline fails. The other failures are logged at level
        debug.
        """
        times = self._services.throttle.times(f"{level} {event}")
        log = getattr(self._log, level if times else "debug")
        log(event, **fields, **({"times": times} if times > 1 else {}))

    async def _pause_for(self, wait_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while not self._stopping:
                    self._changed.clear()
                    await self._changed.wait()

    async def _begin(self) -> None:
        """Finds the position in the log; finishes a pending range first."""
        place = await find(self._services, self._topic, self._partition, self._out_of_range)
        self._out_of_range = False
        self._stalls = place.stalls
        self.committed = self._expected = place.position
        self._replaying = place.pending
        self._services.consumer.seek(self._partition, place.position)
        self._reading = True
        self._regulate()
        if place.pending is not None:
            await self._replay(place.pending)

    async def _replay(self, pending: Pending) -> None:
        metrics.REPLAYS.labels(self._topic.name).inc()
        self._log.info("finishing a pending block", first=pending.first, last=pending.last)
        deadline = time.monotonic() + _REPLAY_PATIENCE_S
        while self._expected <= pending.last:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the log did not give offset {pending.last}")
            await self._wait(deadline)
        records = self._buffer.take_to(pending.last)
        self._replaying = None
        self._regulate()
        async with self._services.desks:
            if _other_messages(records, pending):
                await self._gap_at(pending.first, pending.first)
                block = await asyncio.to_thread(build, self._topic, records)
                self._put_back(records, block)
            else:
                block = await asyncio.to_thread(rebuild, self._topic, records, pending)
            await self._deliver(block)

    async def _next(self) -> None:
        await self._due()
        async with contextlib.AsyncExitStack() as held:
            async with self._services.turns if self._turn_bytes else contextlib.nullcontext():
                if self._turn_bytes:
                    await self._fill(self._turn_bytes)
                await held.enter_async_context(self._services.desks)
                self._obey()
                block = await self._build()
            await self._deliver(block)

    async def _build(self) -> Block:
        """The next block; it keeps only the rows, and its messages are released."""
        rows = self._services.settings.sink_block_rows
        records = self._buffer.take(rows, self._buffer.size)
        self._limit = self._buffer_bytes
        self._regulate()
        block = await asyncio.to_thread(build, self._topic, records)
        self._put_back(records, block)
        used = [record for record in records if record.offset <= block.pending.last]
        bad_lines = self._services.bad_lines[self._topic.name]
        bad_lines.look(used, block.letters, sum(map(len, block.rows)))
        return block

    async def _fill(self, turn_bytes: int) -> None:
        """Reads on until the block is full, or until the end of the log."""
        self._limit = turn_bytes
        self._regulate()
        until = time.monotonic() + FILL_S
        while (
            self._buffer.rows < self._services.settings.sink_block_rows
            and self._buffer.size < turn_bytes
            and self._expected < self._log_end()
            and time.monotonic() < until
        ):
            await self._wait(until)
        self._limit = max(self._buffer_bytes, self._buffer.size)
        self._regulate()

    def _log_end(self) -> int:
        """The offset after the newest message, as far as it is known."""
        if self._partition not in self._services.consumer.assignment():
            return 0
        return self._services.consumer.highwater(self._partition) or 0

    def _put_back(self, records: list[ConsumerRecord], block: Block) -> None:
        """Puts back the messages that a shortened block did not take."""
        unused = [record for record in records if record.offset > block.pending.last]
        if unused:
            self._buffer.put_back(unused, time.monotonic())

    async def _due(self) -> None:
        """Waits for a block: enough rows or bytes, or old enough."""
        rows = self._services.settings.sink_block_rows
        while True:
            self._obey()
            due = self._buffer.due
            full = self._buffer.rows >= rows or self._buffer.size >= self._buffer_bytes
            if due is not None and (full or time.monotonic() >= due):
                break
            await self._wait(due)
        if self._gap is not None:
            (expected, found, at), self._gap = self._gap, None
            await self._gap_at(expected, found, at)

    async def _gap_at(self, expected: int, found: int, at: int = 0) -> None:
        await record_gap(
            self._services, self._topic, self._partition, expected=expected, found=found, at=at
        )

    async def _wait(self, until: float | None) -> None:
        """Waits until something changes, or until the given time."""
        self._obey()
        timeout = None if until is None else max(0.0, until - time.monotonic())
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()
        self._obey()

    def _obey(self) -> None:
        """Handles requests from outside.

        Raises:
            _Finished: to end. DoubtError: to drop the fetched messages.
        """
        if self._stopping:
            raise _Finished
        if not self._reading:
            raise DoubtError("something that was read got lost before it came here")

    async def _deliver(self, block: Block) -> None:
        pending = block.pending
        # Confirmed before the offset passes them; after a crash they are written again.
        await self._services.letters.send(block.letters)
        for found in block.letters:
            self._log.warning("unreadable", id=found.id, part=found.part, error=found.error)
        for rows in block.rows:
            async with self._services.writer.slots:
                fresh = await self._services.writer.fresh(rows)
                if not len(fresh):
                    continue
                # Up to here the block may be dropped; from here on it must be finished.
                until = await self._commit(pending.first, pending.metadata())
                token = pending.token(
                    self._partition.topic, self._partition.partition, rows.table.name
                )
                await self._services.writer.insert(fresh, token, until)
        await self._commit(pending.last + 1, "")
        self.committed = pending.last + 1

    async def _commit(self, offset: int, metadata: str) -> float:
        return await self._services.offsets.commit(self._partition, offset, metadata, self._stalls)

    def _regulate(self) -> None:
        """Pauses the partition while the pipeline holds enough, or is not ready to read."""
        # Resumed at half, so that a busy pipeline is not paused and resumed at each message.
        limit = self._limit // 2 if self._paused else self._limit
        full = self._buffer.size >= limit and self._replaying is None
        want = not self._reading or full
        assigned = self._partition in self._services.consumer.assignment()
        if want != self._paused and assigned:
            if want:
                self._services.consumer.pause(self._partition)
            else:
                self._services.consumer.resume(self._partition)
            self._paused = want
            metrics.PAUSED.inc(1 if want else -1)


def _other_messages(records: Sequence[ConsumerRecord], pending: Pending) -> bool:
    """True if the topic was created again since, with other messages at these offsets."""
    if not records or records[0].offset != pending.first:
        return False
    return log_time(records[0]) != pending.at
