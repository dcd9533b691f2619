"""Maintenance windows and silences."""

from typing import Annotated, Final, Literal

from litestar import Request, Response, get
from litestar.datastructures import State as AppState
from litestar.params import QueryParameter
from msgspec.structs import replace

from portquorum.web.access.needs import needs
from portquorum.web.answers import (
    MaintenanceAnswer,
    MaintenanceRow,
    SilenceRow,
    SilencesAnswer,
    SilenceState,
)
from portquorum.web.api.csv_answer import csv_answer, wants_csv
from portquorum.web.api.fields import Fields, answered_rows, chosen
from portquorum.web.api.lists import Listing, ListQuery, page_of, whole
from portquorum.web.api.moments import Moment, now_ms, parse_ms
from portquorum.web.api.parameters import MOST_ROWS, Cursor, Filter, Form, Limit, Words, many
from portquorum.web.parts import TheFleet
from portquorum.web.unread import refuse_unread

WINDOWS: Final[Listing[MaintenanceRow]] = Listing(
    lambda one: one.key,
    lambda one: " ".join((one.name, one.source, *one.selectors)),
    {"name": lambda one: one.name.lower(), "targets": lambda one: one.targets},
)
SILENCES: Final[Listing[SilenceRow]] = Listing(
    lambda one: one.id,
    lambda one: f"{one.id} {one.reason} {one.by}",
    {"ends_at": lambda one: one.ends_at, "created_at": lambda one: one.created_at},
)

WindowSort = Annotated[
    Literal["", "name", "-name", "targets", "-targets"],
    QueryParameter(description="Empty: those that are on, then the next ones."),
]
SilenceSort = Annotated[
    Literal["", "ends_at", "-ends_at", "created_at", "-created_at"],
    QueryParameter(description="Empty: active ones, then those to come."),
]


@get(
    "/maintenances",
    operation_id="maintenances",
    summary="Maintenance windows",
    tags=["plans"],
    opt={"csv": True, "rows": "windows"} | needs("viewer"),
)
async def maintenances(
    *,
    request: Request[None, None, AppState],
    fleet: TheFleet,
    q: Words = "",
    source: Annotated[Filter | None, many("source", "The inventory that has it.")] = None,
    is_on: Annotated[bool | None, QueryParameter(required=False, description="Now.")] = None,
    since: Moment = "",
    until: Moment = "",
    sort: WindowSort = "",
    fields: Fields = None,
    limit: Limit = MOST_ROWS,
    cursor: Cursor = "",
    form: Form = "json",
) -> Response[MaintenanceAnswer]:
    """Windows that are on, then the next ones, then those that are over.

    `since` and `until`: of which the present or next time lies, in part, between them.
    """
    found = fleet.maintenance()
    first, last = _span(since, until)
    rows = [
        one
        for one in found.windows
        if (not source or one.source in source)
        and (is_on is None or one.is_on == is_on)
        and _within(one.begins_at, one.ends_at, first, last)
    ]
    names = chosen(fields, MaintenanceRow)

    if wants_csv(request, form):
        refuse_unread(found.freshness)
        pages = whole(rows, WINDOWS, q, sort)
        return await csv_answer("maintenances", MaintenanceRow, pages, cursor, names)
    shown, total, following = page_of(rows, WINDOWS, ListQuery(q, sort, limit, cursor))
    answer = replace(found, windows=shown, total=total, next_cursor=following)
    return answered_rows(answer, "windows", names)


@get(
    "/silences",
    operation_id="silences",
    summary="Silences",
    tags=["plans"],
    opt={"csv": True, "rows": "silences"} | needs("viewer"),
)
async def silences(
    *,
    request: Request[None, None, AppState],
    fleet: TheFleet,
    q: Words = "",
    states: Annotated[list[SilenceState] | None, many("state", "Whether it holds.")] = None,
    by: Annotated[Filter | None, many("by", "Who made it.")] = None,
    since: Moment = "",
    until: Moment = "",
    sort: SilenceSort = "",
    fields: Fields = None,
    limit: Limit = MOST_ROWS,
    cursor: Cursor = "",
    form: Form = "json",
) -> Response[SilencesAnswer]:
    """Silences that are active, coming, then those that ended.

    `since` and `until`: of which any part lies between them.
    """
    found = fleet.silences()
    first, last = _span(since, until)
    rows = [
        one
        for one in found.silences
        if (not states or one.state in states)
        and (not by or one.by in by)
        and _within(one.begins_at, one.ends_at, first, last)
    ]
    names = chosen(fields, SilenceRow)

    if wants_csv(request, form):
        refuse_unread(found.freshness)
        pages = whole(rows, SILENCES, q, sort)
        return await csv_answer("silences", SilenceRow, pages, cursor, names)
    shown, total, following = page_of(rows, SILENCES, ListQuery(q, sort, limit, cursor))
    answer = replace(found, silences=shown, total=total, next_cursor=following)
    return answered_rows(answer, "silences", names)


def _span(since: str, until: str) -> tuple[int | None, int | None]:
    now = now_ms()
    return (
        parse_ms("since", since, now) if since else None,
        parse_ms("until", until, now) if until else None,
    )


def _within(begin: int | None, end: int | None, first: int | None, last: int | None) -> bool:
    """Whether a span touches another; a window that never comes again touches only no bounds."""
    if first is None and last is None:
        return True
    if begin is None:
        return False
    return (last is None or begin < last) and (first is None or end is None or end > first)
