"""Posts on status pages: drafted from an incident, written, updated, corrected, removed."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Final

from litestar import Response, get, route
from litestar.types import ControllerRouterHandler
from msgspec import UNSET, Struct

from portquorum.changing.errors import ChangeError
from portquorum.changing.status_edits import PostChange, StatusEdits, WantedPost
from portquorum.status_editing.draft import Outage, drafted
from portquorum.status_editing.page_rules import components_of
from portquorum.status_editing.post_rules import states_of
from portquorum.web.access.needs import needs
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, Option, options_of, with_errors
from portquorum.web.forms.incident_forms import BOTH, Id, Shown
from portquorum.web.forms.lengths import NoMomentError, moment_field, moment_of
from portquorum.web.forms.posted import Posted
from portquorum.web.forms.status_page_forms import BACK, version_of
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.filters import NO_FILTERS, refuse_unknown
from portquorum.web.pages.number_words import cut, fill, path
from portquorum.web.pages.viewer import Viewer
from portquorum.web.parts import TheFleet, ThePrincipal, TheStatusEdits
from portquorum.web.problem import ProblemError
from portquorum.web.words import ENGLISH
from schemas.web import Impact, PostState, StatusPage, StatusPost

_F: Final = ENGLISH.forms
_S: Final = ENGLISH.posting
_NEW: Final = {"incident": (), "sort": ("incident", "maintenance")}
MOST_BOXES: Final = 150
"""Components that can be checked; others are typed."""
_IMPACTS: Final[tuple[Impact, ...]] = ("none", "minor", "major", "critical")


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
        groups=_groups(desk, status_edits, draft, sent),
        buttons=(Button("", _S.publish, "main"),),
    )
    if sent is None:
        return desk.page(form)
    try:
        wanted = _wanted(desk, sent, draft)
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
        _state_field(states, typed.text("state", states[min(now + 1, len(states) - 1)])),
        _text_field(typed.raw("text")),
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
    change = PostChange(state=_state(sent, states) or states[now], text=sent.raw("text"))
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
    draft = _as_wanted(found)
    form = Form(
        title=_S.edit_post,
        path=f"{here}/edit",
        back=here,
        intro=(_S.edit_note,),
        groups=(
            *_groups(desk, status_edits, draft, sent, with_text=False),
            Group(fields=texts, legend=_S.timeline),
        ),
        hidden=(("version", f"{found.version}"),),
        buttons=(Button("", _F.save, "main"),),
    )
    if sent is None:
        return desk.page(form)
    try:
        await status_edits.change_post(
            principal, found.id, _correction(desk, sent, draft, typed), version_of(sent)
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


class _Choice(Struct, frozen=True):
    """A component that can be chosen."""

    key: str
    words: str


def _choices(pages: Sequence[StatusPage]) -> list[_Choice]:
    found = []
    for page in pages:
        for group, one in components_of(page):
            named = f"{group.name} / {one.name}" if group.name else one.name
            found.append(_Choice(f"{page.slug}/{one.id}", f"{page.title}: {named}"))
    return found


def _groups(
    desk: Desk,
    status_edits: StatusEdits,
    draft: WantedPost,
    sent: Posted | None,
    *,
    with_text: bool = True,
) -> tuple[Group, ...]:
    pages = status_edits.pages()
    words = [
        Field(
            name="title",
            label=_S.title,
            value=draft.title if sent is None else sent.text("title"),
            is_needed=True,
            most=100,
        )
    ]
    if with_text:
        words.append(_text_field(draft.text if sent is None else sent.raw("text")))
    return (
        Group(fields=words),
        Group(legend=_S.about, name="about", fields=_about_fields(pages, draft, sent)),
        Group(fields=_kind_fields(desk, draft, sent, with_state=with_text)),
    )


def _about_fields(
    pages: Sequence[StatusPage], draft: WantedPost, sent: Posted | None
) -> list[Field]:
    chosen = list(draft.components) if sent is None else sent.all("components")
    chosen_pages = list(_whole(draft)) if sent is None else sent.all("pages")
    every = _choices(pages)
    first = [one for one in every if one.key in chosen]
    boxes = [*first, *(one for one in every if one.key not in chosen)][:MOST_BOXES]
    shown = {one.key for one in boxes}
    fields = [
        Field(
            name="components",
            label=_S.components,
            kind="boxes",
            options=[Option(one.key, cut(one.words, 160)) for one in boxes],
            value="\n".join(chosen),
        )
    ]
    left = [one for one in chosen if one not in shown]
    if len(every) > len(boxes) or left or (sent is not None and "others" in sent):
        typed = "\n".join(left) if sent is None else sent.raw("others")
        fields.append(
            Field(
                name="others",
                label=_S.others,
                kind="textarea",
                value=typed,
                hint=_S.others_hint,
                is_code=True,
            )
        )
    fields.append(
        Field(
            name="pages",
            label=_S.whole_pages,
            kind="boxes",
            options=[Option(one.slug, cut(one.title, 100)) for one in pages],
            value="\n".join(chosen_pages),
        )
    )
    return fields


def _whole(draft: WantedPost) -> list[str]:
    """Pages on which a post is without a component."""
    about = {one.partition("/")[0] for one in draft.components}
    return [one for one in draft.pages if one not in about]


def _kind_fields(
    desk: Desk, draft: WantedPost, sent: Posted | None, *, with_state: bool
) -> list[Field]:
    is_work = draft.sort == "maintenance"
    states = states_of(draft.sort)
    state = states[0] if draft.state is UNSET else draft.state
    impact = "minor" if draft.impact is UNSET else draft.impact
    fields = []
    if with_state:
        fields.append(_state_field(states, state if sent is None else sent.text("state", state)))
    if not is_work:
        fields.append(
            Field(
                name="impact",
                label=_S.impact,
                kind="select",
                options=options_of(_S.impacts),
                value=impact if sent is None else sent.text("impact", impact),
            )
        )
    typed = sent or _times_of(draft, desk.viewer)
    begins, ends = (_S.work_begins, _S.work_ends) if is_work else (_S.begins, _S.ends)
    return [
        *fields,
        moment_field(
            "starts_at",
            begins,
            typed,
            desk.viewer,
            hint="" if is_work else _S.empty_now,
            is_needed=is_work,
        ),
        moment_field(
            "ends_at",
            ends,
            typed,
            desk.viewer,
            hint="" if is_work else _S.empty_open,
            is_needed=is_work,
        ),
    ]


def _times_of(draft: WantedPost, viewer: Viewer) -> Posted:
    starts = None if draft.starts_at is UNSET else draft.starts_at
    pairs = [("starts_at", starts), ("ends_at", draft.ends_at)]
    return Posted([(name, _local(at, viewer)) for name, at in pairs if at is not None])


def _local(at: int, viewer: Viewer) -> str:
    """As a box for times has it, to the minute."""
    return f"{datetime.fromtimestamp(at / 1000, tz=viewer.zone):%Y-%m-%dT%H:%M}"


def _moment(desk: Desk, sent: Posted, name: str, was: int | None) -> int | None:
    """A time that was typed; one that stands as it was shown keeps its seconds."""
    if was is not None and sent.text(name) == _local(was, desk.viewer):
        return was
    return moment_of(sent, name, desk.viewer)


def _state_field(states: Sequence[PostState], value: str) -> Field:
    return Field(
        name="state",
        label=_S.state,
        kind="select",
        options=[Option(one, _S.states[one]) for one in states],
        value=value,
    )


def _text_field(value: str) -> Field:
    return Field(
        name="text",
        label=_S.text,
        kind="textarea",
        value=value,
        hint=_S.text_hint,
        is_needed=True,
        most=5_000,
        rows=6,
    )


def _state(sent: Posted, states: Sequence[PostState]) -> PostState | None:
    return next((one for one in states if one == sent.text("state")), None)


def _impact(sent: Posted, draft: WantedPost) -> Impact:
    if draft.sort == "maintenance":
        return "maintenance"
    return next((one for one in _IMPACTS if one == sent.text("impact")), "minor")


def _components(sent: Posted) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*sent.all("components"), *sent.lines("others"))))


def _wanted(desk: Desk, sent: Posted, draft: WantedPost) -> WantedPost:
    was = None if draft.starts_at is UNSET else draft.starts_at
    starts = _moment(desk, sent, "starts_at", was)
    return WantedPost(
        title=sent.text("title"),
        text=sent.raw("text"),
        sort=draft.sort,
        pages=tuple(sent.all("pages")),
        components=_components(sent),
        state=_state(sent, states_of(draft.sort)) or UNSET,
        impact=_impact(sent, draft),
        starts_at=UNSET if starts is None else starts,
        ends_at=_moment(desk, sent, "ends_at", draft.ends_at),
        incident_id=draft.incident_id,
    )


def _correction(desk: Desk, sent: Posted, draft: WantedPost, texts: Sequence[str]) -> PostChange:
    was = None if draft.starts_at is UNSET else draft.starts_at
    starts = _moment(desk, sent, "starts_at", was)
    return PostChange(
        title=sent.text("title"),
        impact=_impact(sent, draft),
        pages=tuple(sent.all("pages")),
        components=_components(sent),
        starts_at=UNSET if starts is None else starts,
        ends_at=_moment(desk, sent, "ends_at", draft.ends_at),
        texts=tuple(texts),
    )


def _as_wanted(found: StatusPost) -> WantedPost:
    return WantedPost(
        title=found.title,
        text=found.updates[-1].text,
        sort=found.sort,
        pages=found.pages,
        components=found.components,
        state=found.updates[-1].state,
        impact=found.impact,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        incident_id=found.incident_id,
    )


def _name_of(status_edits: StatusEdits, key: str) -> str:
    slug, _, component = key.partition("/")
    page = status_edits.page(slug)
    if page is not None:
        for _, one in components_of(page):
            if one.id == component:
                return f"{page.title}: {one.name}"
    return key


POST_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (new, post, update, edit, remove)
