"""The role `sink`."""

import asyncio
import time
from typing import Final

from aiokafka.errors import KafkaError

from foundation import telemetry
from foundation.backoff import Backoff
from foundation.kafka import RightsWatch, in_order
from foundation.kafka.rights import Right, rights_of
from foundation.lifecycle import cancelled, done_before, set_within, stop_on_signals
from foundation.settings import Settings
from schemas.topics import read_by
from sinks.clickhouse.errors import SinkTaskEndedError
from sinks.clickhouse.lost_rows import forget_commits
from sinks.clickhouse.migrate import migrated
from sinks.clickhouse.sink import Sink

_AGAIN_S: Final = 5.0
_BACKOFF: Final = Backoff(first_s=1.0, longest_s=30.0, well_after_s=30.0)


async def run(settings: Settings, *, reread: bool = False) -> None:
    """Writes all topics into ClickHouse until SIGTERM or SIGINT.

    Into a new database all that the log still has; with `reread`, whatever was committed, all that
    the log has beyond the stored rows of each partition.

    Waits for Kafka or ClickHouse if one is not there yet. A started block is finished or left to
    the next sink; in both cases nothing is lost or doubled.

    Raises:
        foundation.kafka.TopicMismatchError: the topics are not those of the settings.
        foundation.kafka.VersionOrderError: roles of newer versions run that this can't follow.
        sinks.clickhouse.migrate.SchemaTooNewError: the tables are of a newer portquorum.
        sinks.clickhouse.bad_line_limit.TooManyBadLinesError: what comes on a topic can't be read.
    """
    telemetry.configure_logging("sink", settings)
    stop = stop_on_signals()
    telemetry.serve_metrics("sink", settings)
    rights = _Readable(settings)
    if not await done_before(stop, _may_begin(settings, rights)):
        return
    wait_s: float | None = None
    if reread and not await done_before(stop, forget_commits(settings, reread=True)):
        return
    while await done_before(stop, _prepare(settings, rights)):
        began = time.monotonic()
        try:
            await rights.run_sink(stop)
        except (KafkaError, SinkTaskEndedError, OSError) as error:
            wait_s = _BACKOFF.next(wait_s, time.monotonic() - began)
            telemetry.logger(__name__).error(
                "the sink ended and begins again: nothing is lost",
                error=str(error) or repr(error),
                again_in_s=wait_s,
                exc_info=not isinstance(error.__cause__, KafkaError | None),
            )
            await set_within(wait_s, stop)


async def _may_begin(settings: Settings, rights: "_Readable") -> None:
    await rights.some()
    await in_order(settings, "sink")


async def _prepare(settings: Settings, rights: "_Readable") -> None:
    await rights.some()
    await forget_commits(settings, reread=False)
    await migrated(settings)


class _Readable:
    """The topics that the sink may read: one that it may not holds up no other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._watch = RightsWatch(settings, rights_of("sink", settings), self._changed)
        self._all = {settings.topic(topic.name) for topic in read_by("sink")}
        self._unreadable: frozenset[str] = frozenset()
        self._turn = asyncio.Event()

    async def some(self) -> None:
        """Returns when the sink may do something; says what it may not."""
        while True:
            await self._watch.ready()
            self._unreadable = self._missing()
            if self._unreadable != self._all:
                return
            await asyncio.sleep(_AGAIN_S)

    async def run_sink(self, stop: asyncio.Event) -> None:
        """A sink of these topics, until `stop`, or until they are others. Raises as `Sink.run`."""
        self._turn = asyncio.Event()
        beside = [asyncio.create_task(self._stops(stop)), asyncio.create_task(self._watch.run())]
        try:
            await Sink(self._settings, self._unreadable).run(self._turn)
        finally:
            await cancelled(*beside)

    async def _stops(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._turn.set()

    def _missing(self) -> frozenset[str]:
        found = (one for one in self._watch.missing if one.operation == "READ")
        return frozenset(one.name for one in found if one.resource == "topic")

    def _changed(self, _missing: frozenset[Right]) -> None:
        if self._missing() != self._unreadable:
            self._turn.set()
