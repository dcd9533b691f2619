"""A small fleet of jobs that report themselves (rule 16), in virtual time."""

from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.control import TargetSet
from schemas.duration import DAY_MS
from schemas.incident import IncidentEvent
from schemas.probe import HeartbeatProbe
from schemas.result import RECEIVER, CheckResult, Signal
from schemas.target import Target
from schemas.wall_clock import offsets
from streams.rules.apply import Output
from streams.state.heartbeats import JobState
from tests.unit.streams.rules.fleet import Fleet

MINUTE_MS = 60_000
BEAT_MS = 5_000


def probe(**changes: object) -> HeartbeatProbe:
    """Each hour with 10 min of grace, unless `changes` say otherwise."""
    values: dict[str, object] = {"interval_ms": 60 * MINUTE_MS, "grace_ms": 10 * MINUTE_MS}
    if "schedule" in changes:
        del values["interval_ms"]
    return HeartbeatProbe(**(values | changes))  # type: ignore[arg-type]


def nightly(at: int, schedule: str = "0 2 * * *", **changes: object) -> HeartbeatProbe:
    """By a schedule in Berlin, whose offsets are those of the year around `at`."""
    zone = ZoneInfo("Europe/Berlin")
    known = offsets(zone, at - 300 * DAY_MS, at + 300 * DAY_MS)
    return probe(schedule=schedule, zone="Europe/Berlin", offsets=known, **changes)


def job(
    target_id: str = "backup", expected: HeartbeatProbe | None = None, **changes: object
) -> Target:
    values: dict[str, object] = {
        "id": target_id,
        "name": target_id.capitalize(),
        "kind": "heartbeat",
        "host": None,
        "port": None,
        "regions": (RECEIVER,),
        "interval_ms": 3_600_000,
        "timeout_ms": 1_000,
        "version": 1,
        "source": "test",
        "probe": expected or probe(),
    }
    return Target(**(values | changes))  # type: ignore[arg-type]


class Jobs(Fleet):
    """Jobs, and receivers that beat each 5 s while time passes, unless they are `away`."""

    def __init__(self, *targets: Target, partitions: int = 1, begin: int | None = None) -> None:
        self.away = False
        super().__init__(partitions=partitions)
        if begin is not None:
            self.now = begin
        self.hear()
        for one in targets:
            self.set(one)

    def set(self, target: Target) -> list[Output]:
        return self.control(TargetSet(target))

    def hear(self) -> list[Output]:
        return self.beat(RECEIVER, prober="receiver-1", targets=len(self.state.jobs) or 1)

    def pass_time(self, ms: int) -> "Jobs":
        """Lets time pass; at its end a receiver beats, if they are not away."""
        until = self.now + ms
        while self.now < until:
            self.now = min(self.now + BEAT_MS, until)
            if self.away:
                self.tick()
            else:
                self.hear()
        return self

    def until(self, at: int) -> "Jobs":
        return self.pass_time(at - self.now)

    def signal(
        self,
        signal: Signal = "success",
        of: str = "backup",
        *,
        run: str | None = None,
        exit_code: int | None = None,
        **changes: object,
    ) -> list[Output]:
        """A signal that a receiver takes now."""
        self.sequence += 1
        values: dict[str, object] = {
            "target": of,
            "kind": "heartbeat",
            "host": None,
            "port": None,
            "region": RECEIVER,
            "prober": "receiver-1",
            "scheduled_at": self.now,
            "started_at": self.now,
            "status": {"success": "up", "fail": "down"}.get(signal, "missed"),
            "reason": "job_failed" if signal == "fail" else None,
            "attempt": self.sequence % 256,
            "cause": "schedule",
            "target_version": 1,
            "signal": signal,
            "run": run,
            "exit_code": exit_code,
        }
        return self.append([CheckResult(**(values | changes))])  # type: ignore[arg-type]

    def one(self, target_id: str = "backup") -> JobState:
        return self.state.jobs[target_id]

    @property
    def last(self) -> IncidentEvent:
        return self.events[-1]

    @property
    def story(self) -> list[tuple[str, str | None]]:
        """What was told of incidents, and with which reason (of a closing: because of what)."""
        return [
            (one.event, one.closed_because or one.regions[RECEIVER].reason) for one in self.events
        ]


def ms(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)
