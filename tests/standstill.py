"""How long this machine let a thread wait that was to run at once: others wait as long.

Bounds of time hold for a machine that runs what is asked of it; a test that has one adds this.
"""

import threading
import time
from typing import Final, Self

_TICK_S: Final = 0.05


class Standstill:
    """Counts while it is entered."""

    def __init__(self) -> None:
        self.lost_s = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            self._ended.wait(_TICK_S)
            self.lost_s += max(0.0, time.monotonic() - began - _TICK_S)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
