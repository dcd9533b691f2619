"""The role `sink`."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from typing import Any, Final

from aiokafka.errors import KafkaError

from foundation import telemetry, watchdog
from foundation.kafka import topics_ready
from foundation.settings import Settings
from sinks.clickhouse.errors import TaskEndedError
from sinks.clickhouse.migrate import migrated
from sinks.clickhouse.sink import Sink

_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 30.0


async def run(settings: Settings) -> None:
    """Writes all topics into ClickHouse until SIGTERM or SIGINT.

    Waits for Kafka or ClickHouse if one is not there yet. A started block is finished or left to
    the next sink; in both cases nothing is lost or doubled.

    Raises:
        foundation.kafka.TopicMismatchError: the topics are not those of the settings.
        sinks.clickhouse.migrate.SchemaTooNewError: the tables are of a newer portquorum.
        sinks.clickhouse.bad_line_limit.TooManyBadLinesError: what comes on a topic can't be read.
    """
    telemetry.configure_logging("sink", settings)
    for chatty in ("urllib3", "clickhouse_connect"):
        # They warn at each try of what the sink says once.
        logging.getLogger(chatty).setLevel(logging.ERROR)
    stop = asyncio.Event()
    watchdog.on_signals(stop.set)
    telemetry.serve_metrics("sink", settings)
    wait_s = _FIRST_WAIT_S
    while await _done_before(stop, _prepare(settings)):
        began = time.monotonic()
        try:
            await Sink(settings).run(stop)
        except (KafkaError, TaskEndedError, OSError) as error:
            wait_s = _FIRST_WAIT_S if time.monotonic() - began > _LONGEST_WAIT_S else wait_s
            telemetry.logger(__name__).error(
                "the sink ended and begins again: nothing is lost",
                error=str(error) or repr(error),
                again_in_s=wait_s,
                exc_info=not isinstance(error.__cause__, KafkaError | None),
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)


async def _prepare(settings: Settings) -> None:
    await topics_ready(settings)
    await migrated(settings)


async def _done_before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """True if `work` was done before `stop` was set; `stop` cancels `work`."""
    task = asyncio.create_task(work)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return False
    task.result()
    return not stop.is_set()
