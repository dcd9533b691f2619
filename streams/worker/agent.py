"""The agent: applies the messages from Faust in the order of the log."""

import time
from typing import Any, Final

from aiokafka.errors import KafkaError
from faust import App
from faust.types import TP

from foundation.telemetry import logger
from streams.worker import metrics
from streams.worker.assignment import Assignment
from streams.worker.exit import end_process
from streams.worker.partition_processor import Partition

_JUMP_RECORDS: Final = 1_000
"""Already applied records that are read one by one; more are skipped with a seek."""

_log = logger(__name__)


class ResultsAgent:
    """Passes the messages of a Faust stream to the partitions of `assignment`, one by one.

    One message costs one await (Faust's own), and a second one only if there is something to send.
    """

    def __init__(self, app: App, assignment: Assignment) -> None:
        self._app = app
        self._assignment = assignment
        self._jumped: dict[int, Partition] = {}

    async def feed(self, stream: Any) -> None:
        """Runs until Faust ends the stream. Any failure ends the process.

        Faust would acknowledge and skip a message on which an exception leaves the agent.
        """
        try:
            await self._feed(stream)
        except Exception as error:  # noqa: BLE001 - see above
            end_process("the stream failed", error)

    async def _feed(self, stream: Any) -> None:
        find = self._assignment.find
        async for _ in stream:
            message = stream.current_event.message
            partition = find(message.partition)
            if partition is None or message.offset != partition.state.offset + 1:
                partition = await self._find_way(message)
            if partition is None or not partition.open:
                continue
            partition.heard_at = time.monotonic()
            # Faust gives seconds as a float, which is exact to the millisecond until 2286.
            append_time = round(message.timestamp * 1000)
            await partition.process(
                message.offset, append_time, message.value, message.headers or ()
            )

    async def _find_way(self, message: Any) -> Partition | None:
        """The partition, ready for exactly this message; None if it must not be applied."""
        partition = await self._assignment.ready(message.partition)
        if partition is None or not partition.open:
            return None
        partition.heard_at = time.monotonic()
        behind = partition.state.offset - message.offset
        if behind >= 0:
            metrics.SKIPPED.inc()
            if behind > _JUMP_RECORDS and self._jumped.get(partition.number) is not partition:
                self._jumped[partition.number] = partition
                await self._jump(message.topic, partition)
            return None
        if behind < -1 and not await self._assignment.fill(partition, message.offset):
            return None
        return partition

    async def _jump(self, topic: str, partition: Partition) -> None:
        """Moves Faust behind the state; if that fails, reading one by one does no harm."""
        target = partition.state.offset + 1
        _log.info("jumping over records that the state has", partition=partition.number, to=target)
        try:
            await self._app.consumer.seek_wait({TP(topic, partition.number): target})
        except (KafkaError, TimeoutError) as error:
            _log.warning("could not jump", partition=partition.number, error=str(error))
