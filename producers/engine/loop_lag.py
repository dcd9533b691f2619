"""Measures standstills of the event loop, during which silence proves nothing about a target."""

import asyncio
import time
from typing import Final

TICK_S: Final = 0.05
LATE_S: Final = 0.1
"""A delay of a loop iteration above this is lost time; a shorter one is ordinary work."""


class LoopLag:
    """Measures by a timer of 50 ms, while a check is in flight, how late the loop runs it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._users = 0
        self._lost_s = 0.0
        self._expected = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> float:
        """Begins the measurement for one check; returns its mark for `lost_s`."""
        self._users += 1
        if self._timer is None:
            self._next()
        return self.lost_s(0.0)

    def end(self) -> None:
        """Ends the measurement for one check."""
        self._users -= 1
        if not self._users and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def lost_s(self, mark: float) -> float:
        """The standstill of the loop since `begin` returned `mark`."""
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
