"""Rule 5: from the regions' verdicts to the target's status."""

import math
from fractions import Fraction
from typing import Final

from msgspec import Struct

from schemas.incident import RegionVerdict, TargetStatus, Verdict, Votes
from schemas.target import Consensus
from streams.columns import Window
from streams.freshness import is_fresh
from streams.state import PartitionState
from streams.target_state import TargetState

QUORUM_PERCENT: Final = 66


class Tally(Struct, frozen=True, gc=False):
    """The count of a target's regions at one moment.

    `down` regions are fresh and confirmed, `failing` ones fresh with at least one failure;
    `known` says whether enough regions are fresh to say anything.
    """

    fresh: int
    down: int
    failing: int
    need: int
    configured: int

    @property
    def known(self) -> bool:
        return self.fresh >= majority(self.configured)

    @property
    def is_down(self) -> bool:
        return self.known and self.down >= self.need

    @property
    def votes(self) -> Votes:
        return Votes(down=self.down, need=self.need, fresh=self.fresh, configured=self.configured)


def majority(regions: int) -> int:
    """More than half: 1 of 1, 2 of 2, 2 of 3, 3 of 4."""
    return regions // 2 + 1


def need(consensus: Consensus, fresh: int) -> int:
    """How many of `fresh` regions must say down: 1 of 1, 2 of 2, 2 of 3, 3 of 4, and so on.

    `quorum` is ceil(66·n / 100), `unanimous` all, a fraction f is ceil(f·n), with f taken as the
    decimal number that was written.
    """
    if consensus == "unanimous":
        return fresh
    if consensus == "quorum":
        return -(-QUORUM_PERCENT * fresh // 100)
    return math.ceil(Fraction(str(consensus)) * fresh)


def tally(state: PartitionState, entry: TargetState) -> Tally:
    """Counts the regions of a target at the state's moment."""
    running = state.running
    fresh = down = failing = 0
    for window in state.windows(entry):
        if window is None or not is_fresh(window, running):
            continue
        fresh += 1
        if window.failing is not None:
            failing += 1
            down += window.down
    configured = len(entry.policy.regions)
    needed = max(need(entry.policy.consensus, fresh), majority(configured))
    return Tally(fresh, down, failing, needed, configured)


def verdict(window: Window | None, running: int) -> Verdict:
    """What one region says."""
    if window is None:
        return "pending"
    if not is_fresh(window, running):
        return "stale"
    return "down" if window.down else "up"


def region_verdict(state: PartitionState, window: Window | None) -> RegionVerdict:
    """What one region says, for an event.

    A stale region keeps the reason of its last word; beside `up` a reason is a failure that is
    not confirmed (yet).
    """
    said = verdict(window, state.running)
    if window is None:
        return RegionVerdict(verdict=said)
    failing = window.failing
    since: int | None = window.since or None
    if said == "stale":
        since = state.log_at(window.fresh_until)
    elif failing is not None and window.down:
        since = failing.since
    return RegionVerdict(
        verdict=said,
        reason=failing.reason if failing else None,
        detail=failing.detail if failing else None,
        since=since,
    )


def status(state: PartitionState, entry: TargetState) -> TargetStatus:
    """The status of a target as a neighbour of the same host sees it.

    A failure that is not yet confirmed counts here: when a host dies all its ports fail within a
    second, and the first incident should already say so.
    """
    if not any(window is not None for window in state.windows(entry)):
        return "pending"
    counted = tally(state, entry)
    if not counted.known:
        return "unknown"
    return "down" if counted.failing >= counted.need else "up"
