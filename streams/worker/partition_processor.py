"""One partition of this worker, from its assignment to its revocation."""

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from schemas.duration import DAY_MS
from streams.checkpoint.encoder import StateEncoder
from streams.checkpoint.judged import Judged
from streams.checkpoint.writer import CheckpointWriter
from streams.rules.process import step
from streams.state.partition_state import PartitionState
from streams.worker import metrics
from streams.worker.committer import Committer
from streams.worker.event_producer import EventProducer

_ENCODING: Final = asyncio.Lock()
"""One partition is encoded at a time: the stream waits for one chunk, not for one of each."""


class Partition:
    """The state of a partition at one offset, and its outgoing messages.

    Between two awaits the state is exactly that of one offset, because records are applied without
    an await. `open` is False once the revocation has begun: no record is applied from then on.
    `ours` is False once it is over: nothing is acknowledged from then on.
    """

    def __init__(
        self,
        state: PartitionState,
        outbox: EventProducer,
        writer: CheckpointWriter,
        acknowledger: Committer,
    ) -> None:
        self.state = state
        self.number = state.partition
        self.outbox = outbox
        self.open = True
        self.ours = True
        self.heard_at = time.monotonic()
        self.ticked = -1
        """The offset of the newest tick of this worker."""
        self._writer = writer
        self._acknowledger = acknowledger
        self._covered = state.offset
        self._covered_now = state.now
        self._acknowledged = state.offset
        self._busy = asyncio.Lock()

    async def process(
        self,
        offset: int,
        append_time: int,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes]],
    ) -> None:
        """Applies a record beyond the state's offset and hands its messages to the producer.

        The state has the record before the first await. The only await waits for room in the
        producer, and only when there is something to send.
        """
        done = step(self.state, offset, append_time, value, headers, source=self.outbox.source)
        metrics.RECORDS.inc()
        if done.results:
            metrics.RESULTS.inc(done.results)
        if done.unreadable:
            metrics.UNREADABLE.inc(done.unreadable)
        if done.failed:
            metrics.RULE_FAILURES.inc()
        messages = done.messages
        if done.not_applied:
            metrics.NOT_APPLIED.inc(len(done.not_applied))
            messages += self.outbox.letters(offset, append_time, done.not_applied)
        if messages:
            self.outbox.accept(messages)
            await self.outbox.send()

    def start_from(self, state: PartitionState) -> None:
        """Replaces the starting state, before the first record is applied."""
        if self.state.offset >= 0:
            raise RuntimeError(f"partition {self.number} has a state already")
        self.state = state
        self._covered, self._covered_now = -1, state.now
        self._writer.judged = Judged(self._writer.judged.version, state.offset + 1)

    async def checkpoint(self) -> bool:
        """Writes a checkpoint to [state] and acknowledges what it covers; False if nothing is new.

        The order is the guarantee: all events up to the offset are confirmed, then the head is
        written (from then on nobody applies a record up to it again), then the offset is
        acknowledged. Events that still wait in `outbox.send` for room are awaited too.

        Raises:
            aiokafka.errors.KafkaError: a part was not confirmed.
        """
        async with self._busy:
            if self.state.offset <= self._covered:
                return False
            begun = time.monotonic()
            async with _ENCODING:
                state = self.state
                offset, now = state.offset, state.now
                open_tickets = self.outbox.open()
                chunks = []
                for chunk in StateEncoder(state).chunks():
                    chunks.append(chunk)
                    # Records are applied between two chunks; the capture stays what it is.
                    await asyncio.sleep(0)
            if open_tickets:
                await asyncio.wait(open_tickets)
            await self._writer.write(chunks, offset, now)
            if self._covered_now and now // DAY_MS != self._covered_now // DAY_MS:
                await self._writer.archive(chunks, offset, now)
            self._covered, self._covered_now = offset, now
            metrics.CHECKPOINTS.inc()
            metrics.CHECKPOINT_SECONDS.observe(time.monotonic() - begun)
            metrics.CHECKPOINT_BYTES.labels(str(self.number)).set(sum(map(len, chunks)))
            if self.ours and await self._acknowledger.acknowledge(self.number, offset):
                self._acknowledged = offset
            await self._writer.tidy()
            return True

    @property
    def unacknowledged(self) -> int:
        """Number of applied records with an offset that is not acknowledged."""
        return self.state.offset - self._acknowledged
