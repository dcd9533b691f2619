"""The sink: one consumer of every topic, a lane for each partition that it was given."""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from portquorum.kafka import consumer
from portquorum.settings import Settings
from portquorum.telemetry import logger
from schemas import topics
from schemas.topics import Topic
from sinks.clickhouse import metrics
from sinks.clickhouse.lane import Lane
from sinks.clickhouse.letters import Letters
from sinks.clickhouse.offsets import Offsets
from sinks.clickhouse.services import Services
from sinks.clickhouse.stall import StallWatch
from sinks.clickhouse.writer import Writer

BUFFER_BYTES: Final = 48 * 1024 * 1024
"""What the lanes of [results] may hold together before each of their partitions is paused."""

SMALLEST_BUFFER_BYTES: Final = 1024 * 1024
LARGEST_BUFFER_BYTES: Final = 16 * 1024 * 1024
FETCH_BYTES: Final = 256 * 1024
"""What one fetch brings of a partition, still compressed: ten times as much when it is opened."""

GRACE_S: Final = 3.0
"""How long a lane may take to finish its block when its partition is taken away."""

DESKS: Final = 3
"""One block is decoded while two are inserted."""

_POLL_MS: Final = 500
_LOOK_S: Final = 5.0


class Sink:
    """Owns the consumer, the lanes and what they share. Use once: `await Sink(settings).run(…)`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._log = logger(__name__)
        self._lanes: dict[TopicPartition, tuple[Lane, asyncio.Task[None]]] = {}
        self._topics: dict[str, Topic] = {
            topic.full_name(settings.topic_prefix): topic for topic in topics.ALL
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop`; on return all is closed and each lane's block done or dropped."""
        group = self._settings.group("sink")
        client = consumer(self._settings, group_id=group, max_partition_fetch_bytes=FETCH_BYTES)
        watch = StallWatch()
        writer = Writer(self._settings)
        letters = Letters(self._settings)
        offsets = Offsets(self._settings, client, group, watch)
        desks = asyncio.Semaphore(DESKS)
        self._services = Services(self._settings, client, offsets, writer, letters, desks)
        ticking = asyncio.create_task(watch.run())
        client.subscribe(list(self._topics), listener=_Listener(self))
        try:
            await client.start()
            poll = asyncio.create_task(self._poll(client))
            look = asyncio.create_task(self._look(client))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({stopped, poll}, return_when=asyncio.FIRST_COMPLETED)
            await _cancelled(look, stopped)
            if poll.done():
                poll.result()
            await _cancelled(poll)
        finally:
            await self.end_lanes(list(self._lanes))
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(GRACE_S):
                    await asyncio.gather(client.stop(), letters.close(), offsets.close())
            await writer.close()
            await _cancelled(ticking)

    def start_lanes(self, assigned: Iterable[TopicPartition]) -> None:
        """Starts a lane for each partition; none reads before it has its offsets."""
        assigned = list(assigned)
        heavy = sum(self._topics[tp.topic] is topics.RESULTS for tp in assigned)
        share = min(max(BUFFER_BYTES // max(heavy, 1), SMALLEST_BUFFER_BYTES), LARGEST_BUFFER_BYTES)
        for partition in assigned:
            topic = self._topics[partition.topic]
            size = share if topic is topics.RESULTS else SMALLEST_BUFFER_BYTES
            lane = Lane(self._services, topic, partition, size)
            self._lanes[partition] = (lane, asyncio.create_task(lane.run()))
        self._log.info("partitions assigned", partitions=len(assigned), results=heavy)

    async def end_lanes(self, revoked: Iterable[TopicPartition]) -> None:
        """Ends lanes: after `GRACE_S` none of them says or commits anything more."""
        ended = [self._lanes.pop(tp) for tp in revoked if tp in self._lanes]
        if not ended:
            return
        for lane, _ in ended:
            lane.stop()
        tasks = [task for _, task in ended]
        await asyncio.wait(tasks, timeout=GRACE_S)
        await _cancelled(*tasks)

    async def _poll(self, client: AIOKafkaConsumer) -> None:
        while True:
            try:
                batches = await client.getmany(timeout_ms=_POLL_MS)
            except KafkaError as error:
                # What other partitions had in the same call is gone with it.
                self._log.warning("reading from Kafka failed", error=str(error))
                for lane, _ in self._lanes.values():
                    lane.forget()
                await asyncio.sleep(1)
                continue
            for partition, records in batches.items():
                found = self._lanes.get(partition)
                if found is not None:
                    found[0].feed(records)
            # `getmany` does not yield while there is data.
            await asyncio.sleep(0)

    async def _look(self, client: AIOKafkaConsumer) -> None:
        """Keeps the lag metrics."""
        while True:
            lag = dict.fromkeys((topic.name for topic in self._topics.values()), 0)
            for partition, (lane, _) in list(self._lanes.items()):
                if partition in client.assignment():
                    end = client.highwater(partition)
                    lag[self._topics[partition.topic].name] += max(0, (end or 0) - lane.committed)
            for name, messages in lag.items():
                metrics.LAG.labels(name).set(messages)
            await asyncio.sleep(_LOOK_S)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._sink.end_lanes(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._sink.start_lanes(assigned)


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
