"""One timer for one waiting task."""

import asyncio
from collections.abc import Callable


class Wakeup:
    """Wakes its waiter at the earliest of the requested times.

    Times are of `monotonic` (seconds). A wake-up without a waiter is kept for the next one.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._event = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def now(self) -> None:
        """Wakes at once."""
        self._event.set()

    def at(self, moment: float | None) -> None:
        """Wakes at `moment` at the latest; None does nothing."""
        if moment is None or (self._timer is not None and self._timer_at <= moment):
            return
        if self._timer is not None:
            self._timer.cancel()
        delay = max(0.0, moment - self._monotonic())
        self._timer_at = moment
        self._timer = asyncio.get_running_loop().call_later(delay, self._fire)

    async def wait(self) -> None:
        """Returns at the next wake-up."""
        await self._event.wait()
        self._event.clear()

    def _fire(self) -> None:
        self._timer = None
        self._event.set()
