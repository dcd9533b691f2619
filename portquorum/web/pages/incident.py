"""The page of an incident: what it is, who says so, what happened, who was told. Its URL stays."""

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from portquorum.web.answers import CauseRow, Counts, Freshness, IncidentAnswer, IncidentRow
from portquorum.web.charts.chart import Chart
from portquorum.web.history.answers import IncidentHistory, TimelineEvent
from portquorum.web.pages import commands
from portquorum.web.pages.number_words import fill, path
from portquorum.web.pages.past_rows import regions_of, row_of
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer
from portquorum.web.words import ENGLISH
from schemas.incident import HostTarget, RegionVerdict, Votes
from schemas.probe import JOB
from schemas.web import IncidentNote, StatusPost

MOST_REGIONS: Final = 40
MOST_EVENTS: Final = 50
MOST_TOLD: Final = 30
MOST_OTHERS: Final = 20
"""Rows that are shown at most: a page has 2,000 elements at most, the JSON twin has all."""


class IncidentView(Struct, frozen=True, kw_only=True):
    """What the page shows: memory's answer, the history's, or both.

    `trouble` says why there is no history. `is_there`: the target is in the inventory. `together`:
    the ids of its cause's incidents that nobody has acknowledged. `base`: our own address. `notes`
    were written beside it, the oldest first. `has_status_pages`: a public post can be written;
    `open_posts`: those that were drafted from it and are not resolved.
    """

    answer: IncidentAnswer | None
    past: IncidentHistory | None
    trouble: str = ""
    is_there: bool = True
    charts: Sequence[Chart] = ()
    together: Sequence[str] = ()
    base: str = ""
    notes: Sequence[IncidentNote] = ()
    has_status_pages: bool = False
    open_posts: tuple[StatusPost, ...] = ()


class EventLine(Struct, frozen=True, kw_only=True):
    """One event of the timeline."""

    at: int
    event: str
    summary: str
    votes: str
    changes: tuple[str, ...]
    acknowledged_by: str | None
    note: str | None


class _Facts(Struct, frozen=True, kw_only=True):
    """What memory and history both know of an incident."""

    row: IncidentRow
    first_steps: tuple[str, ...]
    runbook: str | None
    changes: tuple[str, ...]
    regions: dict[str, RegionVerdict]
    votes: Votes
    host_targets: tuple[HostTarget, ...]
    host_targets_total: int
    resolved_note: str | None
    cause: CauseRow | None


def page(view: IncidentView, freshness: Freshness, counts: Counts, viewer: Viewer) -> str:
    """The page as HTML; `counts` are those of the whole fleet.

    Raises:
        ValueError: neither memory nor history has it.
    """
    facts, past = _facts(view), view.past
    regions = sorted(facts.regions.items(), key=_badness)
    events = [_line(one) for one in past.events] if past is not None else []
    told = past.told if past is not None else None
    return render(
        "incident.html",
        viewer,
        freshness,
        counts,
        row=facts.row,
        is_job=facts.row.kind == JOB,
        first_steps=facts.first_steps,
        runbook=facts.runbook,
        changes=facts.changes,
        regions=regions[:MOST_REGIONS],
        regions_left=max(0, len(regions) - MOST_REGIONS),
        votes=facts.votes,
        host_targets=facts.host_targets[:MOST_OTHERS],
        host_targets_total=facts.host_targets_total,
        resolved_note=facts.resolved_note,
        cause=facts.cause,
        is_there=view.is_there,
        ended_at=past.ended_at if past is not None else None,
        events=shortened(events),
        told=None if told is None else told[:MOST_TOLD],
        told_left=max(0, len(told or ()) - MOST_TOLD),
        told_trouble=past.trouble if past is not None else view.trouble,
        trouble=view.trouble,
        charts=() if facts.row.kind == JOB else view.charts,
        notes=view.notes[-MOST_EVENTS:],
        is_known=view.answer is not None,
        has_status_pages=view.has_status_pages,
        open_posts=view.open_posts,
        commands=commands.of_incident(facts.row, view.together, view.base),
        active="incidents",
        json_path=_twin(view, facts.row.id),
    )


def shortened(events: Sequence[EventLine]) -> list[EventLine | int]:
    """The first events and the newest ones; between them the number of those that are left out."""
    left = len(events) - MOST_EVENTS
    if left <= 0:
        return list(events)
    half = MOST_EVENTS // 2
    return [*events[:half], left, *events[-half:]]


def _twin(view: IncidentView, incident_id: str) -> str:
    here = path("incidents", incident_id)
    return f"{here}.json" if view.answer is not None else f"{here}/history.json"


def _facts(view: IncidentView) -> _Facts:
    if view.answer is not None:
        return _of_memory(view.answer)
    if view.past is not None:
        return _of_history(view.past)
    raise ValueError("expected an incident of memory or of the history, found neither")


def _of_memory(found: IncidentAnswer) -> _Facts:
    return _Facts(
        row=found.row,
        first_steps=found.first_steps,
        runbook=found.runbook,
        changes=found.changes,
        regions=found.regions,
        votes=found.votes,
        host_targets=found.host_targets,
        host_targets_total=found.host_targets_total,
        resolved_note=found.resolved_note,
        cause=found.cause,
    )


def _of_history(found: IncidentHistory) -> _Facts:
    event = found.newest
    return _Facts(
        row=row_of(event, regions_of(event)),
        first_steps=event.first_steps,
        runbook=event.runbook,
        changes=event.changes,
        regions=event.regions,
        votes=event.votes,
        host_targets=event.host_targets,
        host_targets_total=len(event.host_targets),
        resolved_note=_set(event.resolved_note),
        cause=None,
    )


def _set(value: str | UnsetType) -> str | None:
    return None if value is UNSET else value


def _badness(item: tuple[str, RegionVerdict]) -> tuple[int, str]:
    order = ("down", "slow", "stale", "pending", "up")
    name, said = item
    return (order.index(said.verdict) if said.verdict in order else len(order), name)


def _line(one: TimelineEvent) -> EventLine:
    w = ENGLISH
    votes = fill(w.event_votes, down=one.votes_down, fresh=one.votes_fresh, need=one.votes_need)
    return EventLine(
        at=one.at,
        event=one.event,
        summary=one.summary,
        votes=votes,
        changes=one.changes,
        # The note of the end is that of who closed it.
        acknowledged_by=None if one.event == "closed" else one.acknowledged_by,
        note=one.note,
    )
