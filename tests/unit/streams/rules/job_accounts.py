"""Jobs and receivers of an account, and what is told of them in short."""

from datetime import datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from schemas.control import TargetSet
from schemas.probe import HeartbeatProbe, ZoneOffset
from schemas.result import RECEIVER, CheckResult, Reason, Signal, Status
from schemas.target import Target
from schemas.wall_clock import offsets
from tests.unit.streams.rules.fleet import START, Fleet, target

MINUTE: Final = 60_000
HOUR: Final = 3_600_000
DAY: Final = 86_400_000
BEAT_MS: Final = 5_000

STATUSES: Final[dict[Signal, tuple[Status, Reason | None]]] = {
    "success": ("up", None),
    "fail": ("down", "job_failed"),
    "start": ("missed", None),
    "log": ("missed", None),
}


def job(job_id: str = "job", /, *, zone: str = "UTC", **options: object) -> Target:
    """A job; what is no option of its heartbeat is one of the target."""
    known = {*HeartbeatProbe.__struct_fields__}
    probe = {key: value for key, value in options.items() if key in known}
    others = {key: value for key, value in options.items() if key not in known}
    return target(
        job_id,
        "receiver",
        kind="heartbeat",
        host=None,
        port=None,
        timeout_ms=1_000,
        probe=HeartbeatProbe(zone=zone, offsets=_offsets(zone), **probe),  # type: ignore[arg-type]
        **others,
    )


@cache
def _offsets(zone: str) -> tuple[ZoneOffset, ...]:
    return offsets(ZoneInfo(zone), START - 400 * DAY, START + 5 * 366 * DAY)


def signal(
    fleet: Fleet,
    sort: Signal = "success",
    of: str = "job",
    run: str | None = None,
    *,
    ago: int = 0,
    **changes: object,
) -> CheckResult:
    """What a receiver publishes now; each is another one unless `attempt` says the same."""
    fleet.sequence += 1
    status, reason = STATUSES[sort]
    values: dict[str, object] = {
        "target": of,
        "kind": "heartbeat",
        "host": None,
        "port": None,
        "region": RECEIVER,
        "prober": "receiver-1",
        "scheduled_at": fleet.now - ago,
        "started_at": fleet.now - ago,
        "status": status,
        "reason": reason,
        "attempt": fleet.sequence % 256,
        "cause": "schedule",
        "target_version": 1,
        "signal": sort,
        "run": run,
    }
    return CheckResult(**(values | changes))  # type: ignore[arg-type]


def says(fleet: Fleet, *sorts: Signal, of: str = "job", run: str | None = None) -> None:
    for sort in sorts:
        fleet.append([signal(fleet, sort, of, run)])


def listens(fleet: Fleet, ms: int = 0, *, prober: str = "receiver-1", jobs: int = 1) -> None:
    """The receivers beat for `ms`, every 5 s and at the end; with 0 once, now."""
    until = fleet.now + ms
    while fleet.now < until:
        fleet.now = min(until, fleet.now + BEAT_MS)
        fleet.beat(RECEIVER, prober=prober, targets=jobs)
    if ms == 0:
        fleet.beat(RECEIVER, prober=prober, targets=jobs)


def defines(fleet: Fleet, one: Target | None = None, **options: object) -> None:
    fleet.control(TargetSet(job(**options) if one is None else one))  # type: ignore[arg-type]


def ms(text: str, zone: str = "UTC", fold: int = 0) -> int:
    shown = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(shown.timestamp() * 1000)
