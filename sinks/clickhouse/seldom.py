"""Limits repeated log messages of all partitions."""

import time
from collections.abc import Callable
from typing import Final

SELDOM_S: Final = 30.0


class Seldom:
    """Counts events; each kind is due at once, then again after `SELDOM_S`."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._said: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def times(self, what: str) -> int:
        """Number of `what` since its last log message, this one included; 0: don't log now."""
        now = self._now()
        count = self._unsaid.get(what, 0) + 1
        if now - self._said.get(what, float("-inf")) < SELDOM_S:
            self._unsaid[what] = count
            return 0
        self._said[what] = now
        self._unsaid[what] = 0
        return count
