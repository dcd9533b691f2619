"""What can be said of an incident: seen, over, a note, tell nobody."""

from typing import Annotated, Final

from litestar import HttpMethod, Response, route
from litestar.params import PathParameter
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from msgspec.structs import replace

from portquorum.changing.acts import Said, WantedMatch, WantedSilence
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.web.access.needs import needs
from portquorum.web.answers import IncidentAnswer, IncidentQuery, TargetQuery
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, with_errors
from portquorum.web.forms.lengths import NoMomentError, end_of, length_fields
from portquorum.web.forms.posted import Posted
from portquorum.web.pages import commands
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.number_words import cut, fill, many, path
from portquorum.web.parts import TheActs, TheFleet, ThePrincipal
from portquorum.web.ports import Fleet
from portquorum.web.words import ENGLISH

Id = Annotated[str, PathParameter(max_length=255)]
BOTH: Final = [HttpMethod.GET, HttpMethod.POST]
_W: Final = ENGLISH.forms
_MOST_TOGETHER: Final = 500
_MOST_NOTE: Final = 500

Shown = Response[str] | Redirect


def _incident_form(
    found: IncidentAnswer, what: str, title: str, button: Button, group: Group
) -> Form:
    here = path("incidents", found.row.id)
    return Form(
        title=title,
        path=f"{here}/{what}",
        back=here,
        intro=(
            fill(_W.of_incident, name=cut(found.row.name, 120), why=cut(found.row.summary, 240)),
        ),
        groups=(group,),
        buttons=(button,),
    )


def together(fleet: Fleet, found: IncidentAnswer) -> list[str]:
    """The open incidents of its cause that nobody has acknowledged, this one first."""
    cause = found.cause
    if cause is None or cause.incidents < 2:
        return [found.row.id]
    targets = fleet.targets(TargetQuery(cause=cause.key, limit=_MOST_TOGETHER, facets=False))
    query = IncidentQuery(
        targets=tuple(one.id for one in targets.rows), acknowledged=False, limit=_MOST_TOGETHER
    )
    others = [one.id for one in fleet.incidents(query).rows if one.id != found.row.id]
    return [found.row.id, *others]


def _note_field(sent: Posted, label: str, hint: str = "", *, is_needed: bool = False) -> Field:
    """One line, so that Enter sends it; a note that is needed may have several."""
    return Field(
        name="note",
        label=label,
        kind="textarea" if is_needed else "text",
        value=sent.raw("note"),
        hint=hint,
        most=_MOST_NOTE,
        is_needed=is_needed,
    )


def _all_field(sent: Posted, ids: list[str]) -> list[Field]:
    if len(ids) < 2:
        return []
    label = many(_W.all_of_cause, len(ids))
    return [Field(name="all", label=label, kind="checkbox", value=sent.text("all"))]


