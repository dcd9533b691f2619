"""Targets: the list, one of them, its past."""

from http import HTTPStatus
from typing import Annotated, Final, Literal

from litestar import Request, Response, get
from litestar.datastructures import State as AppState
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct
from msgspec.structs import replace

from portquorum.inventory.heartbeats import is_job
from portquorum.web.access.needs import needs
from portquorum.web.answers import (
    State,
    TargetAnswer,
    TargetPage,
    TargetQuery,
    TargetRow,
    TargetSort,
)
from portquorum.web.api.answering import answered
from portquorum.web.api.csv_answer import csv_answer, wants_csv
from portquorum.web.api.fields import Fields, answered_rows, chosen
from portquorum.web.api.moments import Moment, now_ms, parse_ms
from portquorum.web.api.parameters import LIMIT, Cursor, Filter, Form, Limit, Words, many
from portquorum.web.explaining.answers import TargetExplained
from portquorum.web.explaining.explainer import ExplainUnavailableError
from portquorum.web.history.answers import RegionChecks, TargetHistory, TimeWindow
from portquorum.web.history.stored_history import TargetAsked
from portquorum.web.history.windows import between, named
from portquorum.web.parts import TheExplainer, TheFleet, TheHistory
from portquorum.web.ports import Fleet
from portquorum.web.problem import ProblemError, wrong_field
from portquorum.web.unread import missing, refuse_unread

States = list[State | Literal["expiring", "failing", "late"]]


WindowName = Annotated[
    Literal["1h", "6h", "24h", "7d", "30d", "90d"] | None,
    QueryParameter(required=False, description="The window of the charts; it ends now."),
]


class ChecksAnswer(Struct, frozen=True, kw_only=True):
    """The last checks of a target, by region."""

    target: str
    regions: tuple[RegionChecks, ...]


@get(
    "/targets",
    operation_id="targets",
    summary="Targets now",
    tags=["now"],
    opt={"csv": True, "rows": "rows"} | needs("viewer"),
)
async def targets(
    *,
    request: Request[None, None, AppState],
    fleet: TheFleet,
    q: Words = "",
    states: Annotated[States | None, many("state", "How it is.")] = None,
    team: Annotated[Filter | None, many("team", "Its team; empty: without one.")] = None,
    tag: Annotated[Filter | None, many("tag", "One of its tags.")] = None,
    kind: Annotated[Filter | None, many("kind", "How it is checked.")] = None,
    criticality: Annotated[Filter | None, many("criticality", "How much it matters.")] = None,
    region: Annotated[Filter | None, many("region", "Where it is checked from.")] = None,
    source: Annotated[Filter | None, many("source", "The inventory that has it.")] = None,
    host: Annotated[Filter | None, many("host", "Its host.")] = None,
    cause: Annotated[str, QueryParameter(max_length=500, description="The key of a cause.")] = "",
    since: Moment = "",
    until: Moment = "",
    sort: Annotated[TargetSort, QueryParameter(description="`state`: the worst first.")] = "state",
    fields: Fields = None,
    limit: Limit = LIMIT,
    cursor: Cursor = "",
    form: Form = "json",
) -> Response[TargetPage]:
    """Targets that match all filters, with the number of targets for each value of each filter.

    `since` and `until`: in their state since a time between them; of a target that is up no time is
    known.
    """
    now = now_ms()
    names = chosen(fields, TargetRow)
    asked = TargetQuery(
        q=q,
        states=tuple(states or ()),
        teams=tuple(team or ()),
        tags=tuple(tag or ()),
        kinds=tuple(kind or ()),
        criticalities=tuple(criticality or ()),
        regions=tuple(region or ()),
        sources=tuple(source or ()),
        hosts=tuple(host or ()),
        cause=cause,
        since=parse_ms("since", since, now) if since else None,
        until=parse_ms("until", until, now) if until else None,
        sort=sort,
        limit=limit,
        cursor=cursor,
    )
    if not wants_csv(request, form):
        return answered_rows(fleet.targets(asked), "rows", names)
    refuse_unread(fleet.freshness())

    async def page(after: str, most: int) -> tuple[tuple[TargetRow, ...], str]:
        found = fleet.targets(replace(asked, limit=most, cursor=after, facets=False))
        return found.rows, found.next_cursor

    return await csv_answer("targets", TargetRow, page, cursor, names)


