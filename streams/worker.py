"""The role `stream`: one worker, from its start to a signal."""

import asyncio
import contextlib
import signal
from typing import Final

from portquorum import telemetry
from portquorum.settings import Settings
from streams.fatal import end_process
from streams.shell import ROLE, StreamApp

STOP_S: Final = 8.0
"""So long a stop may take; then the process ends hard, which loses nothing."""

_log = telemetry.logger(__name__)


async def run(settings: Settings) -> None:
    """Runs one stream worker until SIGTERM or SIGINT; then a last checkpoint, and returns.

    Nothing is lost whatever ends the process: what no checkpoint covers is read again, and its
    events go out again with the same ids and bytes. Any failure that is not a signal ends the
    whole process with code 70 after saying why, because a Faust app that failed can neither go on
    nor be relied upon to stop.

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
    app = StreamApp(settings)
    asked = asyncio.create_task(stopping.wait())
    begun = asyncio.create_task(app.start())
    try:
        await asyncio.wait({begun, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not begun.done():
            begun.cancel()  # it still waits for its broker: there is nothing to save
            with contextlib.suppress(asyncio.CancelledError):
                await begun
            return
        begun.result()
        _log.info("stream started", group=settings.group(ROLE), partitions=settings.partitions)
        ended = asyncio.create_task(app.wait_until_stopped())
        await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.is_set():
            end_process("the Faust app failed", app.crash_reason)
        try:
            await asyncio.wait_for(app.stop(), STOP_S)
        except TimeoutError:
            end_process(f"Faust did not stop within {STOP_S:.0f} s")
        _log.info("stream stopped")
    finally:
        asked.cancel()


def main(settings: Settings) -> None:
    """As `run`, for a process that does nothing else."""
    asyncio.run(run(settings))