@route(
    "/incidents/{incident_id:str}/acknowledge",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def acknowledge(
    request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal, incident_id: Id
) -> Shown:
    """Somebody looks after it: no more reminders."""
    desk = Desk(request, fleet, principal)
    found = desk.incident(incident_id)
    sent = await desk.sent()
    typed = sent or Posted()
    ids = together(fleet, found)
    fields = [_note_field(typed, _W.note, _W.note_hint), *_all_field(typed, ids)]
    form = _incident_form(
        found,
        "acknowledge",
        _W.acknowledge,
        Button("", _W.acknowledge, "main"),
        Group(fields=fields),
    )
    form = replace(form, command=commands.ack(found.row.id))
    if sent is None:
        return desk.page(form)
    meant = ids if sent.flag("all") else [found.row.id]
    try:
        said = await acts.acknowledge(principal, meant, sent.text("note"))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(form.back, _outcome(said, "acknowledged"))


@route(
    "/incidents/{incident_id:str}/resolve",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def resolve(
    request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal, incident_id: Id
) -> Shown:
    """Closes it by hand."""
    desk = Desk(request, fleet, principal)
    found = desk.incident(incident_id)
    sent = await desk.sent()
    form = _incident_form(
        found,
        "resolve",
        _W.resolve,
        Button("", _W.resolve, "main"),
        Group(fields=[_note_field(sent or Posted(), _W.note)], note=_W.resolve_note),
    )
    if sent is None:
        return desk.page(form)
    try:
        said = await acts.resolve(principal, [found.row.id], sent.text("note"))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(form.back, _outcome(said, "resolved"))


@route(
    "/incidents/{incident_id:str}/note",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def note(
    request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal, incident_id: Id
) -> Shown:
    """A note beside it, for whoever comes next."""
    desk = Desk(request, fleet, principal)
    found = desk.incident(incident_id)
    sent = await desk.sent()
    form = _incident_form(
        found,
        "note",
        _W.add_note,
        Button("", _W.add_note, "main"),
        Group(fields=[_note_field(sent or Posted(), _W.note, is_needed=True)]),
    )
    if sent is None:
        return desk.page(form)
    if not sent.text("note"):
        wrong = with_errors(form, [FieldError(field="note", message=_W.needed)])
        return desk.wrong(wrong)
    try:
        await acts.note(principal, found.row.id, sent.text("note"))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(form.back, "noted")


@route(
    "/incidents/{incident_id:str}/silence",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def silence(
    request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal, incident_id: Id
) -> Shown:
    """Tells nobody of its target, or of all targets of its cause, for a while."""
    desk = Desk(request, fleet, principal)
    found = desk.incident(incident_id)
    sent = await desk.sent()
    typed = sent or Posted()
    targets = _targets_together(fleet, found)
    form = _incident_form(
        found,
        "silence",
        _W.silence,
        Button("", _W.silence, "main"),
        Group(
            fields=[*silence_fields(desk, typed), *_all_field(typed, targets)], note=_W.silence_note
        ),
    )
    if sent is None:
        return desk.page(form)
    meant = targets if sent.flag("all") else [found.row.target]
    return await silenced(desk, acts, form, sent, WantedMatch(targets=tuple(meant)))


def _targets_together(fleet: Fleet, found: IncidentAnswer) -> list[str]:
    cause = found.cause
    if cause is None or cause.targets < 2:
        return [found.row.target]
    page = fleet.targets(TargetQuery(cause=cause.key, limit=_MOST_TOGETHER, facets=False))
    others = [one.id for one in page.rows if one.id != found.row.target]
    return [found.row.target, *others]


def silence_fields(desk: Desk, sent: Posted) -> list[Field]:
    """How long, and why."""
    return [
        *length_fields(sent, desk.viewer, "1h"),
        Field(
            name="reason",
            label=_W.why,
            value=sent.text("reason"),
            hint=_W.why_hint,
            most=_MOST_NOTE,
            is_needed=True,
        ),
    ]


def wanted_silence(desk: Desk, sent: Posted, match: WantedMatch) -> WantedSilence:
    """The silence that was asked for.

    Raises:
        NoMomentError: without an end or a reason.
    """
    if not sent.text("reason"):
        raise NoMomentError("reason", _W.why_needed)
    ends_at = end_of(sent, desk.viewer)
    if ends_at is None:
        raise NoMomentError("for", _W.end_needed)
    return WantedSilence(match=match, reason=sent.text("reason"), ends_at=ends_at)


async def silenced(
    desk: Desk, acts: TheActs, form: Form, sent: Posted, match: WantedMatch
) -> Shown:
    """Makes a silence, or shows the form with what is wrong."""
    try:
        wanted = wanted_silence(desk, sent, match)
        made = await acts.silence(desk.who, wanted)
    except NoMomentError as error:
        return desk.wrong(with_errors(form, [error.error]))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(form.back, "silenced" if made.in_force else "silence-written")


def _outcome(said: tuple[Said, ...], usual: str) -> str:
    """The word of what became of it: the least of all."""
    outcomes = {one.outcome for one in said}
    for one in ("unanswered", "closed", "known"):
        if one in outcomes and (one == "unanswered" or len(outcomes) == 1):
            return one
    return usual


INCIDENT_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (acknowledge, resolve, note, silence)