TargetIdPath = Annotated[str, PathParameter(description="The target's id.", max_length=128)]


@get(
    "/targets/{target_id:str}",
    operation_id="target",
    summary="One target now",
    tags=["now"],
    opt=needs("viewer"),
)
async def target(fleet: TheFleet, target_id: TargetIdPath) -> Response[TargetAnswer]:
    """Its state and why, its incidents, its host, its definition."""
    return answered(_known(fleet, target_id))


RESERVED_IDS: Final = ("batch", "check")
"""Ids that the API has addresses of; a file may have targets of these names."""


@get(
    [f"/targets/{name}" for name in RESERVED_IDS],
    include_in_schema=False,
    opt=needs("viewer"),
)
async def reserved_target(
    request: Request[None, None, AppState], fleet: TheFleet
) -> Response[TargetAnswer]:
    """A target that has the name of an address for POST."""
    return answered(_known(fleet, request.scope["path"].rpartition("/")[2]))


@get(
    "/targets/{target_id:str}/history",
    operation_id="target_history",
    summary="A target's past",
    tags=["history"],
    opt={"history": True} | needs("viewer"),
)
async def target_history(
    *,
    fleet: TheFleet,
    history: TheHistory,
    target_id: TargetIdPath,
    window: WindowName = None,
    since: Moment = "",
    until: Moment = "",
) -> Response[TargetHistory]:
    """90 days of uptime, and latency, incidents and maintenance within the window.

    The window is a named one that ends now (`24h` if nothing is asked for), or from `since` to
    `until` (now).
    """
    known = _known(fleet, target_id)
    found = await history.target(
        TargetAsked(
            target=target_id,
            tags=known.row.tags,
            regions=known.row.regions,
            interval_ms=known.definition.interval_ms,
            window=_window(window, since, until),
            is_job=is_job(known.definition),
        )
    )
    return answered(found)


def _window(name: str | None, since: str, until: str) -> TimeWindow:
    now = now_ms()
    if not since and not until:
        return named(name or "24h", now)
    if name is not None:
        raise wrong_field("window", "expected `window`, or `since` and `until`, found both")
    if not since:
        raise wrong_field("since", "expected a time, found `until` alone")
    last = parse_ms("until", until, now) if until else now
    try:
        return between(parse_ms("since", since, now), min(last, now))
    except ValueError as error:
        raise wrong_field("since", f"{error}") from error


@get(
    "/targets/{target_id:str}/checks",
    operation_id="target_checks",
    summary="A target's last checks",
    tags=["history"],
    opt={"history": True} | needs("viewer"),
)
async def target_checks(
    fleet: TheFleet, history: TheHistory, target_id: TargetIdPath
) -> Response[ChecksAnswer]:
    """The last 20 checks from each region."""
    known = _known(fleet, target_id)
    found = await history.checks(target_id, known.definition.interval_ms)
    return answered(ChecksAnswer(target=target_id, regions=found))


@get(
    "/targets/{target_id:str}/explain",
    operation_id="target_explained",
    summary="Why a target has an incident or none",
    tags=["now"],
    opt={"history": True} | needs("viewer"),
)
async def target_explained(
    fleet: TheFleet, explainer: TheExplainer, target_id: TargetIdPath
) -> Response[TargetExplained]:
    """What `portquorum explain` says, by the rules' own code from the stream's state.

    It reads a partition of the log, which takes seconds: one target is explained at a time.
    """
    known = _known(fleet, target_id)
    try:
        return answered(await explainer.explain(known.definition))
    except ExplainUnavailableError as error:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers={"Retry-After": "5"}
        ) from error


def _known(fleet: Fleet, target_id: str) -> TargetAnswer:
    found = fleet.target(target_id)
    if found is None:
        raise missing(fleet.freshness(), f"there is no target {target_id[:128]!r}")
    return found
