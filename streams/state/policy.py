"""The policy of a target: the terms that judge its results. Most targets share a few."""

from msgspec import Struct

from schemas._types import DurationMs, ExpectedState
from schemas.duration import DAY_MS
from schemas.probe import (
    Days,
    DomainProbe,
    GrpcProbe,
    HandshakeProbe,
    HttpProbe,
    Probe,
    TcpProbe,
    TlsProbe,
    WebSocketProbe,
)
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
    """The terms of a policy; see `Target`. Add new fields at the end, with defaults.

    `warn_days` is that of the target's probe, 0 where no end of a certificate matters; None in a
    checkpoint of 0.1, and in no state. `expect` is what the port should be.
    """

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
    warn_days: Days | None = None
    expect: ExpectedState = "open"


class TargetPolicy(Terms, frozen=True, gc=True, weakref=True, kw_only=True):
    """Terms, and values derived from them.

    `positions` has the index of each region among the target's windows, `by_name` the same sorted
    by region; for `span_ms` and `late_ms` see `streams.state.freshness`, for `usual_shift`,
    `daily_shift` (0: not followed) and `limit_level` (0: no limit) `streams.state.latency_levels`.
    `times_thousandths` is the `times_usual` of its latency (0: none), `warn_ms` its `warn_days` in
    ms. `closed`: the port must not be reachable. `measured`: even a success may have consequences,
    by its times, by its certificate, or by whether the host of a closed port answered.
    `of_total`: its time is that of the whole check, and not of the connection.
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
    warn_ms: int
    measured: bool
    of_total: bool
    closed: bool


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
        warn_days_of(target.probe),
        target.expect,
    )


def warn_days_of(probe: Probe | None) -> int:
    """The days before an end, of a certificate or domain, in which it is told of; 0: never."""
    match probe:
        case HandshakeProbe(tls="none"):
            return 0
        case HandshakeProbe(verify=True) | TlsProbe(verify=True) | HttpProbe(verify=True):
            return probe.warn_days
        case TcpProbe(verify=True) if probe.encrypted:
            return probe.warn_days
        case WebSocketProbe(tls=True, verify=True) | GrpcProbe(tls=True, verify=True):
            return probe.warn_days
        case DomainProbe():
            return probe.warn_days
        case _:
            return 0


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
        terms.warn_days,
        terms.expect,
        terms=terms,
        positions={region: position for position, region in enumerate(terms.regions)},
        by_name=tuple(sorted((region, place) for place, region in enumerate(terms.regions))),
        span_ms=freshness.span_ms(terms.interval_ms, terms.timeout_ms),
        late_ms=freshness.late_ms(terms.interval_ms, terms.timeout_ms),
        usual_shift=latency_levels.usual_shift(terms.interval_ms),
        daily_shift=latency_levels.daily_shift(terms.interval_ms) if limit.warn_ahead_ms else 0,
        limit_level=latency_levels.level(limit.max_ms) if limit.max_ms else 0,
        times_thousandths=round((limit.times_usual or 0) * 1000),
        warn_ms=(terms.warn_days or 0) * DAY_MS,
        measured=bool(terms.latency or terms.warn_days) or terms.expect == "closed",
        of_total=limit.of == "total",
        closed=terms.expect == "closed",
    )
