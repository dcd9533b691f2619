"""Incidents: open ones and those of the last 24 h from memory, all from the history."""

from http import HTTPStatus
from typing import Annotated, Literal

from litestar import Request, Response, get
from litestar.datastructures import State as AppState
from litestar.params import PathParameter, QueryParameter
from msgspec.structs import replace

from portquorum.web.access.needs import needs
from portquorum.web.answers import (
    IncidentAnswer,
    IncidentPage,
    IncidentQuery,
    IncidentRow,
    IncidentSort,
    IncidentState,
)
from portquorum.web.api.answering import answered
from portquorum.web.api.csv_answer import csv_answer, csv_of_history, wants_csv
from portquorum.web.api.fields import Fields, answered_rows, chosen
from portquorum.web.api.moments import Moment, now_ms, parse_ms
from portquorum.web.api.parameters import LIMIT, Cursor, Filter, Form, Limit, Words, many
from portquorum.web.history import answers as stored
from portquorum.web.history.stored_history import IncidentQuery as StoredQuery
from portquorum.web.parts import TheFleet, TheHistory
from portquorum.web.problem import ProblemError
from portquorum.web.short_ids import whole_id
from portquorum.web.unread import missing, refuse_unread
from schemas.incident import IncidentType, Severity

IncidentIdPath = Annotated[str, PathParameter(description="The incident's id.", max_length=255)]
Status = Literal["open", "closed", "all"]

_IS_OPEN: dict[Status, bool | None] = {"open": True, "closed": False, "all": None}


@get(
    "/incidents",
    operation_id="incidents",
    summary="Incidents now",
    tags=["now"],
    opt={"csv": True, "rows": "rows"} | needs("viewer"),
)
async def incidents(
    *,
    request: Request[None, None, AppState],
    fleet: TheFleet,
    q: Words = "",
    status: Annotated[
        Status, QueryParameter(description="`closed`: within the last 24 h.")
    ] = "open",
    states: Annotated[list[IncidentState] | None, many("state", "What kind of trouble.")] = None,
    severity: Annotated[list[Severity] | None, many("severity", "How severe.")] = None,
    team: Annotated[Filter | None, many("team", "Its target's team.")] = None,
    tag: Annotated[Filter | None, many("tag", "A tag of its target.")] = None,
    target: Annotated[Filter | None, many("target", "Its target's id.")] = None,
    host: Annotated[Filter | None, many("host", "Its target's host.")] = None,
    acknowledged: Annotated[
        bool | None, QueryParameter(required=False, description="Whether somebody acknowledged it.")
    ] = None,
    since: Moment = "",
    until: Moment = "",
    sort: Annotated[
        IncidentSort, QueryParameter(description="`severity`: closed ones are the newest first.")
    ] = "severity",
    fields: Fields = None,
    limit: Limit = LIMIT,
    cursor: Cursor = "",
    form: Form = "json",
) -> Response[IncidentPage]:
    """Open ones by severity, closed ones the newest first. Older ones: `/history/incidents`.

    `since` and `until`: of which any part lies between them.
    """
    now = now_ms()
    names = chosen(fields, IncidentRow)
    asked = IncidentQuery(
        q=q,
        is_open=_IS_OPEN[status],
        states=tuple(states or ()),
        severities=tuple(severity or ()),
        teams=tuple(team or ()),
        tags=tuple(tag or ()),
        targets=tuple(target or ()),
        hosts=tuple(host or ()),
        acknowledged=acknowledged,
        since=parse_ms("since", since, now) if since else None,
        until=parse_ms("until", until, now) if until else None,
        sort=sort,
        limit=limit,
        cursor=cursor,
    )
    if not wants_csv(request, form):
        return answered_rows(fleet.incidents(asked), "rows", names)
    refuse_unread(fleet.freshness())

    async def page(after: str, most: int) -> tuple[tuple[IncidentRow, ...], str]:
        found = fleet.incidents(replace(asked, limit=most, cursor=after))
        return found.rows, found.next_cursor

    return await csv_answer("incidents", IncidentRow, page, cursor, names)


@get(
    "/incidents/{incident_id:str}",
    operation_id="incident",
    summary="One incident now",
    tags=["now"],
    opt=needs("viewer"),
)
async def incident(fleet: TheFleet, incident_id: IncidentIdPath) -> Response[IncidentAnswer]:
    """Its newest event, if it is open or closed within 24 h; else ask for its history.

    The first characters of its id are enough if no other begins so.
    """
    found = fleet.incident(whole_id(fleet, incident_id))
    if found is None:
        raise missing(
            fleet.freshness(),
            f"no incident {incident_id[:128]!r} is open or closed within 24 h; older ones are at "
            "/api/v1/incidents/ID/history",
        )
    return answered(found)


@get(
    "/incidents/{incident_id:str}/history",
    operation_id="incident_history",
    summary="An incident from its first failure on",
    tags=["history"],
    opt={"history": True} | needs("viewer"),
)
async def incident_history(
    fleet: TheFleet, history: TheHistory, incident_id: IncidentIdPath
) -> Response[stored.IncidentHistory]:
    """Events with their votes, what each region said when, who was told and what was answered."""
    found = await history.incident(whole_id(fleet, incident_id))
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no incident {incident_id[:128]!r}")
    return answered(found)


@get(
    "/history/incidents",
    operation_id="past_incidents",
    summary="All incidents",
    tags=["history"],
    opt={"csv": True, "rows": "rows", "history": True} | needs("viewer"),
)
async def past_incidents(
    *,
    request: Request[None, None, AppState],
    history: TheHistory,
    q: Words = "",
    status: Annotated[Status, QueryParameter(description="Open or closed.")] = "all",
    types: Annotated[list[IncidentType] | None, many("type", "What is wrong.")] = None,
    severity: Annotated[list[Severity] | None, many("severity", "How severe.")] = None,
    team: Annotated[Filter | None, many("team", "Its target's team.")] = None,
    tag: Annotated[Filter | None, many("tag", "A tag of its target.")] = None,
    target: Annotated[Filter | None, many("target", "Its target's id.")] = None,
    since: Moment = "",
    until: Moment = "",
    fields: Fields = None,
    limit: Limit = LIMIT,
    cursor: Cursor = "",
    form: Form = "json",
) -> Response[stored.IncidentPage]:
    """Incidents of which any part lies between `since` and `until`, the newest opening first."""
    now = now_ms()
    names = chosen(fields, stored.IncidentRow)
    asked = StoredQuery(
        status="" if status == "all" else status,
        q=q,
        types=tuple(types or ()),
        severities=tuple(severity or ()),
        teams=tuple(team or ()),
        tags=tuple(tag or ()),
        targets=tuple(target or ()),
        since=parse_ms("since", since, now) if since else None,
        until=parse_ms("until", until, now) if until else None,
    )
    if not wants_csv(request, form):
        return answered_rows(await history.incidents(asked, cursor or None, limit), "rows", names)

    async def page(after: str, most: int) -> tuple[tuple[stored.IncidentRow, ...], str]:
        found = await history.incidents(asked, after or None, most)
        return found.rows, found.next or ""

    return await csv_of_history("incidents", stored.IncidentRow, page, cursor, names)
