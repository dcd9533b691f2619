"""The policy of a target: the terms that judge its results. Most targets share a few."""

from msgspec import Struct

from schemas._types import DurationMs
from schemas.target import (
    Consensus,
    IntervalMs,
    LatencyLimit,
    RecoverAfter,
    Regions,
    Retries,
    Target,
    TimeoutMs,
)
from streams.state import freshness, latency_levels


class Terms(Struct, frozen=True, gc=False, array_like=True):
    """The terms of a policy; see `Target`. Add new fields at the end, with defaults."""

    regions: Regions
    interval_ms: IntervalMs
    timeout_ms: TimeoutMs
    retries: Retries
    retry_delay_ms: DurationMs
    consensus: Consensus
    open_after_ms: DurationMs
    recover_after: RecoverAfter
    abandon_after_ms: DurationMs
    latency: LatencyLimit | None


class TargetPolicy(Terms, frozen=True, gc=True, weakref=True, kw_only=True):
    """Terms, and values derived from them.

    `positions` has the index of each region among the target's windows, `by_name` the same sorted
    by region; for `span_ms` and `late_ms` see `streams.state.freshness`, for `usual_shift`,
    `daily_shift` (0: not followed) and `limit_level` (0: no limit) `streams.state.latency_levels`.
    `times_thousandths` is the `times_usual` of its latency (0: none).
    """

    terms: Terms
    positions: dict[str, int]
    by_name: tuple[tuple[str, int], ...]
    span_ms: int
    late_ms: int
    usual_shift: int
    daily_shift: int
    limit_level: int
    times_thousandths: int


def terms_of(target: Target) -> Terms:
    """The terms of a target; a region that is named twice votes once."""
    return Terms(
        tuple(dict.fromkeys(target.regions)),
        target.interval_ms,
        target.timeout_ms,
        target.retries,
        target.retry_delay_ms,
        target.consensus,
        target.open_after_ms,
        target.recover_after,
        target.abandon_after_ms,
        target.latency,
    )


def policy_of(terms: Terms) -> TargetPolicy:
    """The policy with these terms."""
    limit = terms.latency or LatencyLimit()
    return TargetPolicy(
        terms.regions,
        terms.interval_ms,
        terms.timeout_ms,
        terms.retries,
        terms.retry_delay_ms,
        terms.consensus,
        terms.open_after_ms,
        terms.recover_after,
        terms.abandon_after_ms,
        terms.latency,
        terms=terms,
        positions={region: position for position, region in enumerate(terms.regions)},
        by_name=tuple(sorted((region, place) for place, region in enumerate(terms.regions))),
        span_ms=freshness.span_ms(terms.interval_ms, terms.timeout_ms),
        late_ms=freshness.late_ms(terms.interval_ms, terms.timeout_ms),
        usual_shift=latency_levels.usual_shift(terms.interval_ms),
        daily_shift=latency_levels.daily_shift(terms.interval_ms) if limit.warn_ahead_ms else 0,
        limit_level=latency_levels.level(limit.max_ms) if limit.max_ms else 0,
        times_thousandths=round((limit.times_usual or 0) * 1000),
    )
