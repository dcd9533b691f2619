"""Uptime of targets, teams or all, from the history."""

from collections.abc import Sequence
from typing import Annotated, Literal

from litestar import Request, Response, get
from litestar.datastructures import State as AppState
from litestar.params import QueryParameter
from msgspec import Struct

from portquorum.web.api.answering import answered
from portquorum.web.api.csv_answer import csv_answer, wants_csv
from portquorum.web.api.moments import Day, DayCount, span_of_days
from portquorum.web.api.parameters import Filter, Form, many
from portquorum.web.history.answers import UptimeRow
from portquorum.web.history.stored_history import UptimeQuery
from portquorum.web.parts import TheHistory


class UptimeAnswer(Struct, frozen=True, kw_only=True):
    """Uptime rows, by name and day."""

    rows: tuple[UptimeRow, ...]


@get(
    "/uptime",
    operation_id="uptime",
    summary="Uptime",
    tags=["history"],
    opt={"csv": True, "history": True},
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
    form: Form = "json",
) -> Response[UptimeAnswer]:
    """Whole days (UTC) from `since` to `until`, both included; by default the last 30."""
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
        return answered(UptimeAnswer(rows=tuple(found)))

    async def page(after: str, most: int) -> tuple[Sequence[UptimeRow], str]:
        del after, most  # they all came at once
        return found, ""

    return await csv_answer("uptime", UptimeRow, page, "")
