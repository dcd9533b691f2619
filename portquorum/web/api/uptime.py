"""Uptime of targets, teams or all, from the history."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from litestar import Request, Response, get
from litestar.datastructures import State as AppState
from litestar.params import QueryParameter
from msgspec import Struct

from portquorum.web.api.answering import answered
from portquorum.web.api.csv_answer import csv_answer, wants_csv
from portquorum.web.api.moments import Day, parse_day
from portquorum.web.api.parameters import Filter, Form, many
from portquorum.web.history.answers import UptimeRow
from portquorum.web.history.stored_history import UptimeQuery
from portquorum.web.parts import TheHistory
from portquorum.web.problem import wrong_field

MOST_DAYS = 730


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
    by_day: Annotated[bool, QueryParameter(description="A row a day.")] = False,
    target: Annotated[Filter | None, many("target", "The target's id.")] = None,
    team: Annotated[Filter | None, many("team", "The target's team.")] = None,
    form: Form = "json",
) -> Response[UptimeAnswer]:
    """Whole days (UTC) from `since` to `until`, both included; by default the last 30."""
    today = datetime.now(UTC).date()
    last = parse_day("until", until) if until else today
    first = parse_day("since", since) if since else last - timedelta(days=29)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise wrong_field("since", f"expected a date up to {MOST_DAYS} days before `until`")
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
