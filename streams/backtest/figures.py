"""The incidents of a policy in numbers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from schemas.duration import DAY_MS
from schemas.partition import host_key
from schemas.target import Target
from streams.backtest.outcome import PastIncident

SHORT_MS: Final = 120_000
"""Longest duration of a short incident, which need not have woken anybody, in ms."""


class PolicyFigures(Struct, frozen=True, kw_only=True):
    """The sums over the incidents of one policy.

    `minutes_down` counts the minutes from first failure to closing of `unreachable` and `flapping`
    incidents. `alerts` are the messages that people would get for openings, and for what is down
    again: those of one host within the notifier's `group_wait` share a message.
    `detect_…_s` is the time from first failure to opening, at the nearest rank, as in the view
    `response_monthly` (None without incidents). `short`
    incidents were over within two minutes of their opening. `open` ones had not closed at the end.
    """

    incidents: int
    by_type: dict[str, int]
    minutes_down: float
    alerts: int
    alerts_a_day: float
    detect_p50_s: float | None
    detect_p95_s: float | None
    short: int
    open: int


def figures(
    incidents: Sequence[PastIncident],
    targets: Mapping[str, Target],
    *,
    since: int,
    until: int,
    group_wait_ms: int,
) -> PolicyFigures:
    """Adds up the incidents, which are sorted by opening time."""
    by_type: dict[str, int] = {}
    for one in incidents:
        by_type[one.incident_type] = by_type.get(one.incident_type, 0) + 1
    alerts = _alerts(incidents, targets, group_wait_ms)
    detect = sorted(one.detect_ms / 1000 for one in incidents if one.incident_type != "slow")
    return PolicyFigures(
        incidents=len(incidents),
        by_type=by_type,
        minutes_down=sum(one.lasted_ms(until) for one in incidents if one.incident_type != "slow")
        / 60_000,
        alerts=alerts,
        alerts_a_day=alerts / max((until - since) / DAY_MS, 1 / 24),
        detect_p50_s=_percentile(detect, 50),
        detect_p95_s=_percentile(detect, 95),
        short=sum(is_short(one) for one in incidents),
        open=sum(one.closed_at is None for one in incidents),
    )


def is_short(one: PastIncident) -> bool:
    """True if the incident recovered by itself within two minutes of its opening."""
    return (
        one.closed_at is not None
        and one.closed_because == "recovered"
        and one.closed_at - one.opened_at <= SHORT_MS
    )


def a_day(incidents: Iterable[PastIncident], *, since: int, until: int) -> list[int]:
    """Number of openings on each day (24 h from `since`)."""
    days = [0] * max(1, -(-(until - since) // DAY_MS))
    for one in incidents:
        days[min(len(days) - 1, max(0, (one.opened_at - since) // DAY_MS))] += 1
    return days


def _alerts(
    incidents: Sequence[PastIncident], targets: Mapping[str, Target], group_wait_ms: int
) -> int:
    begun: dict[str, int] = {}
    alerts = 0
    outages = [(at, one.target) for one in incidents for at in (one.opened_at, *one.worsened_at)]
    for at, name in sorted(outages):
        target = targets.get(name)
        host = host_key(None if target is None else target.host, name)
        first = begun.get(host)
        if first is None or at - first > group_wait_ms:
            begun[host] = at
            alerts += 1
    return alerts


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The value at the nearest rank: the smallest that `percent` % of all don't exceed."""
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None
