"""Status pages: listed, made, changed, removed; with a preview before anything is saved."""

from http import HTTPStatus
from typing import Final

from litestar import Response, get, route
from litestar.types import ControllerRouterHandler
from msgspec import UNSET, UnsetType

from portquorum.changing.errors import ChangeError, FieldError
from portquorum.changing.status_edits import StatusEdits, WantedPage
from portquorum.status_editing.page_rules import wanted_of
from portquorum.status_editing.post_rules import is_over
from portquorum.web.access.needs import needs
from portquorum.web.forms import component_lines
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, Option, with_errors
from portquorum.web.forms.found_targets import NothingFoundError, lines_of, looked_for
from portquorum.web.forms.incident_forms import BOTH, Id, Shown
from portquorum.web.forms.posted import Posted, filled
from portquorum.web.forms.status_preview import preview_of
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.filters import NO_FILTERS, refuse_unknown
from portquorum.web.pages.number_words import cut, fill, many, path
from portquorum.web.parts import TheFleet, TheKeys, ThePrincipal, TheStatusEdits
from portquorum.web.ports import Fleet
from portquorum.web.problem import ProblemError
from portquorum.web.words import ENGLISH
from schemas.web import StatusPage, StatusPost

_F: Final = ENGLISH.forms
_S: Final = ENGLISH.posting
_TEMPLATE: Final = "status_page_form.html"
BACK: Final = "/status-pages"
MOST_POSTS: Final = 50
_DIGITS: Final = 16
_DAYS: Final = ("7", "30", "90")


@get("/status-pages", include_in_schema=False, opt=needs("viewer"))
async def status_pages(
    request: Asked,
    fleet: TheFleet,
    status_edits: TheStatusEdits,
    keys: TheKeys,
    principal: ThePrincipal,
) -> Response[str]:
    """All pages and their posts."""
    desk = Desk(request, fleet, principal)
    refuse_unknown(desk.address, NO_FILTERS)
    pages = status_edits.pages()
    posts = sorted(status_edits.posts(), key=is_over)
    count: dict[str | None, int] = {}
    for key in keys.listed("page"):
        count[key.about] = count.get(key.about, 0) + 1
    return desk.show(
        "status_pages.html",
        pages=pages,
        keys=count,
        posts=posts[:MOST_POSTS],
        posts_left=max(0, len(posts) - MOST_POSTS),
        is_over=is_over,
        outlived={one.id for one in posts[:MOST_POSTS] if _outlived(fleet, one)},
        active="status-pages",
    )


def _outlived(fleet: Fleet, post: StatusPost) -> bool:
    """Whether a post is open whose incident is over: it keeps its components as they are."""
    if post.incident_id is None or is_over(post) or not fleet.freshness().is_read:
        return False
    found = fleet.incident(post.incident_id)
    return found is None or found.row.closed_at is not None


@route("/status-pages/new", http_method=BOTH, include_in_schema=False, opt=needs("admin"))
async def new(
    request: Asked, fleet: TheFleet, status_edits: TheStatusEdits, principal: ThePrincipal
) -> Shown:
    """A new page; filters in the address find the targets of its components."""
    desk = Desk(request, fleet, principal)
    sent = await desk.sent()
    if sent is not None:
        return await _answered(desk, status_edits, sent, None)
    filters = desk.here.partition("?")[2]
    form = _form(Posted(), None)
    if filters:
        return _added(desk, Posted([("filters", filters)]), None)
    return desk.page(form, template=_TEMPLATE, preview=None)


@route(
    "/status-pages/{slug:str}/edit", http_method=BOTH, include_in_schema=False, opt=needs("admin")
)
async def edit(
    request: Asked,
    fleet: TheFleet,
    status_edits: TheStatusEdits,
    principal: ThePrincipal,
    slug: Id,
) -> Shown:
    """Changes a page."""
    desk = Desk(request, fleet, principal)
    page = page_of(status_edits, slug)
    sent = await desk.sent()
    if sent is None:
        return desk.page(_form(_sent_of(page), page), template=_TEMPLATE, preview=None)
    return await _answered(desk, status_edits, sent, page)


