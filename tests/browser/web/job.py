"""A job made by hand: what memory and history have of it."""

from msgspec.structs import replace

from portquorum.web import answers
from portquorum.web.history import answers as stored
from schemas.probe import HeartbeatProbe, ZoneOffset
from schemas.target import Target
from tests.browser.web.nights import HOUR, MINUTE, NOW, incident

JOB = "nightly-backup"
JOB_INCIDENT = "0b51c0de-0000-5000-8000-0000000000b5"
DAY = 24 * HOUR
ZONE = HeartbeatProbe(
    schedule="30 3 * * *",
    zone="Europe/Berlin",
    offsets=(ZoneOffset(at=0, seconds=7_200),),
    grace_ms=30 * MINUTE,
    max_runtime_ms=2 * HOUR,
)
OUTPUT = "dump of orders: 41 GB\npg_dump: error: connection to server failed\n"


def definition() -> Target:
    return Target(
        id=JOB,
        name="Nightly backup",
        kind="heartbeat",
        host=None,
        port=None,
        regions=("receiver",),
        interval_ms=DAY,
        timeout_ms=1_000,
        version=NOW - 40 * DAY,
        source="web",
        criticality="important",
        team="payments",
        tags=("prod",),
        slo=99.0,
        probe=ZONE,
    )


def row(text: str) -> answers.TargetRow:
    return answers.TargetRow(
        id=JOB,
        name=text or "Nightly backup",
        kind="heartbeat",
        host=None,
        port=None,
        place=JOB,
        team="payments",
        tags=(text or "prod",),
        criticality="important",
        state="down",
        since=NOW - 20 * MINUTE,
        summary=text or "Nightly backup failed.",
        incident=JOB_INCIDENT,
        regions=("receiver",),
    )


def answer(freshness: answers.Freshness, text: str) -> answers.TargetAnswer:
    opened = incident(
        text or "Nightly backup",
        id=JOB_INCIDENT,
        target=JOB,
        kind="heartbeat",
        summary=text or "Nightly backup failed.",
    )
    return answers.TargetAnswer(
        freshness=freshness,
        row=row(text),
        definition=definition(),
        incidents=(opened,),
        regions=(answers.RegionNow(region="receiver", status="down"),),
        host_targets=(),
        host_targets_total=0,
        depends_on=(),
        dependents=0,
        maintenance=(),
        silences=(),
    )


def history(base: stored.TargetHistory, text: str) -> stored.TargetHistory:
    """`base` as that of a job."""
    window = base.window
    ends = range(window.since, window.until, max(window.step_ms, HOUR))
    reported = stored.JobHistory(
        runs=tuple(_run(number, text) for number in range(20)),
        signals=(
            stored.JobSignal(signal="fail", at=NOW - 20 * MINUTE, exit_code=3),
            stored.JobSignal(signal="success", at=NOW - DAY, exit_code=0),
        ),
        durations=tuple(
            stored.LatencyStep(
                at=at,
                checks=1,
                up=int(number % 9 != 5),
                missed=0,
                p50_ms=None if number % 9 == 5 else 300_000.0 + 20_000 * (number % 5),
                p95_ms=None if number % 9 == 5 else 300_000.0 + 20_000 * (number % 5),
                max_ms=None if number % 9 == 5 else 300_000.0 + 20_000 * (number % 5),
            )
            for number, at in enumerate(ends)
            if not 4 < number < 7
        ),
    )
    return replace(base, job=reported, latency=None, checks=None, certificates=None)


def _run(number: int, text: str) -> stored.JobRun:
    began = NOW - 20 * MINUTE - number * DAY
    failed = number % 5 == 0
    return stored.JobRun(
        run=f"run-{number}",
        began_at=None if number == 3 else began,
        ended_at=None if number == 7 else began + 5 * MINUTE,
        end="lost" if number == 7 else "fail" if failed else "success",
        duration_ms=None if number in {3, 7} else 300_000.0 + number,
        exit_code=3 if failed else None if number == 7 else 0,
        output=(text or OUTPUT) if failed else "",
        detail=text or ("exit code 3" if failed else ""),
    )
