"""Notices that this process stood still: stopped, swapped out, or in a suspended machine."""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Final

from sinks.clickhouse import metrics

STALL_S: Final = 3.0
"""Standing still for longer puts in doubt what a sink knows of its offsets."""

_TICK_S: Final = 0.5


def clock() -> float:
    """Seconds that go on while the process is stopped and, on Linux, while the machine sleeps."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class StallWatch:
    """Counts the stalls; whoever holds an older count holds old knowledge."""

    def __init__(self, now: Callable[[], float] = clock) -> None:
        self._now = now
        self._seen = now()
        self._count = 0

    def count(self) -> int:
        """The number of stalls so far, one that ended this instant included."""
        now = self._now()
        if now - self._seen > STALL_S:
            self._count += 1
            metrics.STALLS.inc()
        self._seen = now
        return self._count

    async def run(self) -> None:
        """Looks at the clock until cancelled; without it every long wait would seem a stall."""
        while True:
            self.count()
            await asyncio.sleep(_TICK_S)