@route(
    "/status-pages/{slug:str}/remove",
    http_method=BOTH,
    include_in_schema=False,
    opt=needs("admin"),
)
async def remove(
    request: Asked,
    fleet: TheFleet,
    status_edits: TheStatusEdits,
    principal: ThePrincipal,
    slug: Id,
) -> Shown:
    """Removes a page."""
    desk = Desk(request, fleet, principal)
    page = page_of(status_edits, slug)
    posts = sum(slug in one.pages for one in status_edits.posts())
    form = Form(
        title=fill(_S.remove_page, name=cut(page.title, 80)),
        path=f"{path('status-pages', slug)}/remove",
        back=BACK,
        intro=(_S.remove_page_note, *([many(_S.of_posts, posts)] if posts else [])),
        hidden=(("version", f"{page.version}"),),
        buttons=(Button("", _F.remove, "danger"),),
    )
    sent = await desk.sent()
    if sent is None:
        return desk.page(form)
    try:
        await status_edits.remove_page(principal, slug, version_of(sent))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(BACK, "page-removed")


def page_of(status_edits: StatusEdits, slug: str) -> StatusPage:
    """A page by its slug.

    Raises:
        ProblemError: 404.
    """
    found = status_edits.page(slug)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, fill(_S.no_page, name=slug[:63]))
    return found


def version_of(sent: Posted) -> int:
    """The version that a form was made for; 0: none that can be."""
    text = sent.text("version")
    return int(text) if text.isdecimal() and len(text) < _DIGITS else 0


async def _answered(
    desk: Desk, status_edits: StatusEdits, sent: Posted, page: StatusPage | None
) -> Shown:
    do = sent.text("do")
    if do == "add":
        return _added(desk, sent, page)
    form = _form(sent, page)
    lines = component_lines.read(sent.raw("components"))
    if lines.errors:
        return desk.wrong(with_errors(form, lines.errors), template=_TEMPLATE, preview=None)
    if do == "preview":
        preview = preview_of(desk.fleet, lines.groups)
        return desk.page(form, template=_TEMPLATE, preview=preview)
    slug = sent.text("slug") if page is None else page.slug
    wanted = _wanted(sent, lines)
    try:
        await status_edits.put_page(desk.who, slug, wanted, 0 if page is None else version_of(sent))
    except ChangeError as error:
        if page is None and error.status == HTTPStatus.PRECONDITION_FAILED:
            taken = FieldError(field="slug", message=_S.slug_taken)
            return desk.wrong(with_errors(form, [taken]), template=_TEMPLATE, preview=None)
        errors = component_lines.with_lines(error.errors, lines.places)
        shown = with_errors(form, errors, error.detail)
        return desk.page(shown, template=_TEMPLATE, status=error.status, preview=None)
    return desk.done(BACK, "page-saved")


def _added(desk: Desk, sent: Posted, page: StatusPage | None) -> Shown:
    """The form with one line more for each target that the filters find."""
    typed = sent.raw("components").rstrip()
    try:
        query = looked_for(sent.text("filters"))
        more = lines_of(desk.fleet, query, sent.text("group"), typed)
    except NothingFoundError as error:
        form = with_errors(_form(sent, page), [error.error])
        return desk.wrong(form, template=_TEMPLATE, preview=None)
    lines = "\n".join([*([typed] if typed else []), *more])
    return desk.page(_form(sent, page, lines), template=_TEMPLATE, preview=None)


def _wanted(sent: Posted, lines: component_lines.Lines) -> WantedPage:
    password: str | UnsetType | None = sent.raw("password") or UNSET
    if sent.flag("no_password"):
        password = None
    days = sent.text("days", "90")
    return WantedPage(
        title=sent.text("title"),
        groups=lines.groups,
        description=sent.raw("description"),
        access="locked" if sent.text("access") == "locked" else "public",
        password=password,
        days=int(days) if days.isdecimal() and 1 <= int(days[:4]) <= 90 else 90,
        show_uptime=sent.flag("show_uptime"),
        show_response_times=sent.flag("show_response_times"),
        contact=sent.text("contact"),
    )


