"""The role `stream`: one worker, from its start to a signal."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Final

from mode.threads import WorkerThread

from foundation import kafka, telemetry
from foundation.kafka.rights import rights_of
from foundation.kafka.trouble import why_not
from foundation.lifecycle import cancelled, done_before, stop_on_signals
from foundation.settings import Settings
from streams.worker.exit import end_process
from streams.worker.faust_app import ROLE, StreamApp

STOP_S: Final = 8.0
"""Longest time for a stop, in s; then the process ends hard, which loses nothing."""

START_S: Final = 60.0
"""Longest time for Faust's start while the broker is there, in s."""

_log = telemetry.logger(__name__)


async def run(settings: Settings) -> None:
    """Runs one stream worker until SIGTERM or SIGINT, then writes a last checkpoint and returns.

    Nothing is lost, whatever ends the process: records without a checkpoint are read again, and
    their events are sent again with the same ids and bytes. A failure other than a signal ends the
    whole process with code 70 and logs the reason, because a failed Faust app can neither continue
    nor be relied upon to stop (its threads keep the process alive).

    Raises:
        foundation.kafka.TopicMismatchError: the cluster's topics are not those of the settings.
        foundation.kafka.VersionOrderError: roles of other versions must be upgraded, or end, first.
        SettingsError: the address for the metrics can't be used.
    """
    telemetry.configure_logging(ROLE, settings)
    telemetry.serve_metrics(ROLE, settings)
    stopping = stop_on_signals()
    # The broker is waited for here, since a wait can be cancelled and a start of Faust can't.
    # So are its rights: Faust would wait for that of the group without a word.
    rights = kafka.RightsWatch(settings, rights_of("stream", settings))
    if await done_before(stopping, _may_begin(settings, rights)):
        watching = asyncio.create_task(rights.run())
        try:
            await _work(settings, stopping)
        finally:
            await cancelled(watching)


async def _may_begin(settings: Settings, rights: kafka.RightsWatch) -> None:
    await rights.ready()
    await kafka.in_order(settings, ROLE)


async def _work(settings: Settings, stopping: asyncio.Event) -> None:
    app = StreamApp(settings)
    if not await _within(app.start(), START_S, "the stream could not start"):
        end_process(f"Faust did not start within {START_S:.0f} s: {await _why(settings)}")
    _log.info("stream started", group=settings.group(ROLE), partitions=settings.partitions)
    if await done_before(stopping, app.wait_until_stopped()):
        end_process("the Faust app failed", app.crash_reason)
    if not await _within(app.stop(), STOP_S, "the stream could not stop") or _lingering():
        # Asked for, and nothing is lost: the checkpoints were written first, as far as the
        # broker was there.
        end_process(f"Faust did not stop within {STOP_S:.0f} s", code=0)
    _log.info("stream stopped")


async def _why(settings: Settings) -> str:
    """Why Faust waits, as far as a try shows it."""
    trouble = await why_not(settings)
    if trouble is not None:
        return trouble.sentence
    return f"Kafka answers; the brokers' logs may say what hinders the group {settings.group(ROLE)}"


async def _within(work: Coroutine[Any, Any, None], seconds: float, trouble: str) -> bool:
    """True if `work` was done in time; if it raises, the process ends with the message `trouble`.

    Late `work` is not cancelled: Faust's services catch a cancellation and continue to wait.
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
    """True if one of Faust's threads still runs: it would keep the process alive."""
    return any(isinstance(thread, WorkerThread) for thread in threading.enumerate())


def main(settings: Settings) -> None:
    """As `run`, for a process that does nothing else."""
    asyncio.run(run(settings))
