"""What jobs that report themselves cost the stream (rule 16).

`python -m portquorum.bench.jobs [--jobs 10000] [--seconds 60] [--json]`.

One partition has all jobs, half of them by an interval and half by a schedule. Their receivers send
1,000 reports a second, a start and an end in turn, in messages of 20, and beat each 5 s. Then all
jobs fall silent and are missed at one moment. All times are CPU time of this process, decoding and
rules; Kafka and Faust are not in it.
"""

import argparse
import os
import platform
import resource
import sys
import time
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from schemas import batch, control
from schemas.control import Beat, Control, TargetSet, Tick
from schemas.duration import DAY_MS, HOUR_MS
from schemas.probe import HeartbeatProbe
from schemas.result import RECEIVER, CheckResult
from schemas.target import Target
from schemas.wall_clock import offsets
from streams.checkpoint import decoder
from streams.checkpoint.encoder import StateEncoder
from streams.rules.process import Processed, step
from streams.state.partition_state import new_state

BEGIN_MS: Final = int(datetime(2027, 1, 15, tzinfo=UTC).timestamp() * 1000)
MESSAGE: Final = 20
A_SECOND: Final = 1_000
GRACE_MS: Final = 600_000


class JobsReport(Struct, frozen=True, kw_only=True):
    """The figures, and where they were measured. Bytes are those of a job.

    `share` is the part of a core that the reports take. `capture_ms`: how long nothing else runs
    while the partition is captured for a checkpoint. `missed` jobs opened incidents at one moment,
    `missed_ms` is the time of the longest record of these.
    """

    jobs: int
    reports: int
    report_us: float
    share: float
    memory: float
    checkpoint: float
    capture_ms: float
    restore_ms: float
    missed: int
    missed_ms: float
    cpus: int
    load_before: float
    python: str


class _Partition:
    """A partition whose log is written as it is read."""

    def __init__(self) -> None:
        self.state = new_state(0, 1)
        self.now = BEGIN_MS
        self.spent = 0.0

    def take(self, value: bytes, record: Control | None = None) -> Processed:
        headers = [] if record is None else control.headers(record)
        begun = time.process_time()
        done = step(self.state, self.state.offset + 1, self.now, value, headers)
        self.spent += time.process_time() - begun
        return done

    def beat(self, jobs: int) -> Processed:
        return self.take(
            b"",
            Beat(
                region=RECEIVER,
                prober="receiver",
                sequence=self.state.offset + 1,
                started_at=BEGIN_MS,
                targets=jobs,
                failing=0,
                newly_failing=0,
                connectivity=True,
                lag_ms=0.0,
                spool=0,
                clock_offset_ms=0,
            ),
        )


def measure(jobs: int, seconds: int) -> JobsReport:
    """Runs it."""
    load, before = os.getloadavg()[0], _resident()
    one = _Partition()
    one.beat(jobs)
    for target in _targets(jobs):
        one.take(b"", TargetSet(target))
    one.spent = 0.0
    reports = _report(one, jobs, seconds)
    spent, memory = one.spent, _resident() - before
    begun = time.process_time()
    snapshot = StateEncoder(one.state)
    captured = time.process_time()
    chunks = list(snapshot.chunks())
    restoring = time.process_time()
    decoder.decode(chunks, 0, 1)
    restored = time.process_time()
    missed, longest = _fall_silent(one, jobs)
    return JobsReport(
        jobs=jobs,
        reports=reports,
        report_us=spent / reports * 1e6,
        share=spent / seconds,
        memory=memory / jobs,
        checkpoint=sum(map(len, chunks)) / jobs,
        capture_ms=(captured - begun) * 1000,
        restore_ms=(restored - restoring) * 1000,
        missed=missed,
        missed_ms=longest * 1000,
        cpus=len(os.sched_getaffinity(0)),
        load_before=load,
        python=platform.python_version(),
    )


