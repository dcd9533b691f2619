"""What a region says of a target, from all that it ever said (rules 2, 4 and 7)."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct, field, structs

from schemas.result import Reason
from schemas.target import LatencyLimit, Target
from tests.unit.streams.rules.reference_speed import Speed
from tests.unit.streams.rules.reference_words import span


class Counted(Struct, eq=False):
    """A result that counted: effective time in log and running time, and the policy of then.

    `told` is the effective time as people are told, `seen_at` as it was when it counted.

    `took_ms` is its connect time, or its total time (`total_ms`) when it has none. `limits` is how
    often the target had been given other latency limits by then, `warned` how often another
    `warn_days`, `offset` that of the record it came in. `end` is when the certificate ends that it
    saw. `left` is how long that was to go once the broker's clock had been set back, after how many
    `warn_days` that the target had been given.
    """

    effective: int
    running: int
    started: int
    up: bool
    reason: Reason | None
    took_ms: float | None
    total_ms: float | None
    policy: Target
    limits: int
    offset: int
    told: int
    seen_at: int
    end: int | None = None
    warned: int = 0
    left: list[tuple[int, int]] = field(default_factory=list)

    def ends_within(self, warnings: Sequence[int]) -> bool:
        """Rule 13: whether all `warn_days` that held since tell of the end that it saw."""
        if self.end is None:
            return False
        lefts = [(self.warned, self.end - self.seen_at), *self.left]
        return all(
            warning and [left for given, left in lefts if given <= number][-1] < warning
            for number, warning in enumerate(warnings)
            if number >= self.warned
        )

    @property
    def looks(self) -> bool:
        """Rule 13: whether it looks at an end."""
        if self.policy.kind == "domain":
            return self.end is not None
        return self.up or (self.end is not None and self.reason != "certificate_invalid")

    @property
    def fresh_until(self) -> int:
        return self.running + span(self.policy)


def most_looks(target: Target) -> int:
    """Rule 13: how many of the last looks count."""
    return 1 if target.kind == "domain" else 10


class Change(Struct, frozen=True):
    """A policy in place of another one, and the newest result of each region by then."""

    old: Target
    new: Target
    running: int
    newest: dict[str, Counted]

    def fresh_until(self, until: int) -> int:
        """A longer span holds for what was heard, a shorter one from here on."""
        old, new = span(self.old), span(self.new)
        return min(until, self.running + new) if new < old else until + new - old


class Said(Struct, frozen=True):
    """What a region says, fresh or not, until `fresh_until`.

    `row` are its failures since the last success, `successes` those since the last failure.
    `slow` is the first result of the row that made it say so; `speed` says more of that.
    `unended`: it said `down`, was stale, and fails again since. `looks` are the last ten at a
    certificate, and whether each saw that it ends soon.
    """

    fresh_until: int
    down: bool
    row: tuple[Counted, ...]
    successes: int
    slow: Counted | None
    speed: Speed
    unended: bool = False
    fresh: bool = True
    stale_for: int = 0
    looks: tuple[tuple[Counted, bool], ...] = ()

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

    @property
    def ends_soon(self) -> tuple[Counted, ...]:
        """Those of the last ten looks that saw an end."""
        return tuple(one for one, near in self.looks if near)

    @property
    def fails_by_its_certificate(self) -> bool:
        return bool(self.row) and self.row[-1].reason in {
            "certificate_ending",
            "certificate_expired",
            "domain_ending",
            "domain_expired",
        }

    @property
    def last_word(self) -> Literal["up", "down", "slow"]:
        """The verdict where an end is concerned: to fail after a pause takes no `down` back."""
        return "down" if self.unended else self.word


def listen(  # noqa: C901 - all that ever happened, in one loop
    region: str,
    history: Sequence[Counted],
    limits: Sequence[tuple[LatencyLimit | None, int]],
    accepted: Collection[Counted],
    changes: Sequence[Change],
    *,
    warnings: Sequence[int],
) -> Said:
    """Goes through the results of a region, one after the other.

    `limits` are the latency limits that the target was given, one after the other, and when;
    `accepted` the newest results at the times when its slowness was resolved by hand. `changes` are
    those of the policy; `warnings` are its `warn_days` (in ms), one after the other.
    """
    looks = tuple(
        (one, one.ends_within(warnings))
        for one in [one for one in history if one.looks][-most_looks(history[0].policy) :]
    )
    speed = Speed(limits, accepted)
    down = unended = False
    row: list[Counted] = []
    apart: list[Counted] = []
    successes = 0
    fresh_until = 0
    for result in history:
        paused = result.running > fresh_until
        if paused:
            speed.pause(result, result.running - fresh_until)
        fresh_until = max(fresh_until, result.fresh_until)
        if result.up:
            speed.hear(result, was_down=down or unended)
        speed.after(result)
        if result.up:
            down, unended, row, apart = False, False, [], []
            if successes < result.policy.recover_after:
                successes += 1
        else:
            successes = 0
            if paused:
                down, unended, row, apart = False, down or unended, [], []
            row.append(result)
            delay = Decimal("0.8") * result.policy.retry_delay_ms
            if not apart or result.effective - apart[-1].effective >= delay:
                apart.append(result)
                if len(apart) >= result.policy.retries + 1:
                    down, unended = True, False
        for change in changes:
            if change.newest.get(region) is result and change.running <= fresh_until:
                if len(apart) >= change.new.retries + 1:
                    down, unended = True, False
                fresh_until = change.fresh_until(fresh_until)
    speed.given(len(limits) - 1)
    return Said(fresh_until, down, tuple(row), successes, speed.slow, speed, unended, looks=looks)
