"""What one would write first: a task a check, `asyncio.open_connection` under `wait_for`."""

import asyncio
import time

from producers.checks.model import CheckOutcome, OnDone, PlannedCheck, Vantage
from schemas.result import Reason


class NaiveEngine:
    """Takes and gives what `producers.engine.Engine` does, for plain TCP to an address.

    The connect time is the task's: from before the connect until the loop has come back to it.
    """

    def __init__(self, vantage: Vantage) -> None:
        self.vantage = vantage
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """How many checks have begun and are not done."""
        return len(self._tasks)

    def submit(self, check: PlannedCheck, on_done: OnDone) -> None:
        """Begins the check."""
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
