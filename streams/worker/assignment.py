"""The partitions of this worker: restores, feeds, checkpoints and releases them."""

import asyncio
from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from foundation.settings import Settings
from foundation.telemetry import logger
from schemas import topics
from streams import results_log
from streams.checkpoint import decoder, store
from streams.checkpoint.judged import judged_now
from streams.checkpoint.model import PartitionCheckpoints
from streams.checkpoint.restore import from_shelf, refuse_newer
from streams.checkpoint.writer import CheckpointWriter
from streams.state.partition_state import PartitionState, new_state
from streams.worker import metrics
from streams.worker.catch_up import catch_up
from streams.worker.committer import Committer
from streams.worker.event_producer import EventProducer
from streams.worker.exit import end_process
from streams.worker.partition_processor import Partition

FAREWELL_S: Final = 2.0
"""Longest wait of a revocation, or of a stop, for the last checkpoints, in s."""

_RETRY_S: Final = 1.0
_AT_ONCE: Final = 8
"""Number of partitions that write checkpoints at the same time."""

_log = logger(__name__)


class Assignment:
    """All partitions of one assignment; a new assignment replaces all earlier ones.

    Faust only delivers: the state's offset decides which record comes next. A record at or below it
    is skipped; for a record further ahead the worker reads the records between from the log itself.
    Thus nothing depends on where Faust begins to read, or on what it skips.
    """

    def __init__(
        self,
        settings: Settings,
        producer: AIOKafkaProducer,
        saver: AIOKafkaProducer,
        acknowledger: Committer,
    ) -> None:
        """`saver` writes checkpoints, `producer` everything else."""
        self._settings = settings
        self._producer = producer
        self._saver = saver
        self._acknowledger = acknowledger
        self._partitions: dict[int, Partition] = {}
        self._restoring: asyncio.Task[None] | None = None
        self.busy = False

    @property
    def partitions(self) -> list[Partition]:
        """The restored partitions, none before the restore has ended."""
        return list(self._partitions.values())

    def assigned(self, numbers: Iterable[int]) -> None:
        """Starts the restore of `numbers`; drops all earlier partitions."""
        self._drop()
        numbers = sorted(numbers)
        if numbers:
            self._restoring = asyncio.create_task(self._restore_or_end(numbers))

    async def revoked(self) -> None:
        """Writes the last checkpoints, `FAREWELL_S` at most, and drops all states.

        Never raises: the next owner repeats whatever was not saved.
        """
        partitions = self.partitions
        for partition in partitions:
            partition.open = False
        try:
            async with asyncio.timeout(FAREWELL_S):
                await _checkpoint(partitions)
        except (TimeoutError, KafkaError) as error:
            _log.warning(
                "the last checkpoint was not confirmed in time; the next owner reads from the"
                " one before",
                error=f"{type(error).__name__}: {error}",
            )
        finally:
            self._drop()

    async def checkpoint(self) -> None:
        """Checkpoints all partitions.

        Raises:
            aiokafka.errors.KafkaError: one was not confirmed.
        """
        await _checkpoint([partition for partition in self.partitions if partition.open])

    def find(self, number: int) -> Partition | None:
        """The partition if it is restored and open: the fast path."""
        return self._partitions.get(number)

    async def ready(self, number: int) -> Partition | None:
        """The partition once it is restored; None if it is not ours (any more)."""
        task = self._restoring
        if task is not None:
            await asyncio.wait([task])
        return self._partitions.get(number)

    async def fill(self, partition: Partition, until: int) -> bool:
        """Applies the records of the log between the state's offset and `until` (exclusive).

        False if the partition was revoked meanwhile.
        """
        self.busy = True
        try:
            return await catch_up(self._settings, partition, until)
        finally:
            self.busy = False

    def _drop(self) -> None:
        if self._restoring is not None:
            self._restoring.cancel()
            self._restoring = None
        for partition in self._partitions.values():
            partition.open = partition.ours = False
            metrics.forget(partition.number)
        self._partitions = {}

    async def _restore_or_end(self, numbers: list[int]) -> None:
        try:
            await self._restore(numbers)
        except Exception as error:  # noqa: BLE001 - without a state nothing can go on
            end_process("the state can't be restored", error)

    async def _restore(self, numbers: list[int]) -> None:
        while True:
            try:
                found = await store.read(self._settings, topics.STATE.name, numbers)
                bounds = await results_log.bounds(self._settings, numbers)
                break
            except (KafkaError, OSError) as error:
                _log.warning("[state] can't be read, trying again", error=str(error))
                await asyncio.sleep(_RETRY_S)
        restored = {
            number: await self._start(found[number], bounds[number].end) for number in numbers
        }
        self._partitions = restored
        self._restoring = None

    async def _start(self, shelf: PartitionCheckpoints, log_end: int) -> Partition:
        number, settings = shelf.partition, self._settings
        state, impossible = from_shelf(shelf, settings.partitions, log_end=log_end)
        refuse_newer(shelf, -1 if state is None else state.offset, log_end)
        if impossible:
            await self._discard(shelf, [checkpoint.name for checkpoint in impossible])
        if shelf.incomplete():
            _log.warning("incomplete checkpoints were left out", partition=number)
        heads = [one.head for one in shelf.complete()]
        judged = judged_now(heads, -1 if state is None else state.offset)
        source = "state" if state is not None else "nothing"
        metrics.RESTORED.labels(source).inc()
        if state is None:
            state = new_state(number, settings.partitions)
        _log.info(
            "partition assigned",
            partition=number,
            source=source,
            offset=state.offset,
            targets=len(state.targets) + len(state.jobs),
        )
        writer = CheckpointWriter(settings, self._saver, shelf, judged)
        if judged.since == state.offset + 1 > 0:
            # From here on this version decides: a replay of later begins at this very state.
            await _archived(writer, state)
        return Partition(
            state,
            EventProducer(settings, self._producer, number),
            writer,
            self._acknowledger,
        )

    async def _discard(self, shelf: PartitionCheckpoints, names: list[tuple[str, int]]) -> None:
        _log.error(
            "checkpoints lie beyond the end of the log, so they belong to a log that is no more"
            " (was [results] deleted?); they are deleted and the state starts anew",
            partition=shelf.partition,
            checkpoints=len(names),
        )
        keys = shelf.keys()
        for name in names:
            await store.delete(
                self._saver,
                self._settings.topic(topics.STATE.name),
                shelf.partition,
                keys[name],
            )


async def _archived(writer: CheckpointWriter, state: PartitionState) -> None:
    try:
        await writer.archive(decoder.encode(state), state.offset, state.now)
    except KafkaError as error:
        _log.warning(
            "a replay can't begin where this version does: its checkpoint was not confirmed",
            partition=state.partition,
            error=str(error),
        )


async def _checkpoint(partitions: list[Partition]) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(partition: Partition) -> None:
        async with gate:
            await partition.checkpoint()

    await asyncio.gather(*map(one, partitions))
