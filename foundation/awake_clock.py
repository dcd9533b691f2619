"""The clock that runs on while the process does not."""

import sys
import time


def awake_clock() -> float:
    """Seconds, also while the process is stopped and, on Linux, while the machine sleeps."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
