"""Rule 5: the regions' verdicts give the target's status."""

import math
from fractions import Fraction
from typing import Final

from msgspec import Struct

from schemas.incident import TargetStatus, Verdict
from schemas.target import Consensus
from streams.state.freshness import is_fresh
from streams.state.partition_state import PartitionState
from streams.state.target_state import TargetState
from streams.state.windows import Window

QUORUM_PERCENT: Final = 66


class Tally(Struct, frozen=True, gc=False):
    """The votes of a target's regions at one moment.

    `down` regions are fresh and confirmed, `failing` ones are fresh with at least one failure,
    `slow` ones fresh and slow; regions that are set aside count in none. A silent region that says
    `up` is `fresh`, and no more: `need` is that of the others. `known` is True if enough regions
    are fresh for a status.
    """

    fresh: int
    down: int
    failing: int
    slow: int
    need: int
    configured: int

    @property
    def known(self) -> bool:
        return self.fresh >= majority(self.configured)

    @property
    def is_down(self) -> bool:
        return self.known and self.down >= self.need

    @property
    def slow_or_down(self) -> int:
        """The votes for slowness: a region that is down has no less trouble than a slow one."""
        return self.slow + self.down

    @property
    def is_slow(self) -> bool:
        """True if it is slow and not down.

        Votes of regions that are down are needed only when no region is about to confirm a failure:
        with it, it may be an outage.
        """
        if self.denies_slow or not self.known:
            return False
        return self.slow >= self.need or self.failing == self.down

    @property
    def denies_slow(self) -> bool:
        """True if consensus says "not slow"."""
        return self.known and (self.is_down or self.slow_or_down < self.need)


def majority(regions: int) -> int:
    """The smallest majority: 1 of 1, 2 of 2, 2 of 3, 3 of 4."""
    return regions // 2 + 1


def need(consensus: Consensus, fresh: int) -> int:
    """Number of `fresh` regions that must say down: 1 of 1, 2 of 2, 2 of 3, 3 of 4, and so on.

    `quorum` is ceil(66·n / 100), `unanimous` all, a fraction f is ceil(f·n), where f is the exact
    decimal number of the policy.
    """
    if consensus == "unanimous":
        return fresh
    if consensus == "quorum":
        return -(-QUORUM_PERCENT * fresh // 100)
    return math.ceil(Fraction(str(consensus)) * fresh)


def tally(state: PartitionState, entry: TargetState) -> Tally:
    """Counts the votes of a target's regions at the state's moment."""
    # As `counts` and `Window` have it: a mass outage asks this several times for each result.
    fresh = down = failing = slow = unheard = latest = 0
    columns, running, set_aside = state.columns, state.running, state.set_aside
    silent, quiet = state.silent, []
    trouble, at = entry.trouble, entry.slot
    for position, region in enumerate(entry.policy.regions):
        if (
            not columns.newest[at + position]
            or columns.fresh_until[at + position] < running
            or region in set_aside
        ):
            continue
        fresh += 1
        row = None if trouble is None else trouble.failing.get(position)
        if row is not None and row.down:
            failing += 1
            down += 1
            latest = max(latest, row.since)
            continue
        pace = None if trouble is None else trouble.pace.get(position)
        if pace is not None and pace.slow:
            slow += 1
            latest = max(latest, pace.since)
        elif silent and region in silent:
            quiet.append((columns.newest[at + position], row is not None))
            continue
        failing += row is not None
    for newest, fails in quiet:
        # What it saw after the others had begun to fail, it has seen.
        unheard += newest < latest
        failing += fails and newest >= latest
    configured = len(entry.policy.regions)
    needed = max(need(entry.policy.consensus, fresh - unheard), majority(configured))
    return Tally(fresh, down, failing, slow, needed, configured)


def denies(state: PartitionState, entry: TargetState, counted: Tally) -> bool:
    """True if consensus says "not down"; a region that fails again after a pause does not."""
    unended = sum(
        window is not None and window.unended and counts(state, region, window)
        for region, window in zip(entry.policy.regions, state.windows(entry), strict=True)
    )
    return counted.known and counted.down + unended < counted.need


def counts(state: PartitionState, region: str, window: Window) -> bool:
    """True if the region's verdict counts: it is fresh, and not set aside."""
    return is_fresh(window, state.running) and region not in state.set_aside


def verdict(window: Window | None, running: int) -> Verdict:
    """The verdict of one region."""
    if window is None:
        return "pending"
    if not is_fresh(window, running):
        return "stale"
    if window.down:
        return "down"
    return "slow" if window.slow else "up"


def status(state: PartitionState, entry: TargetState, counted: Tally | None = None) -> TargetStatus:
    """The status of a target for its neighbours on the host; `counted` are its votes, if known.

    An unconfirmed failure counts here: when a host dies, all its ports fail within a second, and
    the first incident should already say so.
    """
    counted = counted or tally(state, entry)
    if not counted.known:
        end = entry.slot + len(entry.policy.regions)
        return "unknown" if any(state.columns.newest[entry.slot : end]) else "pending"
    if counted.failing >= counted.need:
        return "down"
    return "slow" if counted.is_slow else "up"
