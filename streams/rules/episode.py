"""Rules 5 and 6 for both kinds of episode: an outage, and a slow period.

Both follow the same rules; they differ in the verdict that the regions vote on: `down`, or one of
`slow` and `down`.
"""

from typing import Literal

from schemas.incident import Votes
from streams.rules.consensus import Tally, counts, majority
from streams.state.partition_state import PartitionState
from streams.state.target_state import TargetState, Trouble
from streams.state.windows import Window

Sort = Literal["down", "slow"]
"""The verdict of the vote."""


def votes(counted: Tally, sort: Sort) -> Votes:
    """The count for an event."""
    return Votes(
        down=counted.down if sort == "down" else counted.slow_or_down,
        need=counted.need,
        fresh=counted.fresh,
        configured=counted.configured,
    )


def began(state: PartitionState, entry: TargetState, counted: Tally, sort: Sort) -> tuple[int, int]:
    """The beginning of the episode: effective time, and running time. The regions must agree.

    The earliest moment with enough regions for consensus, counting regions that joined within the
    interval before it; a longer failure of a single region does not belong to the episode.
    """
    starts = sorted(
        _row_began(window, sort)
        for region, window in zip(entry.policy.regions, state.windows(entry), strict=True)
        if window is not None and _says(window, sort) and counts(state, region, window)
    )
    decided = starts[counted.need - 1][0]
    reach = entry.policy.interval_ms + entry.policy.timeout_ms
    return next(start for start in starts if start[0] >= decided - reach)


def over(state: PartitionState, entry: TargetState, abandoned: tuple[str, ...], sort: Sort) -> bool:
    """True if every required region says that the episode is over (rule 6)."""
    trouble = entry.trouble
    for position, region in enumerate(entry.policy.regions):
        if region in abandoned:
            continue
        if trouble is not None and _last_word_blocks(trouble, position, sort):
            return False
        window = state.window(entry, position)
        if window is None:
            continue
        lacking = sort == "down" and window.successes < entry.policy.recover_after
        if lacking and counts(state, region, window):
            return False
    return heard(state, entry, abandoned)


def improved(
    state: PartitionState, entry: TargetState, counted: Tally, abandoned: tuple[str, ...]
) -> bool:
    """True if the target is up by consensus: too few regions for "down" have not recovered.

    A stale region, or one that is set aside, with `down` as its last word counts as down:
    otherwise its silence would improve an outage, and its return would be a new one.
    """
    if not counted.known or counted.down >= counted.need:
        return False
    trouble, policy = entry.trouble, entry.policy
    against = 0
    for position, region in enumerate(policy.regions):
        if region in abandoned:
            continue
        if trouble is not None and _last_word_blocks(trouble, position, "down"):
            against += 1
            continue
        window = state.window(entry, position)
        if window is not None and window.successes < policy.recover_after:
            against += counts(state, region, window)
    return against < counted.need


def heard(state: PartitionState, entry: TargetState, abandoned: tuple[str, ...]) -> bool:
    """True if enough regions count for a closing: a majority of those that are waited for."""
    fresh = sum(
        window is not None and region not in abandoned and counts(state, region, window)
        for region, window in zip(entry.policy.regions, state.windows(entry), strict=True)
    )
    return fresh >= majority(len(entry.policy.regions) - len(abandoned))


def abandoned(state: PartitionState, entry: TargetState) -> tuple[str, ...]:
    """Regions that nobody hears any more: stale, or pending, for too long to wait for; sorted."""
    limit, running = entry.policy.abandon_after_ms, state.running
    fresh_until = state.columns.fresh_until
    return tuple(
        [
            region
            for region, position in entry.policy.by_name
            if fresh_until[entry.slot + position] < running
            and running - fresh_until[entry.slot + position] >= limit
        ]
    )


def _says(window: Window, sort: Sort) -> bool:
    return window.down or (sort == "slow" and window.slow)


def _last_word_blocks(trouble: Trouble, position: int, sort: Sort) -> bool:
    """True if the (last) verdict of the region at `position` blocks the closing."""
    row = trouble.failing.get(position)
    if row is not None and (row.down or row.unended):
        return True
    pace = trouble.pace.get(position) if sort == "slow" else None
    return pace is not None and pace.slow


def _row_began(window: Window, sort: Sort) -> tuple[int, int]:
    row = window.failing if window.down else window.pace
    if row is None:
        raise ValueError(f"expected a region that says {sort}")
    return row.since, row.running_since
