"""The Faust app: what runs around the rules."""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Coroutine
from typing import Any, Final

import faust
from mode import CrashingSupervisor

from portquorum import kafka
from portquorum.kafka.clients import HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS, client_options
from portquorum.settings import Settings
from schemas import topics
from streams import metrics
from streams.acknowledger import Acknowledger
from streams.assignment import Assignment
from streams.fatal import end_process
from streams.ticker import Ticker

ROLE: Final = "stream"

_BUFFERED: Final = 128
"""So many messages wait between Faust's consumer and the agent; each may hold 500 results."""

_MAX_REQUEST_BYTES: Final = 8 * 1024 * 1024
_BATCH_BYTES: Final = 256 * 1024
_LINGER_MS: Final = 5
_GAUGES_S: Final = 2.0


class StreamApp(faust.App):
    """Reads [results] with one agent; everything else is this package's own.

    No tables, no `take`, no windowed tables, no exactly-once, no acknowledgement by Faust: see
    section 5 of the design for what was found about each.
    """

    # What Faust says of its services goes where its other words go.
    logger = logging.getLogger("faust.app")

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.group(ROLE), **_configuration(settings))
        self.settings = settings
        self.assignment: Assignment | None = None
        self._outgoing: Any = None
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
        self.on_before_shutdown.connect(self._farewell)

    async def on_first_start(self) -> None:
        """Waits for the broker and the topics: Faust never reads a topic that is made later."""
        await kafka.topics_ready(self.settings)
        producer = kafka.producer(
            self.settings,
            linger_ms=_LINGER_MS,
            max_batch_size=_BATCH_BYTES,
            max_request_size=_MAX_REQUEST_BYTES,
        )
        await producer.start()
        self._outgoing = producer
        self.assignment = Assignment(self.settings, producer, Acknowledger(self.settings, self))
        ticker = Ticker(self.settings, producer, self.assignment)
        self._keep("checkpoints", self._checkpoint_forever(self.assignment))
        self._keep("ticks", ticker.run())
        self._keep("gauges", self._measure_forever(self.assignment))

    async def on_shutdown(self) -> None:
        """Ends what `on_first_start` began."""
        await self._end_tasks()
        if self._outgoing is not None:
            await self._outgoing.stop()

    def _create_directories(self) -> None:
        """Faust's tables would live there; this app keeps no file."""

    async def _feed(self, stream: Any) -> None:
        try:
            assignment = self._entered
            stream = stream.noack()
            async for _ in stream:
                message = stream.current_event.message
                partition = assignment.find(message.partition)
                if partition is None or message.offset != partition.state.offset + 1:
                    partition = await self._find_way(assignment, message)
                    if partition is None:
                        continue
                partition.heard_at = time.monotonic()
                # Faust gives seconds as a float, which is exact to the millisecond until 2286.
                append_time = round(message.timestamp * 1000)
                if partition.open and partition.apply(
                    message.offset, append_time, message.value, message.headers or ()
                ):
                    await partition.outbox.send()
        except Exception as error:  # noqa: BLE001 - what escapes an agent is acknowledged
            end_process("the stream failed", error)

    async def _find_way(self, assignment: Assignment, message: Any) -> Any:
        """The partition, ready for exactly this message; None if it is not to be applied."""
        partition = await assignment.ready(message.partition)
        if partition is None or not partition.open:
            return None
        partition.heard_at = time.monotonic()
        if message.offset <= partition.state.offset:
            metrics.SKIPPED.inc()
            return None
        if message.offset > partition.state.offset + 1 and not await assignment.fill(
            partition, message.offset
        ):
            return None
        return partition

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

    async def _farewell(self, *_sent: Any, **_: Any) -> None:
        if self.assignment is not None:
            await self.assignment.revoked()
        await self._end_tasks()

    async def _checkpoint_forever(self, assignment: Assignment) -> None:
        while True:
            await asyncio.sleep(self.settings.checkpoint_interval_s)
            await assignment.checkpoint()

    async def _measure_forever(self, assignment: Assignment) -> None:
        topic = self.settings.topic(topics.RESULTS.name)
        while True:
            await asyncio.sleep(_GAUGES_S)
            ends = {
                part.partition: end
                for part, end in self.monitor.tp_end_offsets.items()
                if part.topic == topic
            }
            for partition in assignment.partitions:
                label = str(partition.number)
                metrics.TARGETS.labels(label).set(len(partition.state.targets))
                metrics.UNACKNOWLEDGED.labels(label).set(partition.unacknowledged)
                behind = ends.get(partition.number, 0) - partition.state.offset - 1
                metrics.LAG.labels(label).set(max(0, behind))

    def _keep(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs `coroutine` beside the app; if it fails the process ends."""

        async def guarded() -> None:
            try:
                await coroutine
            except Exception as error:  # noqa: BLE001 - nothing that is kept may die silently
                end_process(f"{name} failed", error)

        self._kept.append(asyncio.create_task(guarded(), name=name))

    async def _end_tasks(self) -> None:
        tasks, self._kept = self._kept, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _configuration(settings: Settings) -> dict[str, Any]:
    return {
        "broker": [f"kafka://{server.strip()}" for server in settings.kafka.split(",")],
        "broker_credentials": _credentials(settings),
        "broker_session_timeout": SESSION_TIMEOUT_MS / 1000,
        "broker_heartbeat_interval": HEARTBEAT_INTERVAL_MS / 1000,
        "broker_max_poll_records": 100,
        "consumer_auto_offset_reset": "earliest",
        "stream_buffer_maxsize": _BUFFERED,
        "stream_wait_empty": False,
        "processing_guarantee": "at_least_once",
        "agent_supervisor": CrashingSupervisor,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "store": "memory://",
        "web_enabled": False,
        "autodiscover": False,
    }


def _credentials(settings: Settings) -> Any:
    options = client_options(settings)
    context: ssl.SSLContext | None = options.get("ssl_context")
    if "sasl_mechanism" in options:
        return faust.SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)
