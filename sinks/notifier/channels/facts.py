"""What every on-call system is told of a subject, whatever its protocol calls it. Pure."""

from typing import Final, Literal

from msgspec import UNSET, Struct

from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent
from schemas.notifier_state import KnownAs
from schemas.probe import JOB
from schemas.result import RECEIVER
from sinks.notifier.model import ChannelEvent, DrillEvent, MassEvent, News
from sinks.notifier.texts import words
from sinks.notifier.texts.outside import link

Urgency = Literal["critical", "error", "warning", "info"]

_ALERTS: Final = {
    "unreachable": "PortUnreachable",
    "slow": "PortSlow",
    "flapping": "PortFlapping",
    "expiring": "CertificateExpiring",
}
_ALERTS_OF: Final = {
    "domain": {"unreachable": "DomainNotRenewed", "expiring": "DomainExpiring"},
    JOB: {"unreachable": "JobFailing", "flapping": "JobFlapping"},
}
"""Those of kinds that are no ports."""
_HOSTS: Final = 5
_OF_REGIONS: Final[dict[str, str]] = {
    "region.suspect": "RegionSuspect",
    "region.cleared": "RegionSuspect",
    "region.clock_skewed": "RegionClockSkewed",
    "region.secrets_missing": "RegionSecretsMissing",
    "region.secrets_found": "RegionSecretsMissing",
}


class Facts(Struct, frozen=True, kw_only=True):
    """`alert` names the kind of trouble (`PortUnreachable`); `source` is where it is.

    `labels` are the same in every event of a subject, also when the inventory calls it otherwise
    meanwhile: what identifies it in a system that has no key. `began_at` and `ended_at` are UTC ms;
    `ended_at` is None while it is open. `runbook` is an http(s) URL.
    """

    alert: str
    urgency: Urgency
    source: str
    component: str
    group: str
    labels: dict[str, str]
    began_at: int
    ended_at: int | None = None
    runbook: str | None = None


def facts(news: News) -> Facts:
    """The facts of the subject of `news`, from its newest event."""
    event = news.event
    match event:
        case IncidentEvent():
            return _incident(event, news.known_as)
        case RegionEvent():
            return _region(event)
        case TargetsEvent():
            return _targets(event)
        case ChannelEvent():
            return _channel(event)
        case MassEvent():
            return _mass(event)
        case DrillEvent():
            return _drill(event)


def alert_name(kind: str, incident_type: str, *, is_closed: bool) -> str:
    """The name of an incident's trouble; `is_closed`: the port should be closed.

    It depends on nothing that changes while an incident is open.
    """
    if is_closed and incident_type == "unreachable":
        return "PortOpen"
    alerts = _ALERTS | _ALERTS_OF.get(kind, {})
    return alerts.get(incident_type, "PortTrouble")


def _incident(event: IncidentEvent, known_as: KnownAs | None) -> Facts:
    if known_as is None:
        known_as = KnownAs(name=event.name, team=event.team or "", severity=event.severity)
    port = "" if event.port is None else str(event.port)
    alert = alert_name(event.kind, event.incident_type, is_closed=words.must_be_closed(event))
    began_at = event.first_failed_at
    if event.episode_began_at is not UNSET:
        began_at = event.episode_began_at
    labels = {
        "alertname": alert,
        "incident_type": event.incident_type,
        "target": event.target,
        "name": known_as.name,
        "host": event.host or "",
        "port": port,
        "kind": event.kind,
        "severity": known_as.severity,
        "team": known_as.team,
    }
    return Facts(
        alert=alert,
        urgency=event.severity,
        source=words.place(event),
        component=event.name,
        group=event.team or "",
        labels=_filled(labels),
        began_at=began_at,
        ended_at=event.closed_at,
        runbook=link(event.runbook),
    )


def _region(event: RegionEvent) -> Facts:
    silent = "ReceiversSilent" if event.region == RECEIVER else "RegionSilent"
    alert = _OF_REGIONS.get(event.event, silent)
    labels = {"alertname": alert, "region": event.region, "severity": "warning"}
    over = event.event in {"region.returned", "region.cleared", "region.secrets_found"}
    return Facts(
        alert=alert,
        urgency="warning",
        source=event.region,
        component="region",
        group="portquorum",
        labels=labels,
        began_at=event.at if event.last_beat_at is None else min(event.last_beat_at, event.at),
        ended_at=event.at if over else None,
    )


def _targets(event: TargetsEvent) -> Facts:
    # Not the severity: partitions differ in it, and it grows.
    labels = {"alertname": "TargetsUnwatched", "cause": event.cause_id}
    over = event.event == "targets.watched"
    return Facts(
        alert="TargetsUnwatched",
        urgency=event.severity,
        source=", ".join(event.silent_regions) or "portquorum",
        component="targets",
        group="portquorum",
        labels=labels,
        began_at=event.since,
        ended_at=event.at if over else None,
    )


def _channel(event: ChannelEvent) -> Facts:
    labels = {"alertname": "ChannelBroken", "channel": event.channel, "severity": "error"}
    return Facts(
        alert="ChannelBroken",
        urgency="error",
        source=event.channel,
        component="channel",
        group="portquorum",
        labels=labels,
        began_at=event.since,
        ended_at=event.at if event.event == "channel.works" else None,
    )


def _mass(event: MassEvent) -> Facts:
    return Facts(
        alert="MassOutage",
        urgency=event.severity,
        source=", ".join(event.hosts[:_HOSTS]) or "portquorum",
        component="targets",
        group="portquorum",
        labels={"alertname": "MassOutage", "severity": event.severity},
        began_at=event.since,
        ended_at=event.at if event.event == "mass.over" else None,
    )


def _drill(event: DrillEvent) -> Facts:
    return Facts(
        alert="DrillOverdue",
        urgency=event.severity,
        source="portquorum",
        component="drill",
        group="portquorum",
        labels={"alertname": "DrillOverdue", "severity": event.severity},
        began_at=event.since,
        ended_at=None if event.event == "drill.overdue" else event.at,
    )


def _filled(labels: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if value}