def _sent_of(page: StatusPage) -> Posted:
    return filled(
        {
            "title": page.title,
            "description": page.description,
            "access": page.access,
            "components": component_lines.written(wanted_of(page).groups),
            "days": f"{page.days}",
            "show_uptime": "1" if page.show_uptime else "",
            "show_response_times": "1" if page.show_response_times else "",
            "contact": page.contact,
        }
    )


def _form(sent: Posted, page: StatusPage | None, lines: str | None = None) -> Form:
    here = f"{path('status-pages', page.slug)}/edit" if page is not None else "/status-pages/new"
    first: list[Field] = [
        Field(
            name="title",
            label=_S.title,
            value=sent.text("title"),
            is_needed=True,
            most=100,
        ),
        Field(
            name="description",
            label=_S.description,
            kind="textarea",
            value=sent.raw("description"),
            hint=_S.description_hint,
        ),
    ]
    if page is None:
        slug = Field(
            name="slug",
            label=_S.slug,
            value=sent.text("slug"),
            hint=_S.slug_hint,
            is_needed=True,
            most=63,
        )
        first.insert(0, slug)
    return Form(
        title=_S.new_page if page is None else fill(_S.edit_page, name=cut(page.title, 80)),
        path=here,
        back=BACK,
        groups=(
            Group(fields=first),
            _components(sent, lines),
            Group(
                name="found",
                legend=_S.filters,
                is_folded=not sent.text("filters"),
                fields=_found_fields(sent),
            ),
            Group(legend=_S.who_sees, name="access", fields=_access_fields(sent, page)),
            Group(legend=_S.more, name="more", is_folded=True, fields=_more_fields(sent, page)),
        ),
        hidden=() if page is None else (("version", _version_shown(sent, page)),),
        buttons=(
            Button("save", _F.save, "main"),
            Button("preview", _S.preview),
            Button("add", _S.add),
        ),
    )


def _version_shown(sent: Posted, page: StatusPage) -> str:
    """That for which the form was first asked: a preview makes no newer one of it."""
    return sent.text("version") or f"{page.version}"


def _components(sent: Posted, lines: str | None) -> Group:
    value = sent.raw("components") if lines is None else lines
    field = Field(
        name="components",
        label=_S.lines,
        kind="textarea",
        value=value,
        hint=_S.lines_hint,
        is_needed=True,
        is_code=True,
        rows=min(30, max(8, value.count("\n") + 3)),
    )
    return Group(fields=[field])


def _found_fields(sent: Posted) -> list[Field]:
    return [
        Field(
            name="filters",
            label=_S.filters,
            value=sent.text("filters"),
            hint=_S.filters_hint,
            most=4_000,
        ),
        Field(name="group", label=_S.group_for, value=sent.text("group"), most=100),
    ]


def _access_fields(sent: Posted, page: StatusPage | None) -> list[Field]:
    has_password = page is not None and page.password is not None
    fields = [
        Field(
            name="access",
            label=_S.access,
            kind="radio",
            options=[Option("public", _S.public), Option("locked", _S.locked)],
            value=sent.text("access", "public"),
        ),
        Field(
            name="password",
            label=_S.password,
            kind="password",
            autocomplete="new-password",
            hint=_S.password_kept if has_password else _S.password_hint,
            most=256,
        ),
    ]
    if has_password:
        fields.append(
            Field(
                name="no_password",
                label=_S.no_password,
                kind="checkbox",
                value=sent.text("no_password"),
            )
        )
    return fields


def _more_fields(sent: Posted, page: StatusPage | None) -> list[Field]:
    is_fresh = page is None and "title" not in sent
    days = sent.text("days", "90")
    return [
        Field(
            name="days",
            label=_S.days,
            kind="select",
            options=[Option(one, one) for one in sorted({*_DAYS, days}, key=len)],
            value=days,
        ),
        _box("show_uptime", _S.show_uptime, "1" if is_fresh else sent.text("show_uptime")),
        _box("show_response_times", _S.show_response_times, sent.text("show_response_times")),
        Field(
            name="contact",
            label=_S.contact,
            value=sent.text("contact"),
            hint=_S.contact_hint,
            most=500,
        ),
    ]


def _box(name: str, label: str, value: str) -> Field:
    return Field(name=name, label=label, kind="checkbox", value=value)


STATUS_PAGE_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (status_pages, new, edit, remove)
