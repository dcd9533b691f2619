"""Labels and annotations of an open incident as an alert, and its fingerprint. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Final

from schemas.incident import IncidentEvent
from schemas.plain_text import one_line, plain
from schemas.target import Target
from sinks.notifier.channels.facts import alert_name
from sinks.notifier.matching import regions
from sinks.notifier.texts.outside import link

_STEPS_SHOWN: Final = 20


def labels_of(event: IncidentEvent) -> dict[str, str]:
    """The labels of an alert; but for the severity they stay as they are while it is open."""
    of_target = {
        "target": event.target,
        "name": event.name,
        "kind": event.kind,
        "host": event.host or "",
        "port": "" if event.port is None else str(event.port),
        "team": event.team or "",
        "tags": ",".join(event.tags),
        "criticality": event.criticality,
    }
    found = {
        "alertname": alert_name(
            event.kind, event.incident_type, is_closed=event.expect == "closed"
        ),
        "incident_type": event.incident_type,
        "severity": event.severity,
        **of_target,
    }
    return {name: one_line(value) for name, value in found.items() if value}


def labels_of_target(target: Target) -> dict[str, str]:
    """The labels that each alert of a target has, empty ones included."""
    found = {
        "name": target.name,
        "host": target.host or "",
        "port": "" if target.port is None else str(target.port),
        "tags": ",".join(target.tags),
    }
    return {name: one_line(value) for name, value in found.items()}


def values_of(labels: Mapping[str, str], event: IncidentEvent) -> dict[str, tuple[str, ...]]:
    """What matchers are held against: the labels, and each `tag` and `region` by itself.

    Regions are those that see the target down; they change, so they are no label.
    """
    return {
        **{name: (value,) for name, value in labels.items()},
        "tag": tuple(map(one_line, event.tags)),
        "region": tuple(regions(event)),
    }


def annotations_of(event: IncidentEvent) -> dict[str, str]:
    """What people read beside an alert; `event` is the whole one."""
    found = {
        "summary": event.summary,
        "first_steps": "\n".join(event.first_steps[:_STEPS_SHOWN]),
        "runbook": link(event.runbook) or "",
        "runbook_url": link(event.runbook) or "",
        "regions": ", ".join(regions(event)),
        "acknowledged_by": event.acknowledged_by or "",
    }
    return {name: plain(value) for name, value in found.items() if value}


def fingerprint_of(incident_id: str) -> str:
    """What an alert is known by, as long as its incident is open: 16 hex digits."""
    return hashlib.blake2b(incident_id.encode(), digest_size=8).hexdigest()
