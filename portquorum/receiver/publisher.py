"""Publishes reports to [results]: each one is confirmed by the broker, or its client is told.

One message at a time is on its way to each partition, so reports that come meanwhile leave
together. When a send fails the connection is made anew, and everything that still waits is sent
again with the same bytes: a report may be in the log twice, never not at all.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from foundation.backoff import Backoff
from foundation.kafka.reconnecting_producer import SEND_ERRORS, ReconnectingProducer
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from foundation.telemetry import logger
from portquorum.receiver import metrics
from producers.broker_clock import Clock
from schemas import control
from schemas.batch import MAX_RESULTS
from schemas.partition import partition_for
from schemas.topics import RESULTS

ANSWER_S: Final = 8.0
"""Longest wait for a confirmation: `curl -m 10` still hears that there was none."""
SEND_S: Final = 4.0
"""Longest wait for one message; another producer may be able to send it."""
CONNECT_S: Final = 4.0
MOST_WAITING: Final = 400
"""Reports that wait at once; each of them holds a connection, and the page needs some, too."""
STOP_S: Final = 1.5
_MOST_BYTES: Final = 400_000
"""Bytes of a message."""
_BACKOFF: Final = Backoff(first_s=0.1, longest_s=2.0)

_log = logger(__name__)


class NotConfirmedError(Exception):
    """The broker did not confirm a report; it may be in the log all the same."""


class _Waiting:
    """A line and the future that ends with its confirmation."""

    __slots__ = ("confirmed", "line")

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Lane:
    """What waits for one partition, and the task that sends it."""

    def __init__(self) -> None:
        self.waiting: deque[_Waiting] = deque()
        self.task: asyncio.Task[None] | None = None

    def take(self) -> list[_Waiting]:
        """The next message's lines: those that somebody still waits for."""
        found: list[_Waiting] = []
        size = 0
        while self.waiting and len(found) < MAX_RESULTS:
            one = self.waiting[0]
            if found and size + len(one.line) > _MOST_BYTES:
                break
            self.waiting.popleft()
            if not one.confirmed.done():
                found.append(one)
                size += len(one.line)
        return found

    def forget(self, one: _Waiting) -> None:
        """Nobody waits for it any more."""
        one.confirmed.cancel()
        with contextlib.suppress(ValueError):
            self.waiting.remove(one)


