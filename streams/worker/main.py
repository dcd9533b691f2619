"""The role `stream`: one worker, from its start to a signal."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Final

from mode.threads import WorkerThread

from foundation import kafka, telemetry
from foundation.lifecycle import done_before, stop_on_signals
from foundation.settings import Settings
from streams.worker.exit import end_process
from streams.worker.faust_app import ROLE, StreamApp

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
    stopping = stop_on_signals()
    # The broker is waited for here, since a wait can be cancelled and a start of Faust can't.
    if await done_before(stopping, kafka.topics_ready(settings)):
        await _work(settings, stopping)


async def _work(settings: Settings, stopping: asyncio.Event) -> None:
    app = StreamApp(settings)
    if not await _within(app.start(), START_S, "the stream could not start"):
        end_process(f"Faust did not start within {START_S:.0f} s")
    _log.info("stream started", group=settings.group(ROLE), partitions=settings.partitions)
    if await done_before(stopping, app.wait_until_stopped()):
        end_process("the Faust app failed", app.crash_reason)
    if not await _within(app.stop(), STOP_S, "the stream could not stop") or _lingering():
        # Asked for, and nothing is lost: the checkpoints were written first, as far as the
        # broker was there.
        end_process(f"Faust did not stop within {STOP_S:.0f} s", code=0)
    _log.info("stream stopped")


async def _within(work: Coroutine[Any, Any, None], seconds: float, trouble: str) -> bool:
    """Whether `work` was done in time; if it raises the process ends, saying `trouble`.

    `work` that is late is left alone: Faust's services catch a cancellation and go on waiting.
    """
    task = asyncio.create_task(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        return False
    error = task.exception()
    if error is not None:
        end_process(trouble, error)
    return True


def _lingering() -> bool:
    """Whether one of Faust's threads is still there: it would keep the process alive."""
    return any(isinstance(thread, WorkerThread) for thread in threading.enumerate())


def main(settings: Settings) -> None:
    """As `run`, for a process that does nothing else."""
    asyncio.run(run(settings))
