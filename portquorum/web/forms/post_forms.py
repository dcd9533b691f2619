"""Posts on status pages: drafted from an incident, written, updated, corrected, removed."""

from http import HTTPStatus
from typing import Final

from litestar import Response, get, route
from litestar.types import ControllerRouterHandler

from portquorum.changing.errors import ChangeError
from portquorum.changing.status_edits import PostChange, StatusEdits, WantedPost
from portquorum.status_editing.draft import Outage, drafted
from portquorum.status_editing.page_rules import components_of
from portquorum.status_editing.post_rules import states_of
from portquorum.web.access.needs import needs
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, with_errors
from portquorum.web.forms.incident_forms import BOTH, Id, Shown
from portquorum.web.forms.lengths import NoMomentError
from portquorum.web.forms.post_fields import (
    as_wanted,
    correction_of,
    field_groups,
    state_field,
    state_of,
    text_field,
    wanted_post,
)
from portquorum.web.forms.posted import Posted
from portquorum.web.forms.status_page_forms import BACK, version_of
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.filters import NO_FILTERS, refuse_unknown
from portquorum.web.pages.number_words import cut, fill, path
from portquorum.web.parts import TheFleet, ThePrincipal, TheStatusEdits
from portquorum.web.problem import ProblemError
from portquorum.web.words import ENGLISH
from schemas.web import StatusPost

_F: Final = ENGLISH.forms
_S: Final = ENGLISH.posting
_NEW: Final = {"incident": (), "sort": ("incident", "maintenance")}


@route("/posts/new", http_method=BOTH, include_in_schema=False, opt=needs("operator"))
async def new(
    request: Asked, fleet: TheFleet, status_edits: TheStatusEdits, principal: ThePrincipal
) -> Shown:
    """A post; of an incident with a draft that can be published as it is."""
    desk = Desk(request, fleet, principal)
    refuse_unknown(desk.address, _NEW)
    if not status_edits.pages():
        none = Form(
            title=_S.public_post,
            path=desk.here,
            back=BACK,
            buttons=(),
            intro=(_S.no_status_page,),
        )
        return desk.page(none)
    draft, intro = _draft(desk, status_edits)
    sent = await desk.sent()
    form = Form(
        title=_S.plan_work if draft.sort == "maintenance" else _S.public_post,
        path=desk.here,
        back=_back(desk),
        intro=intro,
        groups=field_groups(desk, status_edits, draft, sent),
        buttons=(Button("", _S.publish, "main"),),
    )
    if sent is None:
        return desk.page(form)
    try:
        wanted = wanted_post(desk, sent, draft)
        made = await status_edits.add_post(principal, wanted)
    except NoMomentError as error:
        return desk.wrong(with_errors(form, [error.error]))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(path("posts", made.id), "published")


@get("/posts/{post_id:str}", include_in_schema=False, opt=needs("viewer"))
async def post(
    request: Asked,
    fleet: TheFleet,
    status_edits: TheStatusEdits,
    principal: ThePrincipal,
    post_id: Id,
) -> Response[str]:
    """One post with its timeline, for those who write it."""
    desk = Desk(request, fleet, principal)
    refuse_unknown(desk.address, NO_FILTERS)
    found = _post(status_edits, post_id)
    return desk.show(
        "post.html",
        post=found,
        about=[_name_of(status_edits, one) for one in found.components],
        pages=[status_edits.page(one) for one in found.pages],
        active="status-pages",
    )


@route(
    "/posts/{post_id:str}/update", http_method=BOTH, include_in_schema=False, opt=needs("operator")
)
async def update(
    request: Asked,
    fleet: TheFleet,
    status_edits: TheStatusEdits,
    principal: ThePrincipal,
    post_id: Id,
) -> Shown:
    """The next words of a post."""
    desk = Desk(request, fleet, principal)
    found = _post(status_edits, post_id)
    sent = await desk.sent()
    typed = sent or Posted()
    states = states_of(found.sort)
    now = states.index(found.updates[-1].state)
    fields = [
        state_field(states, typed.text("state", states[min(now + 1, len(states) - 1)])),
        text_field(typed.raw("text")),
    ]
    here = path("posts", found.id)
    form = Form(
        title=_S.update,
        path=f"{here}/update",
        back=here,
        intro=(
            fill(
                _S.update_of,
                title=cut(found.title, 100),
                state=_S.states[found.updates[-1].state],
            ),
        ),
        groups=(Group(fields=fields, note=_S.public_note),),
        hidden=(("version", f"{found.version}"),),
        buttons=(Button("", _S.publish, "main"),),
    )
    if sent is None:
        return desk.page(form)
    change = PostChange(state=state_of(sent, states) or states[now], text=sent.raw("text"))
    try:
        await status_edits.change_post(principal, found.id, change, version_of(sent))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(here, "published")


