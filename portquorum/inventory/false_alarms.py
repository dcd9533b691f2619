"""False alarms by lost packets, and delays, of a policy; `python -m` prints the table of the rules.

The model: each attempt fails with the chance `loss`, alone. A region says `down` after
`retries + 1` failures in a row. When a first attempt fails, all other regions are asked to check at
once (rule 3), and each of them says `down` with the same chance; the target is down when enough of
them do (rule 5). With `open_after` each of these regions must fail in the rounds until then, too
(rule 6). What it leaves out: a region may still say `down` from its last round, and rechecks are
checks, too.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from portquorum.inventory.heartbeats import is_job
from schemas.duration import DAY_MS
from schemas.target import Consensus, Target
from streams.rules.consensus import majority, need

LOSSES: Final = (0.01, 0.02, 0.05, 0.1)
FLEET: Final = 1_000
"""Targets of the table's fleet; each has the interval, timeout and retry delay below, in ms."""

INTERVAL_MS: Final = 60_000
TIMEOUT_MS: Final = 3_000
RETRY_DELAY_MS: Final = 1_000

LEAST: Final = 0.001
"""Alarms a day below which nobody needs a number: one in three years."""

_SHIFT: Final = 0.2
"""Two shifts of a round, in intervals (rule 4)."""

_BEAT_MS: Final = 5_000
"""The time between two beats of a prober, with which deadlines are looked at."""


class AlarmPolicy(Struct, frozen=True):
    """The part of a target's policy on which its false alarms depend."""

    regions: int
    retries: int
    consensus: Consensus
    interval_ms: int
    open_after_ms: int = 0

    @property
    def in_words(self) -> str:
        """The policy for people."""
        regions = "1 region" if self.regions == 1 else f"{self.regions} regions, {self.consensus}"
        held = f", open_after {self.open_after_ms / 1000:g} s" if self.open_after_ms else ""
        return f"{regions}, retries {self.retries}, every {self.interval_ms / 1000:g} s{held}"

    @property
    def needed(self) -> int:
        """The number of regions that must say `down`."""
        return max(need(self.consensus, self.regions), majority(self.regions))

    @property
    def rounds_held(self) -> int:
        """The rounds that surely lie within `open_after`, the latest of them by a shift."""
        return max(0, math.floor(self.open_after_ms / self.interval_ms - _SHIFT))


def policy_of(target: Target) -> AlarmPolicy:
    """The policy of a target."""
    return AlarmPolicy(
        len(target.regions),
        target.retries,
        target.consensus,
        target.interval_ms,
        target.open_after_ms,
    )


def per_day(policy: AlarmPolicy, loss: float) -> float:
    """False alarms of one target a day; `loss` is the share of attempts that fail (0 to 1)."""
    says_down = loss ** (policy.retries + 1)
    regions = policy.regions
    others = policy.needed - 1
    enough = math.fsum(
        math.comb(regions - 1, many) * says_down**many * (1 - says_down) ** (regions - 1 - many)
        for many in range(others, regions)
    )
    until_opened = says_down ** (policy.needed * policy.rounds_held)
    return DAY_MS / policy.interval_ms * regions * says_down * enough * until_opened


def longest_delay_ms(
    policy: AlarmPolicy, timeout_ms: int = TIMEOUT_MS, retry_delay_ms: int = RETRY_DELAY_MS
) -> float:
    """The time from an outage without any answer to its incident, at most, in ms."""
    series_ms = (policy.retries + 1) * timeout_ms + policy.retries * retry_delay_ms
    # The first region that fails has the others asked: their series end a timeout later.
    recheck_ms = timeout_ms if policy.regions > 1 else 0
    # `open_after` counts from the start of the first attempt that failed; it ends with a beat.
    held_ms = policy.open_after_ms + _BEAT_MS if policy.open_after_ms else 0
    return policy.interval_ms * (1 / policy.regions + _SHIFT) + max(series_ms + recheck_ms, held_ms)


def table() -> str:
    """The table of docs/rules.md, in Markdown."""
    losses = " | ".join(f"{loss:.0%} lost" for loss in LOSSES)
    lines = [f"| regions | retries | {losses} | told within |", "|---" * (len(LOSSES) + 3) + "|"]
    lines += [_row(policy) for policy in _policies()]
    return "\n".join(lines)


def of_fleet(targets: Iterable[Target], loss: float) -> dict[AlarmPolicy, tuple[int, float]]:
    """The number of targets with each policy, and their false alarms a day together.

    Without ports that must be closed, since a lost packet makes none look open, and without
    heartbeats, which nobody checks.
    """
    found: dict[AlarmPolicy, tuple[int, float]] = {}
    for target in targets:
        if target.expect == "closed" or is_job(target):
            continue
        policy = policy_of(target)
        number, alarms = found.get(policy, (0, 0.0))
        found[policy] = number + 1, alarms + per_day(policy, loss)
    return found


def amount(number: float) -> str:
    """A number of alarms with two digits: `3,600`, `1.8`, `0.014`, `< 0.001`."""
    if number < LEAST:
        return f"< {LEAST}"
    digits = 1 - math.floor(math.log10(number))
    return f"{round(number, digits):,.{max(0, digits)}f}"


def _policies() -> Iterator[AlarmPolicy]:
    for regions in (1, 2, 3, 5):
        consensuses: tuple[Consensus, ...] = ("quorum", "unanimous")
        for consensus in consensuses if regions > 2 else ("quorum",):
            for retries in range(3):
                yield AlarmPolicy(regions, retries, consensus, INTERVAL_MS)


def _row(policy: AlarmPolicy) -> str:
    alarms = " | ".join(amount(FLEET * per_day(policy, loss)) for loss in LOSSES)
    regions = f"{policy.regions}, {policy.needed} needed" if policy.regions > 1 else "1"
    if policy.regions > policy.needed or policy.consensus == "unanimous":
        regions = f"{policy.regions}, {policy.needed} needed ({policy.consensus})"
    delay_s = math.ceil(longest_delay_ms(policy) / 1000)
    return f"| {regions} | {policy.retries} | {alarms} | {delay_s} s |"


if __name__ == "__main__":
    print(table())  # noqa: T201 - what it is for
