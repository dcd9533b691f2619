"""Rules 1 and 2: the results that count, and the changes of a region's verdict."""

from collections.abc import Iterator, Sequence
from typing import Literal

from schemas.result import CheckResult
from streams.rules import expiring, host_status, slow
from streams.state import freshness, latency_levels
from streams.state.partition_state import PartitionState
from streams.state.target_state import TargetState
from streams.state.windows import Failing

Change = Literal["ignored", "success", "turned", "recovered", "first_failure", "failure"]
"""The effect of a result on its window.

`recovered` is the success that ends a row of failures, `turned` a success with which its region
begins or ceases to say `slow`, or that looks at a certificate which ends soon, or did.
"""


def take_calm(  # noqa: C901, PLR0912 - the way of nearly every result: a call would take longer than it does
    state: PartitionState, results: Sequence[CheckResult]
) -> Iterator[tuple[TargetState, CheckResult]]:
    """Counts results that can't have consequences; yields the others, one by one.

    One more success of a calm target has no consequences, nor has an ignored result. These are
    nearly all results, so this function handles them without a call, with the same effect as
    `take`. All others are yielded with their target, to be taken before the next step of the
    iteration: a failure, a target in trouble, a first result, a slow one, a certificate that ends
    soon, a time ahead of the log or within a gap; and, while any target is in trouble, the first
    result of a stale region, because a neighbour's diagnosis may rest on it.
    """
    columns, now = state.columns, state.now
    newest, fresh_until, successes = columns.newest, columns.fresh_until, columns.successes
    since = columns.since
    lately, usual_turn = columns.lately, latency_levels.is_usual_turn(state.offset)
    small_steps = latency_levels.SMALL_STEPS
    ahead, gap_end, gaps = columns.ahead, state.gap_end, state.gaps
    find, hot, running = state.targets.get, state.hot, state.running
    # All at once, before anything else is touched: a processor waits for many at the same time.
    found = list(map(find, [result.target for result in results]))
    for result, entry, seen in zip(results, found, latency_levels.of_all(results), strict=True):
        if entry is None:
            continue
        if entry.trouble is not None or result.status != "up" or result.reason is not None:
            yield entry, result
            continue
        policy = entry.policy
        position = policy.positions.get(result.region)
        if (
            position is None
            or result.host != entry.host
            or result.port != entry.port
            or result.kind != entry.kind
            or result.expect != policy.expect
        ):
            continue
        at, started = entry.slot + position, result.started_at
        last = newest[at]
        measured = policy.measured
        if (
            not last
            or started > now
            or started < gap_end
            or (ahead and at in ahead)
            or (hot and fresh_until[at] < running)
            or (
                measured
                and (
                    # As `expiring.sees_end`.
                    ((end := result.cert_expires_at) is not None and end - started < policy.warn_ms)
                    or (
                        policy.latency is not None
                        and slow.why(columns, at, policy, result, started) is not None
                    )
                    # As `_note_answer`: the host begins or ceases to refuse.
                    or (policy.closed and (seen > 0) != (lately[at] > 0))
                )
            )
        ):
            yield entry, result
            continue
        if started <= last or started + policy.late_ms <= now:
            continue
        newest[at] = started
        until = started - gaps + policy.span_ms
        if until > fresh_until[at]:  # noqa: PLR1730 - a call to max takes longer than all of this
            fresh_until[at] = until
        if measured and policy.of_total:
            seen = latency_levels.of(result, of_total=True)  # noqa: PLW2901 - of few targets
        if seen > 0:
            # `levels.note`; of those that `usual` follows in small steps seldom more than `lately`.
            kept = lately[at]
            if not kept or usual_turn or policy.usual_shift < small_steps:
                latency_levels.note(columns, at, seen, policy.usual_shift, usual_turn=usual_turn)
            else:
                lately[at] = kept + (seen - kept + 2 >> 2)
            if measured and policy.daily_shift:
                latency_levels.note_daily(
                    columns, at, seen, policy.daily_shift, started - since[at]
                )
        # A calm window has had one success at least.
        if policy.recover_after > 1 and successes[at] < policy.recover_after:
            successes[at] += 1


def take(state: PartitionState, entry: TargetState, result: CheckResult) -> Change:
    """Counts a result in the window of its region.

    Ignored (history only) are results that say nothing about the target (`missed`, `prober_error`,
    `address_blocked`), results of another kind, host, port or expected state, of a region that is
    not the target's, results not newer than the newest of the region, those that did not start
    after all that counted (before its window restarted, too), those that waited in a spool
    (`late_ms`), and those too far ahead of the log (`AHEAD_MS`).
    """
    policy, columns = entry.policy, state.columns
    position = policy.positions.get(result.region)
    if position is None or not result.counted or not _same_place(entry, result):
        return "ignored"
    at = entry.slot + position
    started, newest = result.started_at, columns.newest[at]
    effective = min(started, state.now)
    if effective <= newest or effective + policy.late_ms <= state.now:
        return "ignored"
    last = columns.ahead.get(at, newest) if newest else entry.floor
    farthest = state.now + freshness.AHEAD_MS
    if last > farthest:
        last = newest  # a checkpoint of 0.1 may have any start, and that must blind nobody
    if not last < started <= farthest:
        return "ignored"
    columns.newest[at] = effective
    if started != effective:
        columns.ahead[at] = started
    elif columns.ahead:
        columns.ahead.pop(at, None)
    running, fresh_until = state.running_at(effective), columns.fresh_until[at]
    columns.fresh_until[at] = max(fresh_until, running + policy.span_ms)
    paused = running > fresh_until
    forgotten = paused and slow.after_pause(entry, position, running - fresh_until)
    if result.status == "up":
        return _success(state, entry, position, result, effective, forgotten=forgotten)
    return _failure(state, entry, position, result, effective, paused=paused)


