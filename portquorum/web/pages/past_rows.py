"""Incidents of the history as rows of the fleet, so that lists show both alike. Pure."""

from typing import Final, TypeVar, get_args

from msgspec import UNSET

from portquorum.web.answers import IncidentRow, IncidentState, RegionMark
from portquorum.web.history.answers import IncidentRow as PastRow
from schemas.incident import ClosedBecause, IncidentEvent, IncidentType, Severity
from schemas.target import Criticality

Word = TypeVar("Word", bound=str)

_STATES: Final[dict[str, IncidentState]] = {
    "unreachable": "down",
    "slow": "slow",
    "flapping": "flapping",
    "expiring": "expiring",
}
_TYPES: Final[tuple[IncidentType, ...]] = get_args(IncidentType)
_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
_CRITICALITIES: Final[tuple[Criticality, ...]] = get_args(Criticality)
_ENDS: Final[tuple[ClosedBecause, ...]] = get_args(ClosedBecause)


def regions_of(event: IncidentEvent) -> tuple[RegionMark, ...]:
    """What each region said in an event."""
    return tuple(
        RegionMark(region=name, verdict=one.verdict, set_aside=one.set_aside)
        for name, one in event.regions.items()
    )


def row_of(event: IncidentEvent, regions: tuple[RegionMark, ...]) -> IncidentRow:
    """The incident as its newest event says."""
    return IncidentRow(
        id=event.incident_id,
        type=event.incident_type,
        state=_STATES[event.incident_type],
        severity=event.severity,
        event=event.event,
        target=event.target,
        name=event.name,
        kind=event.kind,
        host=event.host,
        port=event.port,
        place=place_of(event.host, event.port, event.target),
        team=event.team,
        criticality=event.criticality,
        summary=event.summary,
        regions=regions,
        began_at=event.first_failed_at,
        opened_at=event.opened_at,
        changed_at=event.at,
        closed_at=event.closed_at,
        closed_because=event.closed_because,
        is_improved=event.event == "improved",
        episode=1 if event.episode is UNSET else event.episode,
        acknowledged_by=event.acknowledged_by,
        acknowledged_note=None if event.acknowledged_note is UNSET else event.acknowledged_note,
        resolved_by=None if event.resolved_by is UNSET else event.resolved_by,
        expires_at=None if event.expires_at is UNSET else event.expires_at,
        expect="open" if event.expect is UNSET else event.expect,
    )


def row_of_past(one: PastRow) -> IncidentRow:
    """A row of the history's list; a word that this version does not know is the first one."""
    return IncidentRow(
        id=one.incident_id,
        type=_known(one.incident_type, _TYPES),
        state=_STATES.get(one.incident_type, "down"),
        severity=_known(one.severity, _SEVERITIES),
        event="opened" if one.closed_at is None else "closed",
        target=one.target,
        name=one.name,
        kind=one.kind,
        host=one.host,
        port=one.port,
        place=place_of(one.host, one.port, one.target),
        team=one.team,
        criticality=_known(one.criticality, _CRITICALITIES),
        summary=one.summary,
        regions=(),
        began_at=one.began_at,
        opened_at=one.opened_at,
        changed_at=one.closed_at or one.opened_at,
        closed_at=one.closed_at,
        closed_because=next((word for word in _ENDS if word == one.closed_because), None),
        acknowledged_by=one.acknowledged_by,
        resolved_by=one.resolved_by,
        expect=one.expect,
    )


def place_of(host: str | None, port: int | None, target: str) -> str:
    """`host:port` for people, IPv6 in brackets; the id of a target without a host."""
    if host is None:
        return target
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def _known(text: str, words: tuple[Word, ...]) -> Word:
    return next((word for word in words if word == text), words[0])