class ReportPublisher:
    """Sends lines and beats to [results]; `run` must run."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        most_waiting: int = MOST_WAITING,
        producer: ReconnectingProducer | None = None,
    ) -> None:
        """Connects to nothing yet. `clock` learns from each confirmation."""
        self._most_waiting = most_waiting
        self._topic = settings.topic(RESULTS.name)
        self._partitions = settings.partitions
        self._clock = clock
        self._producer = producer or ReconnectingProducer(
            settings, start_s=CONNECT_S, compression_type=RESULTS.compression
        )
        self._lanes = [_Lane() for _ in range(settings.partitions)]
        self._wanted = asyncio.Event()
        self._connected = asyncio.Event()
        self._gone = asyncio.Event()
        self._wait_s: float | None = None
        self._count = 0
        self._beating: dict[int, asyncio.Future[object]] = {}
        self._throttle: LogThrottle[str] = LogThrottle()

    @property
    def is_connected(self) -> bool:
        """Whether the broker took what was last sent."""
        return self._connected.is_set()

    @property
    def waiting(self) -> int:
        """Reports without a confirmation."""
        return self._count

    def want(self) -> None:
        """There is something to send: only now a connection is made, and kept from now on.

        Most fleets have a page and no jobs; its user at the broker may have no right to write.
        """
        self._wanted.set()

    async def publish(self, job_id: str, line: bytes) -> None:
        """Returns when the broker has confirmed the line.

        Raises:
            NotConfirmedError: not within `ANSWER_S`, or too many wait already.
        """
        if self._count >= self._most_waiting:
            raise NotConfirmedError
        self.want()
        one = _Waiting(line)
        lane = self._lanes[partition_for(job_id, self._partitions)]
        lane.waiting.append(one)
        if lane.task is None:
            lane.task = asyncio.create_task(self._drain(lane))
        self._count += 1
        try:
            async with asyncio.timeout(ANSWER_S):
                await one.confirmed
        except TimeoutError:
            raise NotConfirmedError from None
        finally:
            if not one.confirmed.done() or one.confirmed.cancelled():
                lane.forget(one)
            self._count -= 1

    async def run(self) -> None:
        """Keeps a connection until cancelled, once one is wanted."""
        await self._wanted.wait()
        while True:
            try:
                await self._producer.connect()
            except SEND_ERRORS as error:
                if self._throttle.times("connect"):
                    _log.warning("can't reach Kafka: reports are refused", error=str(error))
            else:
                self._throttle.forget("connect")
                self._gone.clear()
                self._connected.set()
                await self._gone.wait()
                await self._producer.give_up()
            self._wait_s = _BACKOFF.next(self._wait_s)
            await asyncio.sleep(self._wait_s)

    async def beat(self, beat: control.Beat) -> None:
        """Sends a beat to every partition whose last beat is confirmed, if there is a connection.

        Returns after the producer took them.
        """
        if not self._connected.is_set():
            return
        headers = control.headers(beat)
        for partition in range(self._partitions):
            if partition in self._beating:
                continue
            enqueued_at = self._clock.monotonic()
            try:
                future = await self._producer.send(
                    self._topic, b"", partition=partition, headers=headers
                )
            except SEND_ERRORS as error:
                self._break(error)
                return
            self._beating[partition] = future
            future.add_done_callback(partial(self._beat_confirmed, partition, enqueued_at))

    async def beats_confirmed(self) -> None:
        """Returns when all beats are confirmed, or the connection is gone."""
        gone = asyncio.ensure_future(self._gone.wait())
        try:
            while self._beating and not gone.done():
                waits: set[asyncio.Future[Any]] = {*self._beating.values(), gone}
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(0)
        finally:
            gone.cancel()

    async def close(self) -> None:
        """Ends the connection for good; what waits is waited for, for a moment.

        `run` is to be cancelled before.
        """
        tasks = [lane.task for lane in self._lanes if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._producer.close(STOP_S, STOP_S + 1)

    # Sending

    async def _drain(self, lane: _Lane) -> None:
        try:
            while items := lane.take():
                await self._deliver(self._lanes.index(lane), items)
        finally:
            lane.task = None

    async def _deliver(self, partition: int, items: Sequence[_Waiting]) -> None:
        """Sends until the broker has confirmed, or nobody waits for it any more."""
        while items := [one for one in items if not one.confirmed.done()]:
            await self._connected.wait()
            value = b"".join(one.line for one in items)
            try:
                await self._send(partition, value)
            except SEND_ERRORS as error:
                self._break(error)
                continue
            for one in items:
                if not one.confirmed.done():
                    one.confirmed.set_result(None)
            return

    async def _send(self, partition: int, value: bytes) -> None:
        enqueued_at = self._clock.monotonic()
        future: asyncio.Future[Any] = await self._producer.send(
            self._topic, value, partition=partition
        )
        gone = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait({future, gone}, timeout=SEND_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        if not future.done():
            raise TimeoutError("the broker did not confirm in time")
        if future.cancelled():
            raise TimeoutError("the producer was closed")
        self._learn(enqueued_at, future.result())
        self._wait_s = None
        metrics.BATCHES.inc()

    def _beat_confirmed(
        self, partition: int, enqueued_at: float, future: "asyncio.Future[object]"
    ) -> None:
        if self._beating.get(partition) is not future:
            return
        del self._beating[partition]
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self._learn(enqueued_at, future.result())
        else:
            self._break(error)

    def _learn(self, enqueued_at: float, metadata: object) -> None:
        if getattr(metadata, "timestamp_type", None) == 1:
            stamp = int(getattr(metadata, "timestamp"))  # noqa: B009 - aiokafka has no types
            self._clock.learn(enqueued_at, self._clock.monotonic(), stamp)

    def _break(self, error: BaseException) -> None:
        if not self._connected.is_set():
            return
        metrics.FAILURES.inc()
        if self._throttle.times("send"):
            _log.warning("a send failed; connecting anew and sending again", error=repr(error))
        self._connected.clear()
        self._beating.clear()
        self._gone.set()
