"""Publishes results and beats to [results].

Guarantee: every result given to `add` is published or counted as lost. While the broker is away it
waits in the spool: in memory, then in a file. The bytes of a sealed batch never change, so a repeat
after an uncertain failure is the same batch.

Order within a partition: a fresh batch waits for at most one batch of the spool, and after each
fresh batch one of the spool is sent; both keep the order of `add`. The rules treat a delayed result
as history in any position; a fresh one behind a long queue would become history, too.
"""

import asyncio
import math
from collections import Counter as Tally
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from foundation.lifecycle import set_within
from foundation.settings import Settings
from foundation.telemetry import logger
from producers import metrics
from producers.broker_clock import Clock
from producers.checks.model import CheckOutcome, PlannedCheck, Worth
from producers.publishing.batch import SealedBatch, line, seal
from producers.publishing.batcher import Batcher, Finished
from producers.publishing.connection import BACKOFF, SEND_ERRORS, BrokerConnection
from producers.publishing.spool import Spool
from producers.publishing.wakeup import Wakeup
from schemas import control, topics
from schemas.partition import host_key, partition_for

SETTLE_S: Final = 5.0
"""Wait for the remaining confirmations after one of them failed."""

SHIFT_S: Final = 0.01
"""Cache time of the offset from local to broker time: an error of 1 ms at most while it slews."""

MOST_HOSTS: Final = 200_000
"""The most hosts in the cache of partitions."""

_TOO_LARGE: Final = (MessageSizeTooLargeError, RecordListTooLargeError)

_Future = asyncio.Future[Any]


