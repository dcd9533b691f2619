"""A token bucket: so many at once, so many a second."""

from collections.abc import Callable


class RateLimit:
    """Allows `burst` at once and `per_s` a second in the long run."""

    def __init__(self, per_s: float, burst: int, clock: Callable[[], float]) -> None:
        """`clock` gives monotonic seconds."""
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._left, self._at = float(burst), clock()

    def allows(self) -> bool:
        """True if there is room for one more, which is taken."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
