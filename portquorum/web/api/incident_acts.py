"""What people say of an incident: acknowledge, resolve, notes."""

from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import quote

from litestar import Response, get, post
from msgspec import Meta, Struct

from portquorum.changing.acts import Said
from portquorum.web.access.needs import needs
from portquorum.web.api.answering import answered
from portquorum.web.api.bodies import Asked, body_of
from portquorum.web.api.changes import changes
from portquorum.web.api.entries import json_answer
from portquorum.web.api.incidents import IncidentIdPath
from portquorum.web.api.repeats import TheRepeats
from portquorum.web.parts import TheActs, TheFleet, ThePrincipal
from portquorum.web.problem import ProblemError
from portquorum.web.short_ids import whole_id
from schemas.web import IncidentNote

_PATH: Final = "/api/v1/incidents"
_STATUSES: Final = {
    202: "It is written, and the stream has not answered within 5 s: it holds once it is read.",
    409: "It had closed before, or several ids begin so; `detail` says which.",
}


class WordAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word on an incident, with a note for others."""

    note: Annotated[str, Meta(max_length=500)] = ""


class NoteAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note beside an incident; lines are kept."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000)]


class NotesAnswer(Struct, frozen=True, kw_only=True):
    """The notes of an incident, the oldest first."""

    incident_id: str
    notes: tuple[IncidentNote, ...]


@post(
    "/incidents/{incident_id:str}/acknowledge",
    operation_id="acknowledge_incident",
    summary="Acknowledge an incident",
    tags=["acts"],
    status_code=HTTPStatus.OK,
    opt=changes("operator", WordAsked, statuses=_STATUSES),
)
async def acknowledge_incident(
    *,
    request: Asked,
    principal: ThePrincipal,
    fleet: TheFleet,
    acts: TheActs,
    repeats: TheRepeats,
    incident_id: IncidentIdPath,
) -> Response[Said]:
    """Others see who has it and the note; there are no reminders. It stays open.

    The first characters of its id are enough if no other begins so.
    """
    asked = await body_of(request, WordAsked)
    found = whole_id(fleet, incident_id)

    async def made() -> Response[Said]:
        return _said(await acts.acknowledge(principal, [found], asked.note))

    return await repeats.once(request, principal, made)


@post(
    "/incidents/{incident_id:str}/resolve",
    operation_id="resolve_incident",
    summary="Resolve an incident",
    tags=["acts"],
    status_code=HTTPStatus.OK,
    opt=changes("operator", WordAsked, statuses=_STATUSES),
)
async def resolve_incident(
    *,
    request: Asked,
    principal: ThePrincipal,
    fleet: TheFleet,
    acts: TheActs,
    repeats: TheRepeats,
    incident_id: IncidentIdPath,
) -> Response[Said]:
    """Closes it by hand, whatever the regions say; none opens again for the same outage."""
    asked = await body_of(request, WordAsked)
    found = whole_id(fleet, incident_id)

    async def made() -> Response[Said]:
        return _said(await acts.resolve(principal, [found], asked.note))

    return await repeats.once(request, principal, made)


@get(
    "/incidents/{incident_id:str}/notes",
    operation_id="incident_notes",
    summary="The notes of an incident",
    tags=["now"],
    opt=needs("viewer"),
)
async def incident_notes(
    fleet: TheFleet, acts: TheActs, incident_id: IncidentIdPath
) -> Response[NotesAnswer]:
    """What people wrote beside it, the oldest first; none of an incident that nobody knows."""
    found = whole_id(fleet, incident_id)
    return answered(NotesAnswer(incident_id=found, notes=tuple(acts.notes(found))))


@post(
    "/incidents/{incident_id:str}/notes",
    operation_id="make_note",
    summary="Write a note",
    tags=["acts"],
    opt=changes("operator", NoteAsked, made=True),
)
async def make_note(
    *,
    request: Asked,
    principal: ThePrincipal,
    fleet: TheFleet,
    acts: TheActs,
    repeats: TheRepeats,
    incident_id: IncidentIdPath,
) -> Response[IncidentNote]:
    """Beside an incident that is open, or was closed."""
    asked = await body_of(request, NoteAsked)
    found = whole_id(fleet, incident_id)

    async def made() -> Response[IncidentNote]:
        note = await acts.note(principal, found, asked.text)
        place = f"{_PATH}/{quote(note.incident_id, safe='')}/notes"
        return json_answer(note, HTTPStatus.CREATED, Location=place)

    return await repeats.once(request, principal, made)


def _said(said: tuple[Said, ...]) -> Response[Said]:
    (one,) = said
    if one.outcome == "closed":
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"the incident {one.incident_id[:128]!r} had closed before; nothing was said of it",
        )
    waits = one.outcome == "unanswered"
    return json_answer(one, HTTPStatus.ACCEPTED if waits else HTTPStatus.OK)
