"""How fast a target is and what is usual, from all that a region ever said of it (rule 7).

All numbers are worked out as fractions, and rounded where the text says so.
"""

from collections.abc import Collection, Sequence
from fractions import Fraction
from functools import cache
from math import floor
from typing import TYPE_CHECKING, Final

from schemas.target import LatencyLimit

if TYPE_CHECKING:
    from tests.unit.streams.rules.reference_hearing import Counted

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


@cache
def level(took_ms: float | None) -> int | None:
    """None for a success without a time, and for one below a microsecond."""
    if not took_ms:
        return None
    took = Fraction(took_ms)
    power = next(p for p in range(-1080, 1030) if Fraction(2) ** p <= took < Fraction(2) ** (p + 1))
    found = 1024 * (power + 10) + floor(1024 * (took / Fraction(2) ** power - 1))
    return found if found > 0 else None


@cache
def microseconds(of: int) -> int:
    power, part = divmod(of, 1024)
    return nearest((1 + Fraction(part, 1024)) * Fraction(2) ** (power - 10) * 1000)


def nearest(exact: Fraction) -> int:
    """A half upwards."""
    return floor(exact + Fraction(1, 2))


@cache
def steps(interval_ms: int, within_ms: int) -> int:
    """The s for which 2^s lies above 3/4 and not above 3/2 of the checks within that time."""
    checks = Fraction(within_ms // interval_ms)
    return next(
        s for s in range(-1, 30) if checks * Fraction(3, 4) < Fraction(2) ** s <= checks * 3 / 2
    )


def is_usuals(offset: int) -> bool:
    """Whether `usual` looks at this record: one in eight, by SplitMix64."""
    z = (offset + 0x9E3779B97F4A7C15) % 2**64
    z = ((z ^ (z // 2**30)) * 0xBF58476D1CE4E5B9) % 2**64
    z = ((z ^ (z // 2**27)) * 0x94D049BB133111EB) % 2**64
    return (z ^ (z // 2**31)) % 8 == 0


def of_total(limit: LatencyLimit | None) -> bool:
    return limit is not None and limit.of == "total"


def measured(result: "Counted", limit: LatencyLimit | None) -> float | None:
    """The time that is meant."""
    return result.total_ms if of_total(limit) else result.took_ms


class Speed:
    """Takes the successes of a region one after the other.

    `limits` are the latency limits that the target was given, one after the other, and when (in
    effective time); `accepted` the newest results at the times when somebody resolved its slowness.
    `slow` is the first result of the row that made the region say so, `why` that of the newest slow
    success.
    """

    def __init__(
        self, limits: Sequence[tuple[LatencyLimit | None, int]], accepted: Collection["Counted"]
    ) -> None:
        self.limits = limits
        self.accepted = accepted
        self.slow: Counted | None = None
        self.why = ""
        self.since: int | None = None
        self.lately: int | None = None
        self.usual: int | None = None
        self.daily: Fraction | None = None
        self._forgot: Counted | None = None
        self._given = -1
        self._slow_row: list[Counted] = []
        self._fast_row: list[Counted] = []

    def given(self, number: int) -> None:
        """So many limits (less one) have been given by now."""
        while self._given < number:
            self._given += 1
            self._slow_row, self._fast_row = [], []
            limit, at = self.limits[self._given]
            if limit is None:
                self.slow = None
            if limit is None or limit.warn_ahead_ms is None:
                self.daily = None
            if self._given and of_total(limit) != of_total(self.limits[self._given - 1][0]):
                self.lately = self.usual = self.daily = None
                if self.since is not None:
                    self.since = at

    def pause(self, result: "Counted", stale_ms: int) -> None:
        """The region was stale for so long when it gave this result."""
        self.given(result.limits)
        self._slow_row, self._fast_row = [], []
        if stale_ms >= result.policy.abandon_after_ms and self.slow is not None:
            self.slow = None
            self._forgot = result

    def hear(self, result: "Counted", *, was_down: bool) -> None:
        self.given(result.limits)
        if self.since is None or was_down:
            self.since = result.effective
        limit = self.limits[result.limits][0]
        if limit is not None and measured(result, limit) is not None:
            self._judge(result, limit)
        if self._forgot is result and self.slow is None:
            self.since = result.effective
        self._learn(result, limit)

    def after(self, result: "Counted") -> None:
        """What came to pass after it and before the next."""
        if any(one is result for one in self.accepted):
            self.usual = self.lately
            if self.daily is not None and self.usual is not None:
                self.daily = Fraction(self.usual)

    def _judge(self, result: "Counted", limit: LatencyLimit) -> None:
        why = self._too_long(result, limit)
        if why:
            self.why = why
            self._slow_row, self._fast_row = [*self._slow_row, result], []
        else:
            self._slow_row, self._fast_row = [], [*self._fast_row, result]
        if self.slow is None and len(self._slow_row) >= limit.for_results:
            self.slow = self._slow_row[0]
        elif self.slow is not None and len(self._fast_row) >= limit.for_results:
            self.slow, self.since = None, result.effective

    def _too_long(self, result: "Counted", limit: LatencyLimit) -> str:
        took_ms = measured(result, limit)
        assert took_ms is not None
        assert self.since is not None
        took = Fraction(took_ms)
        if limit.max_ms is not None and took > Fraction(limit.max_ms):
            return "limit"
        up_for = result.effective - self.since
        if self.usual is None:
            return ""
        if limit.times_usual is not None and up_for >= HOUR_MS:
            took_us, usual_us = nearest(took * 1000), microseconds(self.usual)
            times = Fraction(round(limit.times_usual * 1000), 1000)
            if took_us > times * usual_us and took_us >= usual_us + 10_000:
                return "usual"
        if limit.warn_ahead_ms is None or up_for < DAY_MS or self.daily is None:
            return ""
        rise, most = self.usual - self.daily, level(limit.max_ms)
        assert most is not None
        if rise >= 256 and (most - self.usual) / rise <= Fraction(limit.warn_ahead_ms, DAY_MS):
            return "rising"
        return ""

    def _learn(self, result: "Counted", limit: LatencyLimit | None) -> None:
        seen = level(measured(result, limit))
        if result.policy.expect == "closed" and (seen is None) != (self.lately is None):
            # Whether its last look had an answer is what a port that must be closed tells.
            self.lately = self.usual = None
        if seen is None:
            return
        if self.lately is None or self.usual is None:
            self.lately = self.usual = seen
        else:
            self.lately += nearest(Fraction(seen - self.lately, 4))
            if self._stands():
                return
            share = max(2, min(7, steps(result.policy.interval_ms, HOUR_MS)))
            if share < 5:
                self.usual += nearest(Fraction(seen - self.usual, 2**share))
            elif is_usuals(result.offset):
                self.usual += nearest(Fraction(seen - self.usual, 2 ** (share - 3)))
        if self._stands() or limit is None or limit.warn_ahead_ms is None:
            return
        assert self.since is not None
        if self.daily is None or result.effective - self.since < HOUR_MS:
            self.daily = Fraction(self.usual)
        else:
            share = max(2, steps(result.policy.interval_ms, DAY_MS))
            moved = nearest((seen - self.daily) * 4096 / 2**share)
            self.daily += Fraction(moved, 4096)

    def _stands(self) -> bool:
        return self.slow is not None and self.why != "rising"
