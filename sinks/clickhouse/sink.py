"""The sink: one consumer of the topics that have rows, a pipeline for each assigned partition."""

import asyncio
import time
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from foundation.kafka import consumer, leave, vital_tasks
from foundation.lifecycle import cancelled
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from foundation.standstill import PartitionProgress
from foundation.telemetry import logger
from foundation.upgrade_order import client_id
from schemas import topics
from schemas.topics import Topic
from sinks.clickhouse import metrics
from sinks.clickhouse.bad_line_limit import BadLines, TooManyBadLinesError
from sinks.clickhouse.context import SinkContext
from sinks.clickhouse.dead_letters import DeadLetters
from sinks.clickhouse.errors import SinkTaskEndedError
from sinks.clickhouse.offsets import Offsets
from sinks.clickhouse.partition_pipeline import PartitionPipeline
from sinks.clickhouse.suspend_detector import SuspendDetector
from sinks.clickhouse.writer import Writer

BUFFER_BYTES: Final = 48 * 1024 * 1024
"""Bytes that the pipelines of [results] may hold together before their partitions are paused.

During its turn (one of `TURNS`) a pipeline may hold `TURN_BYTES`.
"""

TURN_BYTES: Final = 40 * 1024 * 1024
"""100,000 results."""

SMALLEST_BUFFER_BYTES: Final = 1024 * 1024
LARGEST_BUFFER_BYTES: Final = 16 * 1024 * 1024
FETCH_BYTES: Final = 512 * 1024
"""Compressed bytes of one fetch from a partition; about ten times as much uncompressed."""

TURNS: Final = 2
"""One pipeline fills its block while the next one waits for a desk."""

GRACE_S: Final = 3.0
"""Longest time for a pipeline to finish its block after a revocation, in s."""

LEAVE_S: Final = 2.0
"""Longest time for the broker to release this member, in s."""

PATIENCE_S: Final = 10.0
"""Time of constant failures after which a consumer does not recover by itself, in s."""

DESKS: Final = 3
"""One block is decoded while two are inserted."""

_POLL_MS: Final = 500
_LOOK_S: Final = 5.0
_ENDS_S: Final = 15.0


