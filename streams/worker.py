"""The role `stream`: one worker, from its start to a signal."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any, Final

from portquorum import kafka, telemetry
from portquorum.settings import Settings
from streams.fatal import end_process
from streams.shell import ROLE, StreamApp

STOP_S: Final = 8.0
"""So long a stop may take; then the process ends hard, which loses nothing."""

START_S: Final = 60.0
"""So long Faust may take to start while the broker is there."""

_log = telemetry.logger(__name__)


async def run(settings: Settings) -> None:
    """Runs one stream worker until SIGTERM or SIGINT; then a last checkpoint, and returns.

    Nothing is lost whatever ends the process: what no checkpoint covers is read again, and its
    events go out again with the same ids and bytes. Any failure that is not a signal ends the
    whole process with code 70 after saying why, because a Faust app that failed can neither go on
    nor be relied upon to stop (its threads keep the process alive).

    Raises:
        portquorum.kafka.TopicMismatchError: the cluster's topics are not those of the settings.
        SettingsError: the address for the metrics can't be used.
    """
    telemetry.configure_logging(ROLE, settings)
    telemetry.serve_metrics(ROLE, settings)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    # The broker is waited for here, since a wait can be cancelled and a start of Faust can't.
    if await _first(kafka.topics_ready(settings), stopping):
        await _work(settings, stopping)


async def _work(settings: Settings, stopping: asyncio.Event) -> None:
    app = StreamApp(settings)
    try:
        await asyncio.wait_for(app.start(), START_S)
    except Exception as error:  # noqa: BLE001 - whatever it was, its threads may run already
        end_process("the stream could not start", error)
    _log.info("stream started", group=settings.group(ROLE), partitions=settings.partitions)
    if await _first(app.wait_until_stopped(), stopping):
        end_process("the Faust app failed", app.crash_reason)
    try:
        await asyncio.wait_for(app.stop(), STOP_S)
    except TimeoutError:
        end_process(f"Faust did not stop within {STOP_S:.0f} s")
    _log.info("stream stopped")


async def _first(work: Coroutine[Any, Any, None], stopping: asyncio.Event) -> bool:
    """Whether `work` was done before `stopping` was set; otherwise it is cancelled."""
    task = asyncio.create_task(work)
    asked = asyncio.create_task(stopping.wait())
    await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if task.done():
        await task
        return not stopping.is_set()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return False


def main(settings: Settings) -> None:
    """As `run`, for a process that does nothing else."""
    asyncio.run(run(settings))
