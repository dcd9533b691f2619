"""Events with all their fields, for tests that change some of them."""

from typing import Any

from schemas.incident import (
    IncidentEvent,
    RegionVerdict,
    TargetsEvent,
    UnwatchedTarget,
    Votes,
)

AT = 1_796_090_400_000
"""2026-12-01 02:00:00 UTC."""


def incident_event(**fields: Any) -> IncidentEvent:
    values: dict[str, Any] = {
        "event_id": "e1",
        "event": "opened",
        "incident_id": "i1",
        "incident_type": "unreachable",
        "severity": "critical",
        "target": "prod-db",
        "name": "Production DB",
        "kind": "tcp",
        "host": "db1.example.com",
        "port": 5432,
        "team": None,
        "tags": (),
        "criticality": "critical",
        "depends_on": (),
        "regions": {
            "eu-west": RegionVerdict(verdict="down", reason="connection_refused", since=AT),
            "us-east": RegionVerdict(verdict="up", since=AT),
        },
        "votes": Votes(down=2, need=2, fresh=3, configured=3),
        "first_failed_at": AT - 3000,
        "opened_at": AT,
        "closed_at": None,
        "closed_because": None,
        "at": AT,
        "host_targets": (),
        "summary": "The host answers, nothing listens on 5432.",
        "first_steps": ("Look whether the service runs",),
        "runbook": None,
    }
    values |= fields
    if values["event"] == "closed":
        # Only a closing has these, and it has both.
        values["closed_at"] = values.get("closed_at") or values["at"]
        values["closed_because"] = values.get("closed_because") or "recovered"
    return IncidentEvent(**values)


def targets_event(**fields: Any) -> TargetsEvent:
    values: dict[str, Any] = {
        "event_id": "t1",
        "event": "targets.unwatched",
        "partition": 3,
        "cause_id": "c1",
        "severity": "critical",
        "count": 412,
        "most_critical": (
            UnwatchedTarget(target="prod-db", name="Production DB", criticality="critical"),
            UnwatchedTarget(target="wiki", name="Wiki", criticality="normal"),
        ),
        "silent_regions": {"us-east": AT - 600_000},
        "since": AT - 300_000,
        "at": AT,
        "summary": "412 targets are not watched.",
    }
    return TargetsEvent(**(values | fields))
