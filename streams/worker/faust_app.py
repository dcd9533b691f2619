"""The Faust app: the services around the rules."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable
from typing import Any, Final

import faust
from aiokafka import AIOKafkaProducer

from foundation import kafka
from foundation.kafka import clients
from foundation.settings import Settings
from foundation.target_series import offer
from schemas import topics
from schemas.topics import Compression
from streams.worker.agent import ResultsAgent
from streams.worker.assignment import Assignment
from streams.worker.committer import Committer
from streams.worker.exit import end_process
from streams.worker.faust_config import configuration
from streams.worker.faust_consumer import Transport
from streams.worker.gauges import measure
from streams.worker.open_repair import OpenRepair
from streams.worker.target_series import StreamTargets
from streams.worker.watchdog import Watchdog

ROLE: Final = "stream"

_MAX_REQUEST_BYTES: Final = 8 * 1024 * 1024
_BATCH_BYTES: Final = 256 * 1024
_LINGER_MS: Final = 5
_GOODBYE_S: Final = 2.0


class StreamApp(faust.App):
    """Reads [results] with one agent; all other services are this package's own.

    No tables, no `take`, no windowed tables, no exactly-once, no acknowledgement by Faust: see
    docs/decisions/0002-plain-state-and-checkpoints.md and 0010-acknowledgement-beside-faust.md for
    the reasons.
    """

    # What Faust says of its services goes where its other words go.
    logger = logging.getLogger("faust.app")

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.group(ROLE), **configuration(settings))
        self.settings = settings
        self.assignment: Assignment | None = None
        self._outgoing: list[AIOKafkaProducer] = []
        self._kept: list[asyncio.Task[None]] = []
        results = self.topic(
            settings.topic(topics.RESULTS.name),
            key_serializer="raw",
            value_serializer="raw",
            acks=False,
            internal=False,
        )
        self.agent(results, name="results", concurrency=1)(self._feed)
        self.on_partitions_assigned.connect(self._assigned)
        self.on_partitions_revoked.connect(self._revoked)
        self.on_before_shutdown.connect(self._revoked)

    def on_init_dependencies(self) -> Iterable[Any]:
        """Faust's services without its statistics of events: ours are `streams.worker.metrics`."""
        services: Iterable[Any] = super().on_init_dependencies()
        self.sensors.remove(self.monitor)
        return services

    async def on_first_start(self) -> None:
        """Waits for broker and topics: Faust never reads a topic that is created later."""
        await kafka.topics_ready(self.settings)
        await self._in_order()
        producer = await self._started_producer(clients.COMPRESSION)
        assignment = Assignment(
            self.settings,
            producer,
            await self._started_producer(topics.STATE.compression),
            Committer(self.settings, self),
        )
        self.assignment = assignment
        self._keep("checkpoints", self._checkpoint_forever(assignment))
        self._keep("ticks", Watchdog(self.settings, producer, assignment).run())
        self._keep("open incidents", OpenRepair(self.settings, assignment).run())
        self._keep("gauges", measure(self.settings, self, assignment))
        offer(
            StreamTargets(lambda: [one.state for one in assignment.partitions]),
            self.settings.target_series,
        )

    async def _in_order(self) -> None:
        """Ends the process if it may not begin yet: Faust's own command asks here alone."""
        try:
            await kafka.in_order(self.settings, ROLE)
        except kafka.VersionOrderError as error:
            end_process(str(error), code=1)

    async def on_shutdown(self) -> None:
        """Ends the tasks of `on_first_start`. The last checkpoints were written before."""
        for task in self._kept:
            task.cancel()
        for task in self._kept:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._outgoing:
            # They would wait for a broker that is away; whatever matters was awaited before.
            ending = {asyncio.create_task(producer.stop()) for producer in self._outgoing}
            await asyncio.wait(ending, timeout=_GOODBYE_S)

    async def _started_producer(self, compression: Compression) -> AIOKafkaProducer:
        producer = kafka.producer(
            self.settings,
            linger_ms=_LINGER_MS,
            max_batch_size=_BATCH_BYTES,
            max_request_size=_MAX_REQUEST_BYTES,
            compression_type=compression,
        )
        await producer.start()
        self._outgoing.append(producer)
        return producer

    def _new_transport(self) -> Transport:
        """The transport with the shorter path for messages."""
        return Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Nothing: only Faust's tables need directories, and this app keeps no file."""

    async def _feed(self, stream: Any) -> None:
        await ResultsAgent(self, self._entered).feed(stream.noack())

    @property
    def _entered(self) -> Assignment:
        if self.assignment is None:
            raise RuntimeError("the app has not started")
        return self.assignment

    async def _assigned(self, *sent: Any, **_: Any) -> None:
        _app, assigned = sent
        self._entered.assigned(part.partition for part in assigned)

    async def _revoked(self, *_sent: Any, **_: Any) -> None:
        if self.assignment is not None:
            await self.assignment.revoked()

    async def _checkpoint_forever(self, assignment: Assignment) -> None:
        while True:
            await asyncio.sleep(self.settings.checkpoint_interval_s)
            await assignment.checkpoint()

    def _keep(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs `coroutine` beside the app; if it fails, the process ends."""

        async def guarded() -> None:
            try:
                await coroutine
            except Exception as error:  # noqa: BLE001 - nothing that is kept may die silently
                end_process(f"{name} failed", error)

        self._kept.append(asyncio.create_task(guarded(), name=name))
