"""Silences: of what nobody is told for a while, with a preview of what that is."""

from typing import Annotated, Any, Final, get_args

from litestar import route
from litestar.params import PathParameter
from litestar.types import ControllerRouterHandler

from portquorum.changing.acts import SilenceMade, WantedMatch
from portquorum.changing.errors import ChangeError
from portquorum.silencing.matching import is_everything
from portquorum.web.access.needs import needs
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, Option, with_errors
from portquorum.web.forms.incident_forms import (
    BOTH,
    Shown,
    silence_fields,
    silenced,
    wanted_silence,
)
from portquorum.web.forms.lengths import NoMomentError
from portquorum.web.forms.posted import Posted
from portquorum.web.pages import commands
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.number_words import cut, fill, path
from portquorum.web.parts import TheActs, TheFleet, ThePrincipal
from portquorum.web.problem import ProblemError
from portquorum.web.unread import missing
from portquorum.web.words import ENGLISH
from schemas.incident import IncidentType, Severity
from schemas.target import Criticality

Id = Annotated[str, PathParameter(max_length=255)]
_W: Final = ENGLISH.forms
_TEXTS: Final = ("targets", "tags", "teams")
_MORE_TEXTS: Final = ("kinds", "regions")
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "severities": get_args(Severity),
    "incident_types": get_args(IncidentType),
    "criticalities": get_args(Criticality),
}
BACK: Final = "/maintenance#silences"


def _match_fields(sent: Posted) -> tuple[Group, Group]:
    texts = [
        Field(
            name=one,
            label=_W.match[one],
            kind="textarea" if one == "targets" else "text",
            rows=2,
            value="\n".join(sent.lines(one)) if one == "targets" else ", ".join(sent.lines(one)),
            hint=_W.match_hints[one],
        )
        for one in _TEXTS
    ]
    more = [
        Field(
            name=one,
            label=_W.match[one],
            value=", ".join(sent.lines(one)),
            hint=_W.match_hints[one],
        )
        for one in _MORE_TEXTS
    ] + [
        Field(
            name=one,
            label=_W.match[one],
            kind="boxes",
            value="\n".join(sent.all(one)),
            options=[Option(value, value) for value in values],
        )
        for one, values in _CHOICES.items()
    ]
    is_used = any(sent.all(one.name) for one in more)
    return (
        Group(legend=_W.of_what, fields=texts, note=_W.match_note, name="match"),
        Group(legend=_W.more_conditions, fields=more, is_folded=not is_used, name="more"),
    )


def _match(sent: Posted) -> WantedMatch:
    """What was typed; values that there are none of are left out."""
    fields: dict[str, Any] = {one: sent.lines(one) for one in (*_TEXTS, *_MORE_TEXTS)}
    for name, known in _CHOICES.items():
        fields[name] = tuple(one for one in sent.all(name) if one in known)
    return WantedMatch(**fields)


def _new_form(desk: Desk, sent: Posted, preview: SilenceMade | None) -> Form:
    first = Button("preview", _W.preview, "main" if preview is None else "")
    make = Button("make", _W.silence, "main")
    length = Group(legend=_W.until_when, fields=silence_fields(desk, sent), name="length")
    return Form(
        title=_W.new_silence,
        path="/silences/new",
        back=BACK,
        intro=(_W.silence_note,),
        groups=(*_match_fields(sent), length),
        buttons=(first,) if preview is None else (make, first),
        in_place=True,
    )


@route("/silences/new", http_method=BOTH, include_in_schema=False, opt=needs("operator"))
async def new(request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal) -> Shown:
    """A silence by conditions; what it would match is shown before it is made."""
    desk = Desk(request, fleet, principal)
    sent = await desk.sent()
    template = "silence_new.html"
    if sent is None:
        typed = Posted([pair for pair in desk.address.pairs if pair[0] in _TEXTS])
        return desk.page(_new_form(desk, typed, None), template=template, preview=None)
    form = _new_form(desk, sent, None)
    match = _match(sent)
    try:
        wanted = wanted_silence(desk, sent, match)
        preview = await acts.silence(principal, wanted, dry_run=True)
    except NoMomentError as error:
        return desk.wrong(with_errors(form, [error.error]), template=template, preview=None)
    except ChangeError as error:
        return desk.refused(form, error, template=template, preview=None)
    if sent.text("do") != "make":
        form = _new_form(desk, sent, preview)
        return desk.page(
            form, template=template, preview=preview, is_everything=is_everything(match)
        )
    return await silenced(desk, acts, form, sent, match)


@route(
    "/silences/{silence_id:str}/end",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("operator"),
)
async def end(
    request: Asked, fleet: TheFleet, acts: TheActs, principal: ThePrincipal, silence_id: Id
) -> Shown:
    """Ends a silence now: what is still down is told."""
    desk = Desk(request, fleet, principal)
    sent = await desk.sent()
    row = next((one for one in fleet.silences().silences if one.id == silence_id), None)
    if row is None:
        raise _no_silence(desk, silence_id)
    form = Form(
        title=_W.end_silence,
        path=path("silences", silence_id, "end"),
        back=BACK,
        intro=(
            fill(
                _W.silence_is,
                reason=cut(row.reason, 200),
                name=cut(row.by, 60),
                until=desk.viewer.moment_with_utc(row.ends_at),
            ),
            _W.end_silence_note,
        ),
        buttons=(Button("", _W.end_silence, "main"),),
        command=commands.end_silence(row.id),
    )
    if sent is None:
        return desk.page(form)
    try:
        await acts.end_silence(principal, silence_id)
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done("/maintenance", "silence-ended")


def _no_silence(desk: Desk, silence_id: str) -> ProblemError:
    return missing(desk.fresh, fill(_W.no_silence, id=silence_id[:60]))


SILENCE_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (new, end)
