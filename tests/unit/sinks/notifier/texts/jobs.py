"""Incidents of jobs for tests, as the stream writes them (rule 16)."""

from typing import Any, Final

from schemas.incident import IncidentEvent, RegionEvent, RegionVerdict, Votes
from tests.unit.sinks.notifier.events import AT, incident_event

_JOB: Final[dict[str, Any]] = {
    "kind": "heartbeat",
    "target": "nightly-backup",
    "name": "Nightly backup",
    "host": None,
    "port": None,
    "team": "database",
    "votes": Votes(down=1, need=1, fresh=1, configured=1),
    "host_targets": (),
    "first_failed_at": AT - 600_000,
}
_SAID: Final = {
    "heartbeat_missed": (
        "due 2026-12-01 01:50:00 UTC",
        (
            "did not report: due at 2026-12-01 01:50:00 UTC, with 10 min of grace. Its last "
            "report, a success, came 2026-11-30 01:53:10 UTC. No sign of life from Nightly backup "
            "in time: it did not run, it failed, or it could not report."
        ),
        "Where it runs: systemctl list-timers --all; crontab -l (is it still scheduled?)",
    ),
    "job_failed": (
        "exit code 3",
        "reported that it failed (exit code 3). Nightly backup ran and said itself that it failed.",
        "Look at the last lines of its output, on the job's page",
    ),
    "job_overran": (
        "began 2026-12-01 00:00:00 UTC, did not end",
        (
            "runs for more than 2 h: it began at 2026-12-01 00:00:00 UTC. Nightly backup began and "
            "did not end in time."
        ),
        "Where it runs: ps -eo pid,etime,stat,args (does it still run?)",
    ),
}


def job_event(reason: str = "job_failed", **changes: Any) -> IncidentEvent:
    """An incident of a job that opened for this reason."""
    detail, summary, step = _SAID[reason]
    values = _JOB | {
        "regions": {
            "receiver": RegionVerdict(verdict="down", reason=reason, detail=detail, since=AT)
        },
        "summary": f"Nightly backup {summary}",
        "first_steps": (step,),
    }
    return incident_event(**(values | changes))


def job_that_said(
    said: str = "<!channel> @everyone **disk full**, see https://evil.example/a",
) -> IncidentEvent:
    """The incident of a job that failed and said why, in words that nobody is to be pinged by."""
    return job_event(
        regions={
            "receiver": RegionVerdict(
                verdict="down", reason="job_failed", detail=f'exit code 3: "{said}"', since=AT
            )
        },
        summary=f'Nightly backup reported that it failed (exit code 3): "{said}". It ran and '
        "failed, by its exit code or its own word: its output and log say why.",
    )


def job_over(**changes: Any) -> IncidentEvent:
    """The same incident ten minutes later, closed by a success."""
    over = {
        "event": "closed",
        "at": AT + 600_000,
        "closed_at": AT + 600_000,
        "closed_because": "recovered",
        "first_steps": (),
        "regions": {"receiver": RegionVerdict(verdict="up", since=AT + 600_000)},
        "summary": "Nightly backup succeeded again after 20 min.",
    }
    return job_event(**(over | changes))


def jobs(count: int) -> list[IncidentEvent]:
    """As many jobs that are down, each for another reason than the one before."""
    reasons = list(_SAID)
    return [
        job_event(
            reasons[number % len(reasons)],
            target=f"job-{number}",
            name=f"Report of shop {number}",
            incident_id=f"j{number}",
            event_id=f"je{number}",
        )
        for number in range(count)
    ]


RECEIVERS_SILENT: Final = RegionEvent(
    event_id="r3",
    event="region.silent",
    region="receiver",
    at=AT,
    summary="No receiver of heartbeats has been heard for 15 s: jobs are not judged.",
    last_beat_at=AT - 15_000,
)
RECEIVERS_RETURNED: Final = RegionEvent(
    event_id="r4",
    event="region.returned",
    region="receiver",
    at=AT + 1_800_000,
    summary="A receiver of heartbeats is heard again after 1815 s: jobs are judged again, save "
    "what was due meanwhile.",
    last_beat_at=AT - 15_000,
)
