"""A short past for the backtest's tests: targets, results, incidents."""

from typing import Any

from schemas.result import CheckResult
from schemas.target import Target
from streams.backtest.outcome import PastIncident

START = 1_800_000_000_000
MINUTE = 60_000
REGIONS = ("a", "b", "c")


def target(target_id: str = "db", **changes: Any) -> Target:
    values: dict[str, Any] = {
        "id": target_id,
        "name": target_id.upper(),
        "kind": "tcp",
        "host": f"{target_id}.example.com",
        "port": 5432,
        "regions": REGIONS,
        "interval_ms": MINUTE,
        "timeout_ms": 3_000,
        "version": 1,
        "source": "test",
    }
    return Target(**(values | changes))


def result(
    at: int, region: str, *, up: bool, of: Target | None = None, attempt: int = 0
) -> CheckResult:
    one = of or target()
    return CheckResult(
        target=one.id,
        kind=one.kind,
        host=one.host,
        port=one.port,
        region=region,
        prober=f"{region}-1",
        scheduled_at=at,
        started_at=at,
        status="up" if up else "down",
        reason=None if up else "timed_out",
        attempt=attempt,
        cause="retry" if attempt else "schedule",
        target_version=1,
        connect_ms=2.0 if up else None,
    )


def incident(opened_at: int, lasted: int | None, **changes: Any) -> PastIncident:
    """Opened at a minute of the past, a second after its first failure; closed so much later."""
    at = START + opened_at * MINUTE
    values: dict[str, Any] = {
        "target": "db",
        "incident_type": "unreachable",
        "first_failed_at": at - 1_000,
        "opened_at": at,
        "closed_at": None if lasted is None else at + lasted * MINUTE,
        "closed_because": None if lasted is None else "recovered",
        "down": 2,
        "fresh": 3,
        "configured": 3,
        "reasons": ("timed_out",),
    }
    return PastIncident(**(values | changes))
