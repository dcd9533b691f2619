"""The obvious implementation: a task for each check, `asyncio.open_connection` with `wait_for`."""

import asyncio
import time

from producers.checks.model import CheckOutcome, OnDone, PlannedCheck, Vantage
from schemas.result import Reason


class NaiveEngine:
    """A plain-TCP variant of `producers.checks.model.Engine`, for addresses only.

    Its connect time is that of the task: from before the connect until the loop resumes it.
    """

    def __init__(self, vantage: Vantage) -> None:
        self.vantage = vantage
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """Number of checks that have started and are not done."""
        return len(self._tasks)

    def submit(self, check: PlannedCheck, on_done: OnDone) -> None:
        """Starts the check."""
        self._tasks.add(asyncio.create_task(self._run(check, on_done)))

    def close(self) -> None:
        """Ends all checks in flight without an outcome."""
        for task in self._tasks:
            task.cancel()

    async def _run(self, check: PlannedCheck, on_done: OnDone) -> None:
        target, started_at = check.target, time.monotonic()
        reason: Reason | None = None
        connect_ms: float | None = None
        try:
            connecting = asyncio.open_connection(target.host, target.port)
            _, writer = await asyncio.wait_for(connecting, target.timeout_ms / 1000)
            connect_ms = (time.monotonic() - started_at) * 1000
            writer.close()
        except TimeoutError:
            reason = "timed_out"
        except OSError:
            reason = "connection_refused"
        task = asyncio.current_task()
        if task is not None:
            self._tasks.discard(task)
        on_done(
            check,
            CheckOutcome(
                status="up" if reason is None else "down",
                reason=reason,
                started_at=started_at,
                connect_ms=connect_ms,
            ),
        )