def _targets(jobs: int) -> list[Target]:
    zone = offsets(ZoneInfo("Europe/Berlin"), BEGIN_MS - DAY_MS, BEGIN_MS + 5 * 365 * DAY_MS)
    by_schedule = HeartbeatProbe(
        schedule="0 * * * *",
        zone="Europe/Berlin",
        offsets=zone,
        grace_ms=GRACE_MS,
        max_runtime_ms=HOUR_MS,
    )
    by_interval = HeartbeatProbe(interval_ms=HOUR_MS, grace_ms=GRACE_MS, max_runtime_ms=HOUR_MS)
    return [
        Target(
            id=f"job-{number:06}",
            name=f"Job {number:06}",
            kind="heartbeat",
            host=None,
            port=None,
            regions=(RECEIVER,),
            interval_ms=HOUR_MS,
            timeout_ms=1_000,
            version=1,
            source="inventory.yaml",
            probe=by_interval if number % 2 else by_schedule,
        )
        for number in range(jobs)
    ]


def _report(one: _Partition, jobs: int, seconds: int) -> int:
    """The reports of some seconds; their number."""
    sent = 0
    for _ in range(seconds):
        for _ in range(A_SECOND // MESSAGE):
            one.now += 1_000 * MESSAGE // A_SECOND
            lines = [_signal((sent + at) // 2 % jobs, sent + at, one.now) for at in range(MESSAGE)]
            one.take(batch.encode(lines))
            sent += MESSAGE
        if one.now - one.state.receivers.newest_beat >= 5_000:
            one.beat(jobs)
    return sent


def _signal(job: int, number: int, now: int) -> CheckResult:
    ends = number % 2 == 1
    return CheckResult(
        target=f"job-{job:06}",
        kind="heartbeat",
        host=None,
        port=None,
        region=RECEIVER,
        prober="receiver",
        scheduled_at=now,
        started_at=now,
        status="up" if ends else "missed",
        reason=None,
        attempt=number % 256,
        cause="schedule",
        target_version=1,
        signal="success" if ends else "start",
        run=f"{job}",
        exit_code=0 if ends else None,
    )


def _fall_silent(one: _Partition, jobs: int) -> tuple[int, float]:
    """The jobs that are missed when nothing comes any more, and the time of the longest record."""
    missed, longest = 0, 0.0
    until = one.now + 2 * HOUR_MS + 2 * GRACE_MS
    while one.now < until:
        one.now += 5_000
        for tick in range(jobs // 1_000 + 1):
            before = one.spent
            done = one.take(b"", Tick("bench")) if tick else one.beat(jobs)
            missed += len(done.messages)
            longest = max(longest, one.spent - before)
            if not done.messages:
                break
    return missed, longest


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def show(report: JobsReport) -> None:
    """Prints the figures."""
    table = Table(title=f"{report.jobs:,} jobs in one partition, {A_SECOND:,} reports a second")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in (
        ("CPU a report", f"{report.report_us:.1f} µs"),
        ("of a core", f"{report.share:.1%}"),
        ("memory a job", f"{report.memory / 1000:.1f} kB"),
        ("checkpoint a job", f"{report.checkpoint / 1000:.2f} kB"),
        ("captured in", f"{report.capture_ms:.0f} ms"),
        ("restored in", f"{report.restore_ms:.0f} ms"),
        (f"{report.missed:,} missed, longest record", f"{report.missed_ms:.0f} ms"),
    ):
        table.add_row(name, value)
    Console(width=None if sys.stdout.isatty() else 100).print(table)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.jobs", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000, help="in the partition")
    parser.add_argument("--seconds", type=int, default=60, help="of reports")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    if not (1 <= asked.jobs <= 1_000_000 and 1 <= asked.seconds <= 3_000):
        parser.error("expected up to 1000000 jobs and 3000 seconds")
    report = measure(asked.jobs, asked.seconds)
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
