"""Detects that this process stood still: stopped, swapped out, or in a suspended machine."""

import asyncio
from collections.abc import Callable
from typing import Final

from foundation.awake_clock import awake_clock
from sinks.clickhouse import metrics

STALL_S: Final = 3.0
"""Longest standstill after which a sink's knowledge of its offsets is valid, in s."""

_TICK_S: Final = 0.5


class SuspendDetector:
    """Counts the standstills; knowledge from a time with a lower count is outdated."""

    def __init__(self, now: Callable[[], float] = awake_clock) -> None:
        self._now = now
        self._seen = now()
        self._count = 0

    def count(self) -> int:
        """Number of standstills so far, including one that ends now."""
        now = self._now()
        if now - self._seen > STALL_S:
            self._count += 1
            metrics.STALLS.inc()
        self._seen = now
        return self._count

    async def run(self) -> None:
        """Checks the clock until cancelled; otherwise a long wait would look like a standstill."""
        while True:
            self.count()
            await asyncio.sleep(_TICK_S)