class Publisher:
    """Sends at most one message at a time to each partition.

    This keeps the order, and while the broker is slow or away the results form full batches.
    """

    def __init__(
        self,
        settings: Settings,
        broker: BrokerConnection,
        clock: Clock,
        *,
        region: str,
        prober: str,
        spool: Spool | None = None,
    ) -> None:
        self._topic = topics.RESULTS.full_name(settings.topic_prefix)
        self._partitions = settings.partitions
        self._broker = broker
        self._clock = clock
        self._region = region
        self._prober = prober
        self._batcher = Batcher()
        self._spool = Spool(settings.probe_spool_results) if spool is None else spool
        self._spool.on_lost = self._lose
        self._shift_ms = self._ahead_ms = 0.0
        self._shift_until = -math.inf
        self._known_partitions: dict[str, int] = {}
        self._sealed = 0
        self._was_fresh: set[int] = set()
        self._sending: dict[int, tuple[SealedBatch, _Future | None]] = {}
        self._beating: dict[int, _Future] = {}
        self._broken = False
        self._last_wait_s: float | None = None
        self._flushing = False
        self._empty = asyncio.Event()
        self._wake = Wakeup(clock.monotonic)

    @property
    def waiting(self) -> int:
        """The number of results without a confirmation."""
        on_the_way = sum(sealed.count for sealed, _ in self._sending.values())
        return len(self._batcher) + len(self._spool) + on_the_way

    def add(self, check: PlannedCheck, outcome: CheckOutcome, *, worth: Worth) -> None:
        """Adds a finished check. Never blocks; for the guarantee see the module."""
        target = check.target
        partition = self._partition_of(host_key(target.host, target.id))
        now = self._clock.monotonic()
        item = Finished(check, outcome, worth, self._line(check, outcome, now))
        due_at = self._batcher.add(partition, item, now)
        if self._batcher.full(partition) and (partition in self._sending or not self._can_send()):
            self._into_spool(partition)
        else:
            self._wake.at(due_at)

    async def run(self) -> None:
        """Publishes until cancelled."""
        while True:
            await self._wake.wait()
            if self._broken:
                await self._recover()
            if self._can_send():
                await self._send_due()
            metrics.SPOOL.set(self.waiting)
            if self._flushing and not self.waiting:
                self._empty.set()

    async def beat(self, beat: control.Beat) -> None:
        """Sends a beat to every partition whose last beat is confirmed.

        Returns after the producer accepted it; its confirmations are samples for the clock.
        """
        headers = control.headers(beat)
        for partition in range(self._partitions):
            if partition in self._beating:
                continue
            enqueued_at = self._clock.monotonic()
            try:
                future = await self._broker.send(self._topic, partition, b"", headers)
            except SEND_ERRORS as error:
                self._break(error)
                return
            self._beating[partition] = future
            future.add_done_callback(partial(self._beat_confirmed, partition, enqueued_at))

    async def beats_confirmed(self) -> None:
        """Returns when all beats are confirmed."""
        while self._beating:
            await asyncio.wait(list(self._beating.values()))
            await asyncio.sleep(0)

    async def close(self, within_s: float) -> int:
        """Sends all waiting results, for at most `within_s`; returns the number of unsent ones.

        Unsent results stay in the spool's file for a later prober; without it they are lost. `run`
        must still be running, and must be cancelled afterwards.
        """
        self._flushing = True
        self._wake.now()
        await set_within(within_s, self._empty)
        left = self.waiting
        self._broken = True  # nothing more is sent
        if self._clock.known:
            self._keep()
        self._spool.close()
        lost = self._spool.only_in_memory + len(self._batcher)
        self._lose(lost, "the prober ends and the broker did not take them")
        if left > lost:
            logger(__name__).warning("results are left to a later prober", count=left - lost)
        return left

    def _keep(self) -> None:
        for sealed, _ in self._sending.values():
            self._spool.put_back(sealed)
        self._sending.clear()
        for partition in self._batcher.all():
            while self._batcher.waits(partition):
                self._spool.push(self._seal(partition))

    # Sending

    def _can_send(self) -> bool:
        return self._clock.known and not self._broken

    async def _send_due(self) -> None:
        now = self._clock.monotonic()
        due = self._batcher.all() if self._flushing else self._batcher.due(now)
        fresh = frozenset(due)
        for partition in dict.fromkeys((*due, *self._spool.partitions())):
            if partition in self._sending:
                continue
            sealed = self._next(partition, fresh=partition in fresh)
            if sealed is None:
                continue  # the spool dropped it during another send
            await self._send(sealed)
            # A message takes time and all partitions may be due: let due checks begin in between.
            await asyncio.sleep(0)
            if self._broken:
                return
        free = [lane for lane in self._batcher.all() if lane not in self._sending]
        self._wake.at(self._batcher.next_due_of(free))

    def _next(self, partition: int, *, fresh: bool) -> SealedBatch | None:
        spools_turn = partition in self._was_fresh and self._spool.waiting(partition)
        # Fresh results may have become a full batch meanwhile, and moved to the spool.
        if fresh and self._batcher.waits(partition) and not spools_turn:
            self._was_fresh.add(partition)
            return self._seal(partition)
        self._was_fresh.discard(partition)
        return self._spool.pop(partition)

    async def _send(self, sealed: SealedBatch) -> None:
        enqueued_at = self._clock.monotonic()
        self._sending[sealed.partition] = (sealed, None)
        try:
            future = await self._broker.send(self._topic, sealed.partition, sealed.value())
        except SEND_ERRORS as error:
            self._came_back(sealed, error)
            return
        self._sending[sealed.partition] = (sealed, future)
        future.add_done_callback(partial(self._confirmed, sealed, enqueued_at))

    def _seal(self, partition: int) -> SealedBatch:
        items = self._batcher.take(partition, self._clock.monotonic())
        _count(items)
        self._sealed += 1
        return seal(partition, items, self._clock, self._region, self._prober, number=self._sealed)

    def _line(self, check: PlannedCheck, outcome: CheckOutcome, now: float) -> bytes | None:
        """Encodes a single result: encoding a whole message at once would delay the checks.

        None before the broker's time is known; the line is then made with the message.
        """
        if now >= self._shift_until:
            if not self._clock.known:
                return None
            self._shift_ms, self._ahead_ms = self._clock.at_ms(0.0), self._clock.ahead_ms()
            self._shift_until = now + SHIFT_S
        return line(
            check,
            outcome,
            self._shift_ms,
            self._region,
            self._prober,
            ahead_ms=self._ahead_ms,
        )

    def _partition_of(self, key: str) -> int:
        # murmur2 in Python takes as long as all other work here.
        partition = self._known_partitions.get(key)
        if partition is None:
            if len(self._known_partitions) >= MOST_HOSTS:
                self._known_partitions.clear()
            partition = self._known_partitions[key] = partition_for(key, self._partitions)
        return partition

    def _into_spool(self, partition: int) -> None:
        if self._clock.known:
            self._lose(self._spool.push(self._seal(partition)), "the spool is full")

    # Confirmations

    def _confirmed(self, sealed: SealedBatch, enqueued_at: float, future: _Future) -> None:
        if self._sending.get(sealed.partition, (None, None))[1] is not future:
            return  # given up: it is back in the spool and will be sent again
        if future.cancelled() or future.exception() is not None:
            self._came_back(sealed, future.exception() if not future.cancelled() else None)
            return
        del self._sending[sealed.partition]
        self._spool.forget(sealed)
        self._last_wait_s = None
        self._learn(enqueued_at, future)
        metrics.BATCHES.inc()
        metrics.BATCH_RESULTS.observe(sealed.count)
        self._wake.now()

    def _beat_confirmed(self, partition: int, enqueued_at: float, future: _Future) -> None:
        if self._beating.get(partition) is not future:
            return
        del self._beating[partition]
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self._learn(enqueued_at, future)
        else:
            self._break(error)

    def _learn(self, enqueued_at: float, future: _Future) -> None:
        metadata = future.result()
        if metadata.timestamp_type == 1:
            self._clock.learn(enqueued_at, self._clock.monotonic(), metadata.timestamp)

    # Failures

    def _came_back(self, sealed: SealedBatch, error: BaseException | None) -> None:
        del self._sending[sealed.partition]
        if isinstance(error, _TOO_LARGE):
            if sealed.count == 1:
                self._lose(1, f"the broker refuses its size: {error}")
            else:
                for half in reversed(sealed.halves()):
                    self._spool.put_back(half)
            self._spool.forget(sealed)
        else:
            self._spool.put_back(sealed)
        self._break(error)

    def _break(self, error: BaseException | None) -> None:
        metrics.PUBLISH_FAILURES.inc()
        if not self._broken:
            logger(__name__).warning(
                "a send failed; connecting anew and sending again", error=repr(error)
            )
        self._broken = True
        self._wake.now()

    async def _recover(self) -> None:
        out = [future for _, future in self._sending.values() if future is not None]
        out += self._beating.values()
        if out:
            await asyncio.wait(out, timeout=SETTLE_S)
        await self._broker.give_up()
        for sealed, _ in tuple(self._sending.values()):
            self._spool.put_back(sealed)
        self._sending.clear()
        self._beating.clear()
        self._last_wait_s = BACKOFF.next(self._last_wait_s)
        await asyncio.sleep(self._last_wait_s)
        await self._broker.start()
        self._broken = False
        self._wake.now()

    def _lose(self, count: int, why: str) -> None:
        if count:
            metrics.LOST.inc(count)
            logger(__name__).error("results are lost", count=count, because=why)


def _count(items: Iterable[Finished]) -> None:
    """Counts finished checks by outcome."""
    tally = Tally(
        (item.outcome.status, item.outcome.reason or "", item.check.cause) for item in items
    )
    for labels, count in tally.items():
        metrics.CHECKS.labels(*labels).inc(count)
