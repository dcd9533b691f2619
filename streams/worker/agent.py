"""The agent: takes what Faust feeds, and lets through what comes next."""

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
"""More records than this that were applied before are jumped over, not read one by one."""

_log = logger(__name__)


class Feeder:
    """Feeds the partitions of `assignment` with the messages of a Faust stream, one by one.

    One message costs one await (Faust's own); a second one only when something is to be sent.
    """

    def __init__(self, app: App, assignment: Assignment) -> None:
        self._app = app
        self._assignment = assignment
        self._jumped: dict[int, Partition] = {}

    async def feed(self, stream: Any) -> None:
        """Runs until Faust ends the stream. Any failure ends the process.

        What escapes from an agent would be acknowledged and passed over by Faust.
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
        """The partition, ready for exactly this message; None if it is not to be applied."""
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
        """Lets Faust go on behind the state; if it can't, reading one by one does no harm."""
        target = partition.state.offset + 1
        _log.info("jumping over records that the state has", partition=partition.number, to=target)
        try:
            await self._app.consumer.seek_wait({TP(topic, partition.number): target})
        except (KafkaError, TimeoutError) as error:
            _log.warning("could not jump", partition=partition.number, error=str(error))
