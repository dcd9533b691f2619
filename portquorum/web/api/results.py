"""Results: every single check of a target, from the history."""

from typing import Annotated

from litestar import Request, Response, get
from litestar.datastructures import State as AppState
from litestar.params import QueryParameter

from portquorum.web.access.needs import needs
from portquorum.web.api.csv_answer import csv_of_history, wants_csv
from portquorum.web.api.fields import Fields, answered_rows, chosen
from portquorum.web.api.moments import Moment, now_ms, parse_ms
from portquorum.web.api.parameters import LIMIT, Cursor, Filter, Form, Limit, many
from portquorum.web.history.answers import ResultPage, ResultRow
from portquorum.web.history.stored_history import ResultQuery
from portquorum.web.parts import TheFleet, TheHistory
from portquorum.web.ports import History
from portquorum.web.problem import wrong_field
from portquorum.web.unread import missing


async def _has_results(history: History, target: str, now: int) -> bool:
    """Whether a target that is not known now has a result, however old."""
    ever = ResultQuery(target=target, since=0, until=now)
    return bool((await history.results(ever, None, 1)).rows)


@get(
    "/results",
    operation_id="results",
    summary="Checks of a target",
    tags=["history"],
    opt={"csv": True, "rows": "rows", "history": True, "missing": True} | needs("viewer"),
)
async def results(
    *,
    request: Request[None, None, AppState],
    fleet: TheFleet,
    history: TheHistory,
    target: Annotated[
        str, QueryParameter(min_length=1, max_length=128, description="The target's id.")
    ],
    since: Moment = "24h",
    until: Moment = "",
    region: Annotated[Filter | None, many("region", "Where it was checked from.")] = None,
    status: Annotated[Filter | None, many("status", "`up`, `down`, `error`.")] = None,
    reason: Annotated[Filter | None, many("reason", "Why it failed.")] = None,
    fields: Fields = None,
    limit: Limit = LIMIT,
    cursor: Cursor = "",
    form: Form = "json",
) -> Response[ResultPage]:
    """Checks that were scheduled from `since` on and before `until` (now), the newest first."""
    now = now_ms()
    names = chosen(fields, ResultRow)
    asked = ResultQuery(
        target=target,
        since=parse_ms("since", since, now),
        until=parse_ms("until", until, now) if until else now,
        regions=tuple(region or ()),
        statuses=tuple(status or ()),
        reasons=tuple(reason or ()),
    )
    if asked.until < asked.since:
        raise wrong_field("until", "expected a time after `since`")
    if not cursor and fleet.target(target) is None and not await _has_results(history, target, now):
        raise missing(
            fleet.freshness(), f"there is no target {target!r}, and no result of one in the history"
        )
    if not wants_csv(request, form):
        return answered_rows(await history.results(asked, cursor or None, limit), "rows", names)

    async def page(after: str, most: int) -> tuple[tuple[ResultRow, ...], str]:
        found = await history.results(asked, after or None, most)
        return found.rows, found.next or ""

    return await csv_of_history("results", ResultRow, page, cursor, names)
