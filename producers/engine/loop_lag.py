"""Whether the event loop stood still, so that silence proves nothing of a target."""

import asyncio
import time
from typing import Final

TICK_S: Final = 0.05
LATE_S: Final = 0.1
"""A turn of the loop that comes so much too late is time lost; less is ordinary work."""


class LoopLag:
    """Looks every 50 ms, while anything asks it to, whether it could look in time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._users = 0
        self._lost_s = 0.0
        self._expected = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> float:
        """Begins to look for one check; returns its mark for `lost_s`."""
        self._users += 1
        if self._timer is None:
            self._next()
        return self.lost_s(0.0)

    def end(self) -> None:
        """The check that `begin` was called for is done."""
        self._users -= 1
        if not self._users and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def lost_s(self, mark: float) -> float:
        """How long the loop has stood still since `begin` returned `mark`."""
        return self._lost_s + self._late_s() - mark

    def _late_s(self) -> float:
        late_s = time.monotonic() - self._expected
        return late_s if self._timer is not None and late_s > LATE_S else 0.0

    def _next(self) -> None:
        self._expected = time.monotonic() + TICK_S
        self._timer = self._loop.call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        self._lost_s += self._late_s()
        self._next()
