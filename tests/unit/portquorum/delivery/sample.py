"""Records of the notifier's topics, as tests write them."""

from typing import Any

import msgspec

from portquorum.delivery.memory import StateRecord
from schemas.incident import IncidentEvent, RegionEvent, RegionVerdict, Votes
from schemas.notification import Notification
from schemas.notifier_state import AudienceMember, Subject, subject_key

AT = 1_790_000_000_000
SLACK = "slack://${TOKEN}/#db"
MAIL = "mailtos://${MAIL}"


def event(number: int = 1, **changes: Any) -> IncidentEvent:
    values: dict[str, Any] = {
        "event_id": f"{number}0000000-event",
        "event": "opened",
        "incident_id": f"{number}1111111-incident",
        "incident_type": "unreachable",
        "severity": "critical",
        "target": "prod-db",
        "name": "Orders DB",
        "kind": "tcp",
        "host": "db1.example.com",
        "port": 5432,
        "team": "database",
        "tags": (),
        "criticality": "critical",
        "depends_on": (),
        "regions": {"eu": RegionVerdict(verdict="down", since=AT)},
        "votes": Votes(down=1, need=1, fresh=1, configured=1),
        "first_failed_at": AT,
        "opened_at": AT,
        "closed_at": None,
        "closed_because": None,
        "at": AT,
        "host_targets": (),
        "summary": "down",
        "first_steps": (),
        "runbook": None,
    }
    return IncidentEvent(**(values | changes))


def region(what: str = "region.silent") -> RegionEvent:
    return RegionEvent(
        event_id="90000000-region", event=what, region="eu-west", at=AT, summary="silent"
    )


def member(url: str = SLACK, **changes: Any) -> AudienceMember:
    values: dict[str, Any] = {"route": "db-oncall", "url": url, "since": AT}
    return AudienceMember(**(values | changes))


def subject(of: IncidentEvent | RegionEvent, *audience: AudienceMember, **changes: Any) -> Subject:
    key = f"incident/{of.incident_id}" if isinstance(of, IncidentEvent) else "region/eu-west/silent"
    values: dict[str, Any] = {
        "term": 3,
        "key": key,
        "event": msgspec.Raw(msgspec.json.encode(of)),
        "phase": "down",
        "episode": 1,
        "began_at": AT,
        "changed_at": of.at,
        "audience": audience,
    }
    return Subject(**(values | changes))


def record(value: Subject) -> StateRecord:
    return subject_key(value.key), msgspec.json.encode(value), ()


def row(of: IncidentEvent, channel: str, status: str = "sent", **changes: Any) -> Notification:
    values: dict[str, Any] = {
        "event_id": of.event_id,
        "incident_id": of.incident_id,
        "event": of.event,
        "target": of.target,
        "team": of.team,
        "route": channel.partition("/")[0],
        "channel": channel,
        "severity": of.severity,
        "status": status,
        "attempt": 1,
        "at": of.at + 900,
        "event_at": of.at,
        "subject": f"TCP Port Unreachable: {of.name}",
        "group": "g",
    }
    return Notification(**(values | changes))
