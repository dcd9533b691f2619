"""What a region says of a target, from all that it ever said (rules 2, 4 and 7)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct, structs

from schemas.result import Reason
from schemas.target import LatencyLimit, Target
from tests.unit.streams.reference_words import span


class Counted(Struct, frozen=True):
    """A result that counted: effective time in log and running time, and the policy of then.

    `took_ms` is its connect time, or its total time when it has none. `limits` is how often the
    target had been given other latency limits by then.
    """

    effective: int
    running: int
    started: int
    up: bool
    reason: Reason | None
    took_ms: float | None
    policy: Target
    limits: int

    @property
    def fresh_until(self) -> int:
        return self.running + span(self.policy)


class Said(Struct, frozen=True):
    """What a region says, fresh or not, until `fresh_until`.

    `row` are its failures since the last success, `successes` those since the last failure.
    `slow` is the first result of the row that made it say so.
    """

    fresh_until: int
    down: bool
    row: tuple[Counted, ...]
    successes: int
    slow: Counted | None
    fresh: bool = True
    stale_for: int = 0

    def at(self, running: int) -> "Said":
        return structs.replace(
            self, fresh=running <= self.fresh_until, stale_for=running - self.fresh_until
        )

    @property
    def word(self) -> Literal["up", "down", "slow"]:
        """The verdict, were it fresh."""
        if self.down:
            return "down"
        return "slow" if self.slow else "up"


def listen(history: Sequence[Counted], limits: Sequence[LatencyLimit | None]) -> Said:
    """Goes through the results of a region, one after the other.

    `limits` are the latency limits that the target was given, one after the other.
    """
    down = False
    row: list[Counted] = []
    apart: list[Counted] = []
    successes = 0
    fresh_until = 0
    for result in history:
        fresh_until = max(fresh_until, result.fresh_until)
        if result.up:
            down, row, apart = False, [], []
            if successes < result.policy.recover_after:
                successes += 1
            continue
        successes = 0
        row.append(result)
        delay = Decimal("0.8") * result.policy.retry_delay_ms
        if not apart or result.effective - apart[-1].effective >= delay:
            apart.append(result)
            if len(apart) >= result.policy.retries + 1:
                down = True
    return Said(fresh_until, down, tuple(row), successes, slowed(history, limits))


def slowed(history: Sequence[Counted], limits: Sequence[LatencyLimit | None]) -> Counted | None:
    """Rule 7: the first result of the row that made the region say `slow`; None if it does not."""
    said: Counted | None = None
    for number, limit in enumerate(limits):
        if limit is None:
            said = None
            continue
        slow: list[Counted] = []
        fast: list[Counted] = []
        for result in history:
            if result.limits != number or not result.up or result.took_ms is None:
                continue
            if result.took_ms > limit.max_ms:
                slow, fast = [*slow, result], []
            else:
                slow, fast = [], [*fast, result]
            if said is None and len(slow) >= limit.for_results:
                said = slow[0]
            elif said is not None and len(fast) >= limit.for_results:
                said = None
    return said
