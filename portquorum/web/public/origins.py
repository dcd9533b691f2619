"""Origins for which whole addresses are made (feeds, calendars): a few, whatever `Host` says.

An answer with whole addresses is another one for each `Host`, and making one costs up to a second
of the process that also takes the reports of jobs: whoever sends another name with each request
would stop it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST: Final = 16
REST_S: Final = 60.0
"""An origin that nobody asked for during so long gives its place to a new one."""


class Origins:
    """The origins that were asked for last. One event loop."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives seconds."""
        self._now = now
        self._used: OrderedDict[str, float] = OrderedDict()

    def taken(self, origin: str) -> str:
        """The origin; empty (addresses are paths then) while there are `MOST` others."""
        now = self._now()
        if not origin:
            return ""
        if origin not in self._used and len(self._used) >= MOST:
            oldest, used_at = next(iter(self._used.items()))
            if now - used_at < REST_S:
                return ""
            del self._used[oldest]
        self._used[origin] = now
        self._used.move_to_end(origin)
        return origin
