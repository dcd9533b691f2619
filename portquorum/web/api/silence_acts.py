"""Silences: made, read one by one, ended."""

from http import HTTPStatus
from typing import Annotated, Final

from litestar import Response, delete, get, post
from litestar.params import PathParameter

from portquorum.changing.acts import SilenceMade, WantedSilence
from portquorum.web.access.needs import needs
from portquorum.web.answers import SilenceRow
from portquorum.web.api.answering import answered
from portquorum.web.api.bodies import Asked, body_of
from portquorum.web.api.changes import changes
from portquorum.web.api.entries import json_answer
from portquorum.web.api.repeats import TheRepeats
from portquorum.web.parts import TheActs, TheFleet, ThePrincipal
from portquorum.web.unread import missing

PATH: Final = "/api/v1/silences"
SilenceId = Annotated[str, PathParameter(description="The silence's id.", max_length=64)]


class SilenceAsked(WantedSilence, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A silence. With `dry_run` nothing is silenced: the answer says what it would match now."""

    dry_run: bool = False


@post(
    "/silences",
    operation_id="make_silence",
    summary="Make a silence",
    tags=["acts"],
    opt=changes(
        "operator",
        SilenceAsked,
        made=True,
        statuses={200: "With `dry_run`: what it would match."},
    ),
)
async def make_silence(
    request: Asked, principal: ThePrincipal, acts: TheActs, repeats: TheRepeats
) -> Response[SilenceMade]:
    """Nobody is told of what it matches, until its end; it needs an end and a reason.

    `in_force` says whether the notifier heeds it yet; if not, it will once it has read it. One
    without any condition matches everything, and needs the scope admin without limits.
    """
    asked = await body_of(request, SilenceAsked)
    wanted = WantedSilence(
        **{name: getattr(asked, name) for name in WantedSilence.__struct_fields__}
    )

    async def made() -> Response[SilenceMade]:
        found = await acts.silence(principal, wanted, dry_run=asked.dry_run)
        if asked.dry_run:
            return json_answer(found)
        return json_answer(found, HTTPStatus.CREATED, Location=f"{PATH}/{found.id}")

    return await repeats.once(request, principal, made)


@get(
    "/silences/{silence_id:str}",
    operation_id="silence",
    summary="One silence",
    tags=["plans"],
    opt=needs("viewer"),
)
async def silence(fleet: TheFleet, silence_id: SilenceId) -> Response[SilenceRow]:
    """One that is active or coming, or ended within a day."""
    found = next((one for one in fleet.silences().silences if one.id == silence_id), None)
    if found is None:
        raise missing(fleet.freshness(), f"there is no silence {silence_id[:64]!r}")
    return answered(found)


@delete(
    "/silences/{silence_id:str}",
    operation_id="end_silence",
    summary="End a silence",
    tags=["acts"],
    status_code=HTTPStatus.OK,
    opt=changes("operator", statuses={409: "It has ended already."}),
)
async def end_silence(
    principal: ThePrincipal, acts: TheActs, silence_id: SilenceId
) -> Response[SilenceMade]:
    """It ends now: what is still down is told. It is listed for a day as one that ended."""
    return json_answer(await acts.end_silence(principal, silence_id))
