"""Calls a function when a time is over, unless it is taken back before: one thread for all.

`threading.Timer` starts a thread each time and waits until it runs: with hundreds of sends at once
that costs more than the sends.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(order=True)
class _Entry:
    at: float
    number: int
    call: Callable[[], None] | None = field(compare=False)


class Deadlines:
    """What must be called when; its thread runs from the first deadline to the process's end."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: list[_Entry] = []
        self._numbers = itertools.count()
        self._running = False

    @contextmanager
    def within(self, seconds: float, call: Callable[[], None]) -> Iterator[None]:
        """Calls `call` if the block takes longer than `seconds`. `call` must be short."""
        entry = _Entry(time.monotonic() + seconds, next(self._numbers), call)
        with self._changed:
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
            heapq.heappush(self._entries, entry)
            if self._entries[0] is entry:
                self._changed.notify()
        try:
            yield
        finally:
            # It stays in the heap until its time; a call that has begun may still run.
            entry.call = None

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._entries or self._entries[0].at > time.monotonic():
                    first = self._entries[0].at if self._entries else None
                    self._changed.wait(None if first is None else first - time.monotonic())
                entry = heapq.heappop(self._entries)
            call = entry.call
            if call is not None:
                with suppress(Exception):  # The thread serves all others, too.
                    call()
