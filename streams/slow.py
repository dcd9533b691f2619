"""Rule 7: when a region says `slow`."""

from schemas.result import CheckResult
from schemas.target import LatencyLimit
from streams.columns import Slow
from streams.state import PartitionState
from streams.target_state import TargetState


def exceeds(limit: LatencyLimit, result: CheckResult) -> bool | None:
    """Whether a success took too long; None for one without a time, which says nothing."""
    took_ms = _took_ms(result)
    return None if took_ms is None else took_ms > limit.max_ms


def take(
    state: PartitionState,
    entry: TargetState,
    position: int,
    result: CheckResult,
    effective: int,
) -> bool:
    """Counts a success in its region's row; whether what the region says has turned.

    The target must have a limit. A success without a time says nothing.
    """
    limit = entry.policy.latency
    took_ms = _took_ms(result)
    if limit is None or took_ms is None:
        return False
    slow = took_ms > limit.max_ms
    row = None if entry.trouble is None else entry.trouble.pace.get(position)
    if row is None:
        if not slow:
            return False
        row = entry.troubled().pace[position] = Slow(
            0, effective, state.running_at(effective), took_ms
        )
    if slow:
        row.took_ms = took_ms
    if slow == row.slow:
        # What the region says already: a row of the other kind is broken.
        row.count = 0
        if not slow:
            del entry.troubled().pace[position]
        return False
    row.count += 1
    if row.count < limit.for_results:
        return False
    if slow:
        row.slow, row.count = True, 0
    else:
        del entry.troubled().pace[position]
    return True


def _took_ms(result: CheckResult) -> float | None:
    return result.connect_ms if result.connect_ms is not None else result.total_ms
