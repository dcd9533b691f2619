"""Throttle for log lines: an event that repeats is logged once an interval, with a count."""

import time
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

EVERY_S: Final = 30.0
"""The interval unless the caller has another."""

MAX_KEYS: Final = 1000
"""Events that a throttle remembers; with one more it forgets them all, and each is due at once."""


class LogThrottle(Generic[Key]):
    """Counts events by key; a key is due at its first event, then once in `every_s` seconds.

    Logs nothing by itself. Threads may share one: at worst an event is due twice.
    """

    def __init__(self, every_s: float = EVERY_S, now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives seconds, of whatever clock."""
        self._every_s = every_s
        self._now = now
        # When a key was last due, and its events since then.
        self._logged: dict[Key, tuple[float, int]] = {}

    def times(self, key: Key, at_s: float | None = None) -> int:
        """Events of `key` since it was last due, this one included; 0: not due now.

        `at_s` is the event's own time, for an event that has one.
        """
        at_s = self._now() if at_s is None else at_s
        logged = self._logged.get(key)
        if logged is not None and at_s - logged[0] < self._every_s:
            self._logged[key] = (logged[0], logged[1] + 1)
            return 0
        if logged is None and len(self._logged) >= MAX_KEYS:
            self._logged.clear()
        self._logged[key] = (at_s, 0)
        return 1 if logged is None else logged[1] + 1

    def forget(self, key: Key) -> bool:
        """Makes `key` due at its next event; whether it had any since it was forgotten last."""
        return self._logged.pop(key, None) is not None
