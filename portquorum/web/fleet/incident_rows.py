"""Rows and the page of an incident, from its newest event."""

from collections.abc import Iterable
from typing import Final

from msgspec import UNSET, structs

from portquorum.web.answers import (
    CauseRow,
    Freshness,
    IncidentAnswer,
    IncidentRow,
    Overview,
    RegionMark,
    RegionNow,
    TargetRow,
)
from portquorum.web.fleet.incident_book import STATE_OF, KeptIncident, text
from portquorum.web.fleet.kept_target import place
from portquorum.web.fleet.status_table import StatusWord
from schemas.incident import IncidentEvent
from schemas.policy import Silence

STATE_ORDER: Final = ("down", "flapping", "slow", "expiring")
SEVERITY_ORDER: Final = ("critical", "warning", "info")


def row(
    kept: KeptIncident, *, maintenance: str = "", silence: Silence | None = None
) -> IncidentRow:
    """An incident as a row; the name of the window, and the silence, that cover it now."""
    event = kept.event
    return IncidentRow(
        id=event.incident_id,
        type=event.incident_type,
        state=STATE_OF.get(event.incident_type, "down"),
        severity=event.severity,
        event=event.event,
        target=event.target,
        name=event.name,
        kind=event.kind,
        host=event.host,
        port=event.port,
        place=place(event.target, event.host, event.port),
        team=event.team,
        criticality=event.criticality,
        summary=event.summary,
        regions=marks(event),
        began_at=event.first_failed_at,
        opened_at=event.opened_at,
        changed_at=event.at,
        closed_at=event.closed_at,
        closed_because=event.closed_because,
        is_improved=kept.is_improved,
        episode=1 if event.episode is UNSET else event.episode,
        acknowledged_by=event.acknowledged_by,
        acknowledged_note=text(event.acknowledged_note),
        resolved_by=text(event.resolved_by),
        expires_at=None if event.expires_at is UNSET else event.expires_at,
        expect="open" if event.expect is UNSET else event.expect,
        maintenance=maintenance,
        silence="" if silence is None else silence.name,
        silence_until=None if silence is None else silence.ends_at,
        silence_by="" if silence is None else silence.by,
        silence_reason="" if silence is None else silence.reason,
        tags=event.tags,
    )


def marks(event: IncidentEvent) -> tuple[RegionMark, ...]:
    """What each region says, by name."""
    return tuple(
        RegionMark(region=name, verdict=one.verdict, set_aside=one.set_aside)
        for name, one in event.regions.items()
    )


def answer(
    kept: KeptIncident,
    *,
    row: IncidentRow,
    freshness: Freshness,
    target_row: TargetRow | None,
    cause: CauseRow | None,
    most: int,
) -> IncidentAnswer:
    """The incident's page; at most `most` other ports of its host."""
    event = kept.whole()
    return IncidentAnswer(
        freshness=freshness,
        row=row,
        first_steps=event.first_steps,
        runbook=event.runbook,
        changes=event.changes,
        tags=event.tags,
        depends_on=event.depends_on,
        regions=event.regions,
        votes=event.votes,
        host_targets=event.host_targets[:most],
        host_targets_total=len(event.host_targets),
        abandoned_regions=event.abandoned_regions,
        resolved_note=text(event.resolved_note),
        recovered_at=None if event.recovered_at is UNSET else event.recovered_at,
        target_row=target_row,
        cause=cause,
    )


def leading(incidents: Iterable[KeptIncident]) -> KeptIncident | None:
    """The incident that says most of a target: the worst type, then the first."""
    return min(incidents, key=worst_first, default=None)


def worst_first(kept: KeptIncident) -> tuple[int, int, int, str]:
    """The order of open incidents of one target."""
    event = kept.event
    return (
        STATE_ORDER.index(STATE_OF.get(event.incident_type, "down")),
        SEVERITY_ORDER.index(event.severity),
        event.first_failed_at,
        event.incident_id,
    )


def regions_now(word: StatusWord | None) -> tuple[RegionNow, ...]:
    """What each region says of a target, as ClickHouse last told it."""
    if word is None:
        return ()
    return tuple(RegionNow(region=region, status=said) for region, said in word.regions)


def with_freshness(overview: Overview, freshness: Freshness) -> Overview:
    """A kept overview with the ages of now."""
    return structs.replace(overview, freshness=freshness)
