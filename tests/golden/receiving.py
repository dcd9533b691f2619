"""The receivers of heartbeats in virtual time, for the told part of the story."""

from typing import Final

from schemas import batch
from schemas.control import Beat
from schemas.result import RECEIVER, CheckResult, Reason, Signal, Status
from tests.golden.probing import Probing
from tests.golden.stage import home

JOBS: Final = ("job-well", "job-nightly", "job-missed", "job-failed", "job-long", "job-flaps")

MEANS: Final[dict[Signal, tuple[Status, Reason | None]]] = {
    "success": ("up", None),
    "fail": ("down", "job_failed"),
    "start": ("missed", None),
    "log": ("missed", None),
}


class Receiving:
    """One receiver beside the probers. While it is `away` it neither beats nor takes signals."""

    def __init__(self, probing: Probing) -> None:
        self.probing = probing
        self.away = False
        self._number = 0

    def run(self, seconds: int) -> None:
        """Lets time pass, in steps of 5 s."""
        for _ in range(seconds // 5):
            self.probing.run(5)
            if not self.away:
                self.beat()

    def beat(self, jobs: int = len(JOBS)) -> None:
        self._number += 1
        self.probing.stage.everywhere(
            Beat(
                region=RECEIVER,
                prober="receiver-1",
                sequence=self._number,
                started_at=1_799_870_000_000,
                targets=jobs,
                failing=0,
                newly_failing=0,
                connectivity=True,
                lag_ms=0.0,
                spool=0,
                clock_offset_ms=0,
            )
        )

    def says(self, target_id: str, signal: Signal, **changes: object) -> CheckResult:
        """A signal that a receiver publishes at once."""
        stage = self.probing.stage
        known = stage.targets()[target_id]
        self._number += 1
        status, reason = MEANS[signal]
        values: dict[str, object] = {
            "target": target_id,
            "kind": known.kind,
            "host": known.host,
            "port": known.port,
            "region": RECEIVER,
            "prober": "receiver-1",
            "scheduled_at": stage.now,
            "started_at": stage.now,
            "status": status,
            "reason": reason,
            "attempt": self._number % 256,
            "cause": "schedule",
            "target_version": known.version,
            "signal": signal,
        }
        result = CheckResult(**(values | changes))  # type: ignore[arg-type]
        stage.append(home(known), batch.encode([result]))
        return result