@route(
    "/posts/{post_id:str}/edit", http_method=BOTH, include_in_schema=False, opt=needs("operator")
)
async def edit(
    request: Asked,
    fleet: TheFleet,
    status_edits: TheStatusEdits,
    principal: ThePrincipal,
    post_id: Id,
) -> Shown:
    """Corrects what was written."""
    desk = Desk(request, fleet, principal)
    found = _post(status_edits, post_id)
    sent = await desk.sent()
    here = path("posts", found.id)
    typed = [
        found.updates[at].text if sent is None else sent.raw(f"texts.{at}")
        for at in range(len(found.updates))
    ]
    texts = [
        Field(
            name=f"texts.{at}",
            label=fill(_S.text_of, state=_S.states[one.state]),
            kind="textarea",
            value=typed[at],
            most=5_000,
            rows=4,
            is_needed=True,
        )
        for at, one in enumerate(found.updates)
    ]
    draft = as_wanted(found)
    form = Form(
        title=_S.edit_post,
        path=f"{here}/edit",
        back=here,
        intro=(_S.edit_note,),
        groups=(
            *field_groups(desk, status_edits, draft, sent, with_text=False),
            Group(fields=texts, legend=_S.timeline),
        ),
        hidden=(("version", f"{found.version}"),),
        buttons=(Button("", _F.save, "main"),),
    )
    if sent is None:
        return desk.page(form)
    try:
        await status_edits.change_post(
            principal, found.id, correction_of(desk, sent, draft, typed), version_of(sent)
        )
    except NoMomentError as error:
        return desk.wrong(with_errors(form, [error.error]))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(here, "post-changed")


@route(
    "/posts/{post_id:str}/remove", http_method=BOTH, include_in_schema=False, opt=needs("operator")
)
async def remove(
    request: Asked,
    fleet: TheFleet,
    status_edits: TheStatusEdits,
    principal: ThePrincipal,
    post_id: Id,
) -> Shown:
    """Takes a post from all pages."""
    desk = Desk(request, fleet, principal)
    found = _post(status_edits, post_id)
    here = path("posts", found.id)
    form = Form(
        title=_S.remove_post,
        path=f"{here}/remove",
        back=here,
        intro=(fill(_S.remove_post_note, title=cut(found.title, 100)),),
        hidden=(("version", f"{found.version}"),),
        buttons=(Button("", _F.remove, "danger"),),
    )
    sent = await desk.sent()
    if sent is None:
        return desk.page(form)
    try:
        await status_edits.remove_post(principal, found.id, version_of(sent))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(BACK, "post-removed")


def _post(status_edits: StatusEdits, post_id: str) -> StatusPost:
    found = status_edits.post(post_id)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, fill(_S.no_post, id=post_id[:64]))
    return found


def _draft(desk: Desk, status_edits: StatusEdits) -> tuple[WantedPost, tuple[str, ...]]:
    """What the form begins with, and sentences above it."""
    pages = status_edits.pages()
    incident = desk.address.value("incident")
    if not incident:
        is_work = desk.address.value("sort") == "maintenance"
        sort: Final = "maintenance" if is_work else "incident"
        return WantedPost(title="", text="", sort=sort), (_S.public_note,)
    found = desk.incident(incident)
    draft = drafted(
        pages,
        Outage(
            id=found.row.id,
            target=found.row.target,
            sort=found.row.type,
            began_at=found.row.began_at,
            ended_at=found.row.closed_at,
        ),
    )
    note = _S.draft_note if draft.components else _S.no_component
    return draft, (note, _S.public_note)


def _back(desk: Desk) -> str:
    incident = desk.address.value("incident")
    return path("incidents", incident) if incident else BACK


def _name_of(status_edits: StatusEdits, key: str) -> str:
    slug, _, component = key.partition("/")
    page = status_edits.page(slug)
    if page is not None:
        for _, one in components_of(page):
            if one.id == component:
                return f"{page.title}: {one.name}"
    return key


POST_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (new, post, update, edit, remove)
