"""Reports when this prober can't keep its schedule."""

from typing import Final

from foundation.log_throttle import LogThrottle
from foundation.telemetry import logger

LATE_MS: Final = 2_000.0
"""A larger lag of a check is a sign of overload or of a standstill."""

AGAIN_MS: Final = 60_000.0
"""Time between two reports of an overload."""


class LagReporter:
    """Collects the lag of the rounds; `tell` logs it at a limited rate. Broker time, ms."""

    def __init__(self) -> None:
        self._lag_ms = 0.0
        self._missed = 0
        self._untold_ms = 0.0
        self._untold = 0
        self._full = 0
        self._throttle = LogThrottle[str](AGAIN_MS / 1000)

    def saw(self, lag_ms: float, *, missed: int, full: bool) -> None:
        """Adds a round: its worst lag, its missed checks, and whether the limit held some back."""
        self._lag_ms = max(self._lag_ms, lag_ms)
        self._missed += missed
        self._full += full

    def tell(self, now_ms: float, limit: int) -> float:
        """Logs a new overload or its end since the last call; returns the worst lag.

        `limit` is the most checks in flight.
        """
        lag_ms, missed = self._lag_ms, self._missed
        self._lag_ms, self._missed = 0.0, 0
        self._untold_ms = max(self._untold_ms, lag_ms)
        self._untold += missed
        if missed or lag_ms >= LATE_MS:
            if self._throttle.times("late", now_ms / 1000):
                logger(__name__).warning("can't keep up with the schedule", **self._account(limit))
        elif self._throttle.forget("late"):
            logger(__name__).info("keeps up again", **self._account(limit))
        else:
            self._account(limit)
        return lag_ms

    def _account(self, limit: int) -> dict[str, int]:
        """The numbers since the last report."""
        account = {
            "worst_lag_ms": round(self._untold_ms),
            "missed": self._untold,
            "rounds_without_room": self._full,
            "in_flight_limit": limit,
        }
        self._untold_ms, self._untold, self._full = 0.0, 0, 0
        return account
