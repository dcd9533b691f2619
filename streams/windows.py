"""Rules 1 and 2: which results count, and when a region's verdict turns."""

from typing import Literal

from schemas.result import CheckResult
from schemas.target import Target
from streams.freshness import late_ms, span_ms
from streams.state import Failing, PartitionState, TargetState, Window

Change = Literal["ignored", "success", "recovered", "first_failure", "failure"]
"""What a result did to its window; `recovered` is the success that ends a row of failures."""


def take(state: PartitionState, entry: TargetState, result: CheckResult) -> Change:
    """Counts a result in the window of its region.

    Ignored (history only) is what says nothing of the target (`missed`, `prober_error`,
    `address_blocked`), what is about another kind, host or port, comes from a region that is not
    the target's, is not newer than the newest of its region (or than what was seen before its
    window began anew), or waited in a spool (`late_ms`). Of results whose own time lies ahead of
    the log's only those count that started after the newest: their effective time is no order.
    """
    target = entry.target
    if not result.counted or not _same_place(target, result):
        return "ignored"
    try:
        position = target.regions.index(result.region)
    except ValueError:
        return "ignored"
    effective = min(result.started_at, state.now)
    window = entry.windows[position]
    newest = entry.floor if window is None else window.newest
    if effective <= newest or effective + late_ms(target) <= state.now:
        return "ignored"
    if window is None:
        window = entry.windows[position] = Window(newest=-1, started=-1, fresh_until=0)
    elif _seen_ahead(state, window, result):
        return "ignored"
    window.newest = effective
    window.started = result.started_at
    window.fresh_until = max(window.fresh_until, state.running_at(effective) + span_ms(target))
    if result.status == "up":
        return _success(entry, window, effective)
    return _failure(state, target, window, result, effective)


def _seen_ahead(state: PartitionState, window: Window, result: CheckResult) -> bool:
    if result.started_at > state.now:
        return result.started_at <= window.started
    return result.started_at == window.started


def _same_place(target: Target, result: CheckResult) -> bool:
    return result.port == target.port and result.host == target.host and result.kind == target.kind


def _success(entry: TargetState, window: Window, effective: int) -> Change:
    if window.successes < entry.target.recover_after:
        window.successes += 1
    if window.down or not window.since:
        window.since = effective
    if window.failing is None:
        return "success"
    window.down = False
    window.failing = None
    return "recovered"


def _failure(
    state: PartitionState, target: Target, window: Window, result: CheckResult, effective: int
) -> Change:
    window.successes = 0
    # A failed result without a reason breaks its schema's promise; it still is a failure.
    reason = result.reason or "unexpected_response"
    failing = window.failing
    if failing is None:
        running = state.running_at(effective)
        window.failing = Failing(1, effective, effective, running, reason, result.detail)
        window.down = target.retries == 0
        return "first_failure"
    failing.reason = reason
    failing.detail = result.detail
    if (effective - failing.counted_at) * 5 >= target.retry_delay_ms * 4:
        failing.count += 1
        failing.counted_at = effective
        if failing.count > target.retries:
            window.down = True
    return "failure"
