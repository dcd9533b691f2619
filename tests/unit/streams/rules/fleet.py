"""A small fleet in virtual time: writes a log of [results] and feeds it to the rules."""

from schemas.control import Beat, Control, TargetRemoved, TargetSet, Tick
from schemas.incident import IncidentEvent, RegionEvent
from schemas.recheck import RecheckRequest
from schemas.result import Cause, CheckResult, Reason
from schemas.target import Target
from streams.checkpoint import decoder
from streams.rules.apply import Output, apply
from streams.rules.record import Record
from streams.state.partition_state import PartitionState, new_state
from streams.state.windows import Window

START = 1_800_000_000_000


def target(target_id: str = "db", regions: str = "a b c", **changes: object) -> Target:
    values: dict[str, object] = {
        "id": target_id,
        "name": target_id.upper(),
        "kind": "tcp",
        "host": "db1.example.com",
        "port": 5432,
        "regions": tuple(regions.split()),
        "interval_ms": 60_000,
        "timeout_ms": 3_000,
        "version": 1,
        "source": "test",
    }
    return Target(**(values | changes))  # type: ignore[arg-type]


class Fleet:
    """Appends records at `now`; keeps the log and all outputs."""

    def __init__(self, *targets: Target, partitions: int = 1) -> None:
        self.state: PartitionState = new_state(0, partitions)
        self.now = START
        self.log: list[Record] = []
        self.outputs: list[Output] = []
        self.sequence = 0
        for one in targets:
            self.control(TargetSet(one))

    def wait(self, ms: int, *, broker_away: bool = False) -> "Fleet":
        """Lets time pass; the partition is never idle for more than 10 s (see ticks)."""
        while ms > 10_000 and not broker_away:
            self.now += 5_000
            ms -= 5_000
            self.tick()
        self.now += ms
        return self

    def append(self, results: list[CheckResult], control: Control | None = None) -> list[Output]:
        record = Record(len(self.log), self.now, results, control)
        self.log.append(record)
        found = apply(self.state, record)
        self.outputs += found
        return found

    def control(self, record: Control) -> list[Output]:
        return self.append([], record)

    def tick(self) -> list[Output]:
        return self.control(Tick("test"))

    def remove(self, target_id: str, **changes: object) -> list[Output]:
        return self.control(TargetRemoved(target=target_id, version=10, **changes))  # type: ignore[arg-type]

    def beat(
        self,
        region: str,
        offset: int | None = 0,
        prober: str = "",
        *,
        targets: int = 1,
        failing: int = 0,
        newly_failing: int = 0,
        lacks: dict[str, tuple[str, ...]] | None = None,
    ) -> list[Output]:
        self.sequence += 1
        return self.control(
            Beat(
                region=region,
                prober=prober or f"{region}-1",
                sequence=self.sequence,
                started_at=START,
                targets=targets,
                failing=failing,
                newly_failing=newly_failing,
                connectivity=True,
                lag_ms=0.0,
                spool=0,
                clock_offset_ms=offset,
                missing_secrets=lacks or {},
            )
        )

    def known(self, target_id: str) -> Target | None:
        """The definition that holds now."""
        entry = self.state.targets.get(target_id)
        return entry.target if entry else None

    def result(
        self,
        region: str,
        reason: Reason | None = None,
        *,
        of: str = "db",
        attempt: int = 0,
        cause: Cause = "schedule",
        ago: int = 0,
        missed: bool = False,
        **changes: object,
    ) -> CheckResult:
        base = self.known(of) or target(of)
        values: dict[str, object] = {
            "target": of,
            "kind": base.kind,
            "host": base.host,
            "port": base.port,
            "region": region,
            "prober": f"{region}-1",
            "scheduled_at": self.now - ago,
            "started_at": self.now - ago,
            "status": "missed" if missed else "down" if reason else "up",
            "reason": reason,
            "attempt": attempt,
            "cause": cause,
            "target_version": base.version,
            "expect": base.expect,
        }
        return CheckResult(**(values | changes))  # type: ignore[arg-type]

    def up(
        self,
        *regions: str,
        of: str = "db",
        cause: Cause = "schedule",
        connect_ms: float | None = None,
    ) -> list[Output]:
        return [
            out
            for region in regions
            for out in self.append([self.result(region, of=of, cause=cause, connect_ms=connect_ms)])
        ]

    def fail(
        self,
        *regions: str,
        of: str = "db",
        reason: Reason = "connection_refused",
        cause: Cause = "schedule",
    ) -> list[Output]:
        """One failed attempt of each region."""
        return [
            out
            for region in regions
            for out in self.append([self.result(region, reason, of=of, cause=cause)])
        ]

    def down(
        self, *regions: str, of: str = "db", reason: Reason = "connection_refused"
    ) -> list[Output]:
        """A confirmed failure: two attempts, a second apart."""
        found = self.fail(*regions, of=of, reason=reason)
        self.wait(1000)
        return found + self.fail(*regions, of=of, reason=reason, cause="retry")

    def windows(self, of: str = "db") -> list[Window | None]:
        return self.state.windows(self.state.targets[of])

    @property
    def events(self) -> list[IncidentEvent]:
        return [out for out in self.outputs if isinstance(out, IncidentEvent)]

    @property
    def told(self) -> list[str]:
        return [event.event for event in self.events]

    @property
    def requests(self) -> list[RecheckRequest]:
        return [out for out in self.outputs if isinstance(out, RecheckRequest)]

    @property
    def region_events(self) -> list[RegionEvent]:
        return [out for out in self.outputs if isinstance(out, RegionEvent)]

    def restored(self) -> PartitionState:
        """The state as a worker finds it after a crash."""
        return decoder.decode(
            decoder.encode(self.state), self.state.partition, self.state.partitions
        )
