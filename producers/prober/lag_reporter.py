"""Whether this prober keeps its schedule; when it does not, it says so."""

from typing import Final

from foundation.telemetry import logger

LATE_MS: Final = 2_000.0
"""A check that begins so much later than due is a sign of too much work, or of a standstill."""

AGAIN_MS: Final = 60_000.0
"""While it can't keep up it is said so often."""


class LagReporter:
    """Collects what the rounds saw; `tell` logs it, seldom. Times are broker time in ms."""

    def __init__(self) -> None:
        self._lag_ms = 0.0
        self._missed = 0
        self._untold_ms = 0.0
        self._untold = 0
        self._full = 0
        self._told_at_ms: float | None = None

    def saw(self, lag_ms: float, *, missed: int, full: bool) -> None:
        """One round: its worst lag, the checks it gave up, and whether some found no room."""
        self._lag_ms = max(self._lag_ms, lag_ms)
        self._missed += missed
        self._full += full

    def tell(self, now_ms: float, limit: int) -> float:
        """Logs if it fell behind, or keeps up again, since the last time; returns the worst lag.

        `limit` is how many checks may be on their way.
        """
        lag_ms, missed = self._lag_ms, self._missed
        self._lag_ms, self._missed = 0.0, 0
        self._untold_ms = max(self._untold_ms, lag_ms)
        self._untold += missed
        if missed or lag_ms >= LATE_MS:
            if self._told_at_ms is None or now_ms - self._told_at_ms >= AGAIN_MS:
                self._told_at_ms = now_ms
                logger(__name__).warning("can't keep up with the schedule", **self._account(limit))
        elif self._told_at_ms is not None:
            self._told_at_ms = None
            logger(__name__).info("keeps up again", **self._account(limit))
        else:
            self._account(limit)
        return lag_ms

    def _account(self, limit: int) -> dict[str, int]:
        """What was not told yet."""
        account = {
            "worst_lag_ms": round(self._untold_ms),
            "missed": self._untold,
            "rounds_without_room": self._full,
            "in_flight_limit": limit,
        }
        self._untold_ms, self._untold, self._full = 0.0, 0, 0
        return account