class Sink:
    """Owns consumer, pipelines and context. Use it once: `await Sink(settings).run(…)`."""

    _services: SinkContext
    _broken: "asyncio.Future[None]"

    def __init__(self, settings: Settings, without: Collection[str] = ()) -> None:
        """`without`: full names of topics that are not read."""
        self._settings = settings
        self._log = logger(__name__)
        self._ending = False
        self._progress = PartitionProgress()
        self._ends: dict[TopicPartition, int] = {}
        self._lanes: dict[TopicPartition, tuple[PartitionPipeline, asyncio.Task[None]]] = {}
        self._topics: dict[str, Topic] = {
            name: topic
            for topic in topics.read_by("sink")
            if (name := topic.full_name(settings.topic_prefix)) not in without
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop`; on return all is closed and each pipeline's block done or dropped.

        Raises:
            aiokafka.errors.KafkaError, OSError: Kafka can't be reached at the start.
            sinks.clickhouse.errors.SinkTaskEndedError: no messages are read any more, or a
                partition has no pipeline. All is closed, too.
            sinks.clickhouse.bad_line_limit.TooManyBadLinesError: a topic is mostly unreadable; a
                restart does not help. All is closed, too.
        """
        group = self._settings.group("sink")
        client = consumer(
            self._settings,
            client_id=client_id("sink"),
            group_id=group,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        watch = SuspendDetector()
        writer = Writer(self._settings)
        letters = DeadLetters(self._settings)
        offsets = Offsets(self._settings, client, group, watch, topics=self._topics)
        self._services = SinkContext(
            settings=self._settings,
            consumer=client,
            offsets=offsets,
            writer=writer,
            letters=letters,
            throttle=LogThrottle(),
            bad_lines=self._bad_lines(),
            turns=asyncio.Semaphore(TURNS),
            desks=asyncio.Semaphore(DESKS),
        )
        self._broken = asyncio.get_running_loop().create_future()
        client.subscribe(list(self._topics), listener=_Listener(self))
        stopped = asyncio.create_task(stop.wait())
        starting = asyncio.create_task(client.start())
        own = [asyncio.create_task(watch.run())]
        try:
            await _first(stopped, starting)
            if not stop.is_set():
                starting.result()
                own.append(asyncio.create_task(self._poll(client)))
                own.append(asyncio.create_task(self._look(client)))
                own.append(asyncio.create_task(self._ask_ends(offsets)))
                await _first(stopped, self._broken, *own, *vital_tasks(client))
            if not stop.is_set():
                _raise_ended(self._broken, *own, *vital_tasks(client))
        finally:
            self._ending = True
            await self.end_lanes(list(self._lanes))
            await cancelled(stopped, starting, *own)
            if not self._broken.cancel():
                self._broken.exception()  # it is raised, or too late to matter
            await asyncio.gather(
                leave(client, LEAVE_S), letters.close(), offsets.close(), return_exceptions=True
            )
            await writer.close()

    def start_lanes(self, assigned: Iterable[TopicPartition]) -> None:
        """Starts a pipeline for each partition; none reads before it has its offsets."""
        if self._ending:
            return
        assigned = list(assigned)
        heavy = sum(self._topics[tp.topic] is topics.RESULTS for tp in assigned)
        share = min(max(BUFFER_BYTES // max(heavy, 1), SMALLEST_BUFFER_BYTES), LARGEST_BUFFER_BYTES)
        for partition in assigned:
            topic = self._topics[partition.topic]
            heavily = topic is topics.RESULTS
            lane = PartitionPipeline(
                self._services,
                topic,
                partition,
                buffer_bytes=share if heavily else SMALLEST_BUFFER_BYTES,
                turn_bytes=TURN_BYTES if heavily else None,
            )
            task = asyncio.create_task(lane.run(), name=f"the lane of {partition}")
            self._lanes[partition] = (lane, task)
            task.add_done_callback(partial(self._lane_ended, partition))
        self._log.info("partitions assigned", partitions=len(assigned), results=heavy)

    async def end_lanes(self, revoked: Iterable[TopicPartition]) -> None:
        """Ends pipelines: after `GRACE_S` none of them logs or commits anything more."""
        revoked = list(revoked)
        for tp in revoked:
            self._progress.forget(self._topics[tp.topic].name, tp.partition)
        ended = [self._lanes.pop(tp) for tp in revoked if tp in self._lanes]
        if not ended:
            return
        for lane, _ in ended:
            lane.stop()
        tasks = [task for _, task in ended]
        await asyncio.wait(tasks, timeout=GRACE_S)
        await cancelled(*tasks)

    def fail(self, why: str, error: BaseException | None) -> None:
        """Ends the sink: its state is no longer complete."""
        if self._broken.done():
            return
        if isinstance(error, TooManyBadLinesError):
            self._broken.set_exception(error)
        else:
            ended = SinkTaskEndedError(f"{why}: {error!r}" if error else why)
            ended.__cause__ = error
            self._broken.set_exception(ended)

    def _lane_ended(self, partition: TopicPartition, task: asyncio.Task[None]) -> None:
        """Fails the sink if the pipeline was not asked to end (those are off the list before)."""
        _, current = self._lanes.get(partition, (None, None))
        if current is task:
            self.fail(f"{task.get_name()} ended", None if task.cancelled() else task.exception())

    def _bad_lines(self) -> dict[str, BadLines]:
        most = self._settings.sink_bad_lines_ratio
        return {topic.name: BadLines(name, most) for name, topic in self._topics.items()}

    async def _poll(self, client: AIOKafkaConsumer) -> None:
        failing_since: float | None = None
        while True:
            try:
                batches = await client.getmany(timeout_ms=_POLL_MS)
            except KafkaError as error:
                now = time.monotonic()
                failing_since = failing_since or now
                if now - failing_since > PATIENCE_S:
                    raise
                # What other partitions had in the same call is gone with it.
                if times := self._services.throttle.times("reading failed"):
                    self._log.warning("reading from Kafka failed", error=str(error), times=times)
                for lane, _ in self._lanes.values():
                    lane.forget()
                await asyncio.sleep(1)
                continue
            failing_since = None
            for partition, records in batches.items():
                found = self._lanes.get(partition)
                if found is not None:
                    found[0].feed(records)
            # `getmany` does not yield while there is data.
            await asyncio.sleep(0)

    async def _ask_ends(self, offsets: Offsets) -> None:
        """Keeps the ends of the partitions up to date, whether or not they are fetched."""
        while True:
            await asyncio.sleep(_ENDS_S)
            try:
                self._ends = await offsets.ends(list(self._lanes))
            except (KafkaError, TimeoutError, OSError):
                continue  # Kafka is away, and that is said elsewhere

    async def _look(self, client: AIOKafkaConsumer) -> None:
        """Updates the lag metrics."""
        while True:
            lag = dict.fromkeys((topic.name for topic in self._topics.values()), 0)
            for partition, (lane, _) in list(self._lanes.items()):
                if partition in client.assignment():
                    # What is fetched no more has an old high water mark.
                    end = max(client.highwater(partition) or 0, self._ends.get(partition, 0))
                    name = self._topics[partition.topic].name
                    lag[name] += max(0, end - lane.committed)
                    self._progress.show(name, partition.partition, lane.committed, end)
            for name, messages in lag.items():
                metrics.LAG.labels(name).set(messages)
            await asyncio.sleep(_LOOK_S)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    # aiokafka ignores what is raised here: partitions would have no pipeline, or two.

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        try:
            await self._sink.end_lanes(revoked)
        except Exception as error:  # noqa: BLE001 - it is raised by Sink.run
            self._sink.fail("partitions could not be given back", error)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        try:
            self._sink.start_lanes(assigned)
        except Exception as error:  # noqa: BLE001 - it is raised by Sink.run
            self._sink.fail("assigned partitions could not be begun", error)


async def _first(*parts: asyncio.Future[Any]) -> None:
    """Returns when one of `parts` is done."""
    await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)


def _raise_ended(*parts: asyncio.Future[Any]) -> None:
    """Raises the error of one of `parts` that has ended."""
    for part in parts:
        if not part.done():
            continue
        error = None if part.cancelled() else part.exception()
        if isinstance(error, SinkTaskEndedError | TooManyBadLinesError):
            raise error
        routine = part.get_coro() if isinstance(part, asyncio.Task) else part
        name = getattr(routine, "__qualname__", "a part")
        raise SinkTaskEndedError(f"{name} ended: {error or 'without an error'}") from error
