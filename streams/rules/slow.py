"""Rule 7: the conditions under which a region says `slow`."""

from typing import Final

from schemas.duration import DAY_MS, HOUR_MS
from schemas.result import CheckResult
from schemas.target import LatencyLimit
from streams.diagnosis.units import about, milliseconds
from streams.state import latency_levels
from streams.state.partition_state import PartitionState
from streams.state.policy import TargetPolicy
from streams.state.target_state import TargetState
from streams.state.windows import Slow, Why, WindowColumns

UNUSUAL_BY_US: Final = 10_000
"""Least distance from the usual time, in µs: on a local network 0.2 ms becomes 1 ms without a
cause."""

RISE_LEAST: Final = 256 << latency_levels.DAILY_SHIFT
"""Least daily increase that counts as a rise, in units of `daily`: a quarter of a doubling."""

_NOT_NEAR: Final = 256
"""Levels no more than this above the usual level are surely below 1.5 times the usual time."""


def why(
    columns: WindowColumns, at: int, policy: TargetPolicy, result: CheckResult, effective: int
) -> Why | None:
    """The reason why a success of the window at `at` is slow, by earlier results; None if not.

    A success without a time is never slow. The window knows since when the region is up.
    """
    limit, took_ms = policy.latency, _took_ms(policy, result)
    if limit is None or took_ms is None:
        return None
    if limit.max_ms is not None and took_ms > limit.max_ms:
        return "limit"
    usual = columns.usual[at]
    up_for = effective - columns.since[at]
    if not usual or up_for < HOUR_MS:
        return None
    if policy.times_thousandths and _is_unusual(policy, usual, took_ms):
        return "usual"
    if limit.warn_ahead_ms and up_for >= DAY_MS and columns.daily[at]:
        rise = _rise(columns, at)
        left = _left(columns, at, policy)
        if rise >= RISE_LEAST and left * DAY_MS <= rise * limit.warn_ahead_ms:
            return "rising"
    return None


def take(
    state: PartitionState,
    entry: TargetState,
    position: int,
    result: CheckResult,
    effective: int,
) -> bool:
    """Counts a success in its region's row; True if the region's verdict on speed has changed.

    The target must have limits. A success without a time has no effect. Call it before the success
    is learned from.
    """
    limit = entry.policy.latency
    took_ms = _took_ms(entry.policy, result)
    if limit is None or took_ms is None:
        return False
    at = entry.slot + position
    found = why(state.columns, at, entry.policy, result, effective)
    row = None if entry.trouble is None else entry.trouble.pace.get(position)
    if row is None:
        if found is None:
            return False
        row = entry.troubled().pace[position] = Slow(
            0, effective, state.running_at(effective), took_ms
        )
    if found is not None:
        row.took_ms, row.why = took_ms, found
        row.measure = _measure(state.columns, at, entry.policy, found)
    slow = found is not None
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


def after_pause(entry: TargetState, position: int, stale_ms: int) -> bool:
    """Breaks the rows of a region that was stale for `stale_ms`; True if it says `slow` no more.

    A region for which nobody waits any more (`abandon_after`) has no word left: one slow look after
    hours would warn of these hours. Until then its word keeps an incident open.
    """
    row = None if entry.trouble is None else entry.trouble.pace.get(position)
    if row is None:
        return False
    if row.slow and stale_ms < entry.policy.abandon_after_ms:
        row.count = 0
        return False
    del entry.troubled().pace[position]
    return row.slow


def is_learned_from(entry: TargetState, position: int) -> bool:
    """True if the region's latencies may change the usual one.

    Not while the region is slow: slow would soon be usual. A rise is no such state, because its
    warning comes before anything is too slow; it ends when the usual time is stable for a day.
    """
    row = None if entry.trouble is None else entry.trouble.pace.get(position)
    return row is None or not row.slow or row.why == "rising"


def in_words(row: Slow, limit: LatencyLimit) -> str:
    """The reason in words: `312 ms, limit 250 ms`; with the present limit."""
    if row.why == "usual":
        return f"{row.took_ms:.0f} ms, usually {milliseconds(row.measure)}"
    if limit.max_ms is None:
        return f"{row.took_ms:.0f} ms"
    if row.why == "rising":
        return f"rising: {limit.max_ms:g} ms in {about(row.measure)}"
    return f"{row.took_ms:.0f} ms, limit {limit.max_ms:g} ms"


def _is_unusual(policy: TargetPolicy, usual: int, took_ms: float) -> bool:
    if latency_levels.level(took_ms) - usual <= _NOT_NEAR:
        return False
    took_us, usual_us = round(took_ms * 1000), latency_levels.span_us(usual)
    return (
        took_us * 1000 > policy.times_thousandths * usual_us and took_us - usual_us >= UNUSUAL_BY_US
    )


def _measure(columns: WindowColumns, at: int, policy: TargetPolicy, found: Why) -> int:
    match found:
        case "limit":
            return 0
        case "usual":
            return latency_levels.span_us(columns.usual[at])
        case "rising":
            rise, left = _rise(columns, at), _left(columns, at, policy)
            return max(1, (left * 24 + rise // 2) // rise)


def _rise(columns: WindowColumns, at: int) -> int:
    """The daily increase, in units of `daily`."""
    return (columns.usual[at] << latency_levels.DAILY_SHIFT) - columns.daily[at]


def _left(columns: WindowColumns, at: int, policy: TargetPolicy) -> int:
    """The distance from the usual time to the limit, in units of `daily`."""
    return policy.limit_level - columns.usual[at] << latency_levels.DAILY_SHIFT


def _took_ms(policy: TargetPolicy, result: CheckResult) -> float | None:
    if policy.of_total:
        return result.total_ms
    return result.connect_ms if result.connect_ms is not None else result.total_ms
