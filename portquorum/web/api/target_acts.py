"""What is done with targets of any inventory: pause, resume; and many at a time."""

from http import HTTPStatus
from typing import Annotated, Literal, cast

from litestar import Response, post
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta, Struct

from portquorum.changing.acts import PauseMade
from portquorum.changing.edits import BulkDone, BulkEdit, BulkPlan
from portquorum.web.answers import TargetQuery
from portquorum.web.api.bodies import Asked, body_of
from portquorum.web.api.changes import changes
from portquorum.web.api.entries import json_answer
from portquorum.web.api.moments import Moment, now_ms, parse_ms
from portquorum.web.api.parameters import Filter, Words, many
from portquorum.web.api.repeats import TheRepeats
from portquorum.web.api.targets import States, TargetIdPath
from portquorum.web.fleet import TooManyTargetsError
from portquorum.web.parts import TheActs, TheEdits, TheFleet, ThePrincipal
from portquorum.web.problem import ProblemError, wrong_field
from portquorum.web.unread import refuse_unread
from schemas._types import Millis

SpanMs = Annotated[int, Meta(ge=1_000, le=366 * 86_400_000, description="a span in milliseconds")]
Reason = Annotated[str, Meta(max_length=500)]

BulkId = Annotated[
    str, PathParameter(description="`id` of the answer that made the change.", max_length=64)
]


class PauseAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pause: `until` (UTC ms), or `for_ms` from now on; neither: until somebody resumes it."""

    until: Millis | None = None
    for_ms: SpanMs | None = None
    reason: Reason = ""


class BatchAsked(BulkEdit, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bulk change. With `dry_run` false it is made, and needs the `confirmation` of a dry run."""

    dry_run: bool = True
    confirmation: Annotated[str, Meta(max_length=200)] | None = None


@post(
    "/targets/{target_id:str}/pause",
    operation_id="pause_target",
    summary="Pause a target",
    tags=["acts"],
    status_code=HTTPStatus.OK,
    opt=changes("operator", PauseAsked),
)
async def pause_target(
    *,
    request: Asked,
    principal: ThePrincipal,
    acts: TheActs,
    repeats: TheRepeats,
    target_id: TargetIdPath,
) -> Response[PauseMade]:
    """Nobody checks it; its open incidents close. It is of any inventory."""
    asked = await body_of(request, PauseAsked)

    async def made() -> Response[PauseMade]:
        (said,) = await acts.pause(principal, [target_id], until_of(asked), asked.reason)
        return json_answer(said)

    return await repeats.once(request, principal, made)


@post(
    "/targets/{target_id:str}/resume",
    operation_id="resume_target",
    summary="End the pause of a target",
    tags=["acts"],
    status_code=HTTPStatus.OK,
    opt=changes("operator"),
)
async def resume_target(
    *,
    request: Asked,
    principal: ThePrincipal,
    acts: TheActs,
    repeats: TheRepeats,
    target_id: TargetIdPath,
) -> Response[PauseMade]:
    """It is checked again, and judged as a new target. One that is not paused stays as it is."""

    async def made() -> Response[PauseMade]:
        (said,) = await acts.resume(principal, [target_id])
        return json_answer(said)

    return await repeats.once(request, principal, made)


@post(
    "/targets/batch",
    operation_id="change_targets",
    summary="Change many targets",
    tags=["acts"],
    status_code=HTTPStatus.OK,
    opt=changes(
        "operator",
        BatchAsked,
        statuses={
            409: "The confirmation is not that of what there is now; `detail` says what changed.",
            428: "`dry_run` is false, and there is no confirmation.",
        },
        also=(BulkDone,),
    ),
)
async def change_targets(
    *,
    request: Asked,
    principal: ThePrincipal,
    fleet: TheFleet,
    edits: TheEdits,
    repeats: TheRepeats,
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
) -> Response[BulkPlan]:
    """The targets of the query, with the filters of `GET /targets`: 10,000 at most.

    First a dry run (`dry_run` is true by default): how many, some of them, which are left out and
    why, and a `confirmation`. With it and `dry_run` false the change is made, unless anything of
    it is another one by now. Its `id` undoes it. `patch` and `remove` need the scope admin.
    """
    asked = await body_of(request, BatchAsked)
    if asked.action in {"patch", "remove"} and not principal.may("admin"):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            f"expected the scope admin for {asked.action!r}, found {principal.scope}",
        )
    if not asked.dry_run and not asked.confirmation:
        raise ProblemError(
            HTTPStatus.PRECONDITION_REQUIRED,
            "expected the `confirmation` of a dry run of the same change, found none",
        )
    now = now_ms()
    query = TargetQuery(
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
        facets=False,
    )
    refuse_unread(fleet.freshness())
    try:
        ids = fleet.ids(query)
    except TooManyTargetsError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error

    async def made() -> Response[BulkPlan]:
        edit = BulkEdit(**{name: getattr(asked, name) for name in BulkEdit.__struct_fields__})
        if asked.dry_run:
            return json_answer(await edits.preview(principal, ids, edit))
        done = await edits.apply(principal, ids, edit, asked.confirmation or "")
        return json_answer(cast("BulkPlan", done))

    return await repeats.once(request, principal, made)


@post(
    "/changes/{change_id:str}/undo",
    operation_id="undo_change",
    summary="Undo a bulk change",
    tags=["acts"],
    status_code=HTTPStatus.OK,
    opt=changes("operator", statuses={409: "It was undone already."}),
)
async def undo_change(
    *,
    request: Asked,
    principal: ThePrincipal,
    edits: TheEdits,
    repeats: TheRepeats,
    change_id: BulkId,
) -> Response[BulkDone]:
    """Puts back what it changed. Targets that were changed since stay as they are, and are counted.

    One that changed or removed entries needs the scope admin.
    """
    bulk = edits.bulk(change_id)
    if bulk is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no bulk change {change_id[:64]!r}")
    if not principal.may(need_of(bulk.action)):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            f"expected the scope admin to undo {bulk.action!r}, found {principal.scope}",
        )

    async def made() -> Response[BulkDone]:
        return json_answer(await edits.undo(principal, change_id))

    return await repeats.once(request, principal, made)


def need_of(action: str) -> Literal["operator", "admin"]:
    """The scope that a bulk change needs."""
    return "operator" if action in {"pause", "resume"} else "admin"


def until_of(asked: PauseAsked) -> int | None:
    """The end of a pause, UTC ms.

    Raises:
        ProblemError: two ends, or one that is over.
    """
    if asked.for_ms is not None:
        if asked.until is not None:
            raise wrong_field("for_ms", "expected `until` or `for_ms`, found both")
        return now_ms() + asked.for_ms
    if asked.until is not None and asked.until <= now_ms():
        raise wrong_field("until", "expected a time in the future, found one that is over")
    return asked.until