def says_it_already(state: PartitionState, entry: TargetState, result: CheckResult) -> bool:
    """True if a result of a target in trouble only repeats its region's verdict.

    Most results of a long outage, or of a failure in one region, do. The region must be fresh,
    otherwise its verdict begins to count again.
    """
    position = entry.policy.positions.get(result.region)
    if position is None or entry.trouble is None:
        return False
    at, columns = entry.slot + position, state.columns
    if columns.fresh_until[at] < state.running:
        return False
    if not expiring.says_the_same(entry, position, result, min(result.started_at, state.now)):
        return False
    row = entry.trouble.failing.get(position)
    if result.status == "down":
        return row is not None and row.down and row.reason == result.reason
    return (
        result.status == "up"
        and row is None
        and entry.policy.latency is None
        and columns.successes[at] >= entry.policy.recover_after
    )


def _same_place(entry: TargetState, result: CheckResult) -> bool:
    return (
        result.port == entry.port
        and result.host == entry.host
        and result.kind == entry.kind
        and result.expect == entry.policy.expect
    )


def _success(
    state: PartitionState,
    entry: TargetState,
    position: int,
    result: CheckResult,
    effective: int,
    *,
    forgotten: bool,
) -> Change:
    """Counts a success. `forgotten`: its region said `slow`, before a pause for too long."""
    columns, at = state.columns, entry.slot + position
    if columns.successes[at] < entry.policy.recover_after:
        columns.successes[at] += 1
    failing = None if entry.trouble is None else entry.trouble.failing.pop(position, None)
    if not columns.since[at] or (failing is not None and (failing.down or failing.unended)):
        columns.since[at] = effective
    turned = entry.policy.latency is not None and slow.take(
        state, entry, position, result, effective
    )
    turned = turned or forgotten
    if turned and not _says_slow(entry, position):
        columns.since[at] = effective
    _learn(state, entry, position, result, effective)
    turned = expiring.take(entry, position, result, effective) or turned
    if failing is not None:
        return "recovered"
    return "turned" if turned else "success"


def _learn(
    state: PartitionState, entry: TargetState, position: int, result: CheckResult, effective: int
) -> None:
    policy, columns, at = entry.policy, state.columns, entry.slot + position
    seen = latency_levels.of(result, of_total=policy.of_total)
    learned = slow.is_learned_from(entry, position)
    if policy.closed and bool(seen) != bool(columns.lately[at]):
        # Of a port that must be closed `lately` is the time of its last answer, if that was one.
        columns.lately[at] = columns.usual[at] = latency_levels.NONE
        host_status.note_answer(state, entry)
    latency_levels.note(
        columns,
        at,
        seen,
        policy.usual_shift,
        usual_turn=latency_levels.is_usual_turn(state.offset),
        usual_stands=not learned,
    )
    if policy.daily_shift and learned:
        latency_levels.note_daily(
            columns, at, seen, policy.daily_shift, effective - columns.since[at]
        )


def _says_slow(entry: TargetState, position: int) -> bool:
    row = None if entry.trouble is None else entry.trouble.pace.get(position)
    return row is not None and row.slow


def _failure(
    state: PartitionState,
    entry: TargetState,
    position: int,
    result: CheckResult,
    effective: int,
    *,
    paused: bool,
) -> Change:
    """Counts a failure. `paused`: it began when its region was stale, and begins a new row."""
    policy = entry.policy
    state.columns.successes[entry.slot + position] = 0
    expiring.take(entry, position, result, effective)
    # A failed result without a reason breaks its schema's promise; it still is a failure.
    reason = result.reason or "unexpected_response"
    rows = entry.troubled().failing
    failing = rows.get(position)
    if policy.closed and failing is None:
        host_status.note_answer(state, entry)
    if failing is None or paused:
        said_down = failing is not None and (failing.down or failing.unended)
        rows[position] = Failing(
            count=1,
            counted_at=effective,
            since=effective,
            running_since=state.running_at(effective),
            reason=reason,
            detail=result.detail,
            down=policy.retries == 0,
            unended=said_down and policy.retries > 0,
        )
        return "first_failure"
    failing.reason = reason
    failing.detail = result.detail
    if (effective - failing.counted_at) * 5 >= policy.retry_delay_ms * 4:
        failing.count += 1
        failing.counted_at = effective
        if failing.count > policy.retries:
            failing.down, failing.unended = True, False
    return "failure"
