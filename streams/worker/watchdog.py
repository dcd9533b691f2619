"""Moves the clock of idle partitions, and detects when Faust no longer delivers."""

import asyncio
import os
import socket
import time
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from foundation.standstill import write_begins
from foundation.telemetry import logger
from schemas import control, topics
from schemas.control import Tick
from streams.worker import metrics
from streams.worker.assignment import Assignment
from streams.worker.exit import end_process
from streams.worker.partition_processor import Partition

IDLE_S: Final = 10.0
"""Time without a record after which a partition gets a tick, in s."""

DEAF_LOOKS: Final = 60
"""Checks without a delivered tick before Faust counts as stuck; a check comes every second."""

TURN_LOOKS: Final = 600
"""The same while other partitions are fed: in a backlog they take turns, and a turn is a whole
fetch, thousands of messages (measured: 27,000 of 30,000 were fed while one waited)."""

SAID_S: Final = 60.0
"""How often the same error of ticks is said, in s."""

_LOOK_S: Final = 1.0

_log = logger(__name__)


class Watchdog:
    """Checks each partition once a second.

    The probers' beats move a partition's clock; a silence of all probers would stay unnoticed,
    because no rule reads the machine's clock. Therefore the worker writes a tick into the log, and
    the clock moves when the tick comes back. A tick that is in the log and does not come back shows
    that the path through Faust is broken: the process ends, and its successor continues.
    """

    def __init__(
        self, settings: Settings, producer: AIOKafkaProducer, assignment: Assignment
    ) -> None:
        self._topic = settings.topic(topics.RESULTS.name)
        self._producer = producer
        self._assignment = assignment
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._ticked: dict[int, float] = {}
        self._deaf: dict[int, int] = {}
        self._throttle = LogThrottle[str](SAID_S)

    async def run(self) -> None:
        """Writes ticks until it is cancelled. Repeats a tick that can't be written."""
        while True:
            await asyncio.sleep(_LOOK_S)
            idle = [part for part in self._assignment.partitions if self._is_idle(part)]
            await asyncio.gather(*map(self._tick, idle))
            for partition in self._assignment.partitions:
                self._listen(partition)

    def _is_idle(self, partition: Partition) -> bool:
        last = max(partition.heard_at, self._ticked.get(partition.number, 0.0))
        return partition.open and time.monotonic() - last >= IDLE_S

    async def _tick(self, partition: Partition) -> None:
        self._ticked[partition.number] = time.monotonic()
        write = write_begins(topics.RESULTS.name, partition.number)
        try:
            sent = await self._producer.send_and_wait(
                self._topic,
                value=b"",
                partition=partition.number,
                headers=control.headers(Tick(worker=self._worker)),
            )
        except KafkaError as error:
            write.failed()
            # Each idle partition tries again after `IDLE_S`: with 32 of them 3 times a second.
            if times := self._throttle.times(type(error).__name__):
                _log.warning(
                    "no tick could be written",
                    partition=partition.number,
                    error=str(error),
                    times=times,
                    again_in_s=round(SAID_S),
                )
            return
        write.confirmed()
        metrics.TICKS.inc()
        partition.ticked = sent.offset

    def _listen(self, partition: Partition) -> None:
        number = partition.number
        heard = time.monotonic() - partition.heard_at < IDLE_S
        awaited = partition.ticked > partition.state.offset
        if heard or not awaited or self._assignment.busy:
            self._deaf[number] = 0
            return
        # Looks are counted, not seconds: a process that was stopped must not conclude anything
        # from the time that it slept.
        self._deaf[number] = self._deaf.get(number, 0) + 1
        newest = max(each.heard_at for each in self._assignment.partitions)
        limit = TURN_LOOKS if time.monotonic() - newest < IDLE_S else DEAF_LOOKS
        if self._deaf[number] >= limit:
            end_process(
                f"{self._topic} partition {number} has records after offset "
                f"{partition.state.offset}, and Faust has fed none for {limit} s"
            )
