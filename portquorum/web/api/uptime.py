"""Uptime of targets, teams or all, from the history."""

from typing import Annotated, Final, Literal

from litestar import Request, Response, get
from litestar.datastructures import State as AppState
from litestar.params import QueryParameter
from msgspec import Struct

from portquorum.web.access.needs import needs
from portquorum.web.api.csv_answer import csv_answer, wants_csv
from portquorum.web.api.fields import Fields, answered_rows, chosen
from portquorum.web.api.lists import Listing, ListQuery, page_of, whole
from portquorum.web.api.moments import Day, DayCount, span_of_days
from portquorum.web.api.parameters import MOST_ROWS, Cursor, Filter, Form, Limit, Words, many
from portquorum.web.history.answers import UptimeRow
from portquorum.web.history.stored_history import UptimeQuery
from portquorum.web.parts import TheHistory


class UptimeAnswer(Struct, frozen=True, kw_only=True):
    """Uptime rows, by name and day. `total`: all that match."""

    rows: tuple[UptimeRow, ...]
    total: int
    next_cursor: str


UPTIMES: Final[Listing[UptimeRow]] = Listing(
    lambda one: f"{one.name}\n{one.day}",
    lambda one: one.name,
    {
        "name": lambda one: one.name,
        "down_s": lambda one: round(one.down_s * 1000),
        # What was not measured is at the end of the worst first.
        "uptime": lambda one: (
            2_000_000 if one.uptime_percent is None else round(one.uptime_percent * 10_000)
        ),
    },
)
Sort = Annotated[
    Literal["", "name", "-name", "down_s", "-down_s", "uptime", "-uptime"],
    QueryParameter(description="Empty: by name and day. `uptime`: the worst first."),
]


@get(
    "/uptime",
    operation_id="uptime",
    summary="Uptime",
    tags=["history"],
    opt={"csv": True, "rows": "rows", "history": True} | needs("viewer"),
)
async def uptime(
    *,
    request: Request[None, None, AppState],
    history: TheHistory,
    by: Annotated[
        Literal["target", "team", "all"], QueryParameter(description="What a row is of.")
    ] = "target",
    since: Day = "",
    until: Day = "",
    days: DayCount = None,
    by_day: Annotated[bool, QueryParameter(description="A row a day.")] = False,
    target: Annotated[Filter | None, many("target", "The target's id.")] = None,
    team: Annotated[Filter | None, many("team", "The target's team.")] = None,
    q: Words = "",
    sort: Sort = "",
    fields: Fields = None,
    limit: Limit = MOST_ROWS,
    cursor: Cursor = "",
    form: Form = "json",
) -> Response[UptimeAnswer]:
    """Whole days (UTC) from `since` to `until`, both included; by default the last 30."""
    names = chosen(fields, UptimeRow)
    first, last = span_of_days(since, until, days)
    found = await history.uptime(
        UptimeQuery(
            by=by,
            since=first,
            until=last,
            by_day=by_day,
            targets=tuple(target or ()),
            teams=tuple(team or ()),
        )
    )
    if not wants_csv(request, form):
        rows, total, following = page_of(found, UPTIMES, ListQuery(q, sort, limit, cursor))
        answer = UptimeAnswer(rows=rows, total=total, next_cursor=following)
        return answered_rows(answer, "rows", names)

    pages = whole(found, UPTIMES, q, sort)
    return await csv_answer("uptime", UptimeRow, pages, cursor, names)
