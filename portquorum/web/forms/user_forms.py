"""Users: who may come in, and what they may do."""

from http import HTTPStatus
from typing import Any, Final, get_args

from litestar import route
from litestar.types import ControllerRouterHandler
from msgspec import UNSET

from portquorum.changing.errors import ChangeError, FieldError
from portquorum.changing.office import UserSeen, WantedUser
from portquorum.web.access.needs import needs
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, Option, with_errors
from portquorum.web.forms.incident_forms import BOTH, Id, Shown
from portquorum.web.forms.offered import offered_by
from portquorum.web.forms.posted import Posted
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.number_words import fill, many, path
from portquorum.web.parts import TheFleet, TheOffice, ThePrincipal
from portquorum.web.problem import ProblemError
from portquorum.web.words import ENGLISH
from schemas.web import Scope

_W: Final = ENGLISH.forms
_BACK: Final = "/users"
_SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
MOST_ROWS: Final = 200
_DIGITS: Final = 16


def scope_of(text: str) -> Scope:
    """The scope of that name; of no sense: viewer."""
    return next((one for one in _SCOPES if one == text), "viewer")


def scope_field(sent: Posted, usual: Scope = "viewer", most: Scope = "admin") -> Field:
    """What they may do, up to `most`."""
    known = _SCOPES[: _SCOPES.index(most) + 1]
    return Field(
        name="scope",
        label=_W.scope,
        kind="radio",
        options=[Option(one, _W.scopes[one]) for one in known],
        value=sent.text("scope", usual),
    )


def limit_fields(desk: Desk, sent: Posted) -> list[Field]:
    """Teams and tags that they may change; empty: all."""
    teams = offered_by(desk.fleet).teams
    return [
        Field(
            name="teams",
            label=_W.limit_teams,
            value=", ".join(sent.lines("teams")),
            hint=_W.limit_hint,
            suggestions=teams,
        ),
        Field(
            name="tags",
            label=_W.limit_tags,
            value=", ".join(sent.lines("tags")),
            hint=_W.limit_hint,
        ),
    ]


@route("/users", http_method=BOTH, include_in_schema=False, opt=needs("admin"))
async def users(
    request: Asked, fleet: TheFleet, office: TheOffice, principal: ThePrincipal
) -> Shown:
    """All users, and a link that makes one."""
    desk = Desk(request, fleet, principal)
    sent = await desk.sent()
    form = Form(
        title=_W.invite,
        path=_BACK,
        back="/account",
        groups=[
            Group(fields=[scope_field(sent or Posted()), limit_fields(desk, sent or Posted())[0]])
        ],
        buttons=(Button("invite", _W.make_link, "main"),),
    )
    found = office.users()
    shown: dict[str, Any] = {
        "users": found[:MOST_ROWS],
        "left": max(0, len(found) - MOST_ROWS),
        "link": "",
    }
    if sent is None:
        return desk.page(form, template="users.html", **shown)
    try:
        scope = scope_of(sent.text("scope"))
        secret = await office.invite(principal, scope, sent.lines("teams"))
    except ChangeError as error:
        return desk.refused(form, error, template="users.html", **shown)
    shown["link"] = f"{desk.base}/welcome?invitation={secret}"
    return desk.page(form, template="users.html", **shown)


def _user_groups(desk: Desk, sent: Posted, user: UserSeen | None) -> list[Group]:
    name = Field(
        name="name",
        label=_W.user_name,
        value=sent.text("name"),
        hint=_W.user_name_hint,
        is_needed=True,
        most=100,
    )
    password = Field(
        name="password",
        label=_W.password if user is None else _W.new_password,
        kind="password",
        autocomplete="new-password",
        hint=_W.password_hint if user is None else _W.new_password_hint,
    )
    disabled = Field(
        name="disabled", label=_W.disabled, kind="checkbox", value=sent.text("disabled")
    )
    return [
        Group(
            fields=[
                *([name] if user is None else []),
                scope_field(sent),
                *limit_fields(desk, sent),
                password,
                *([] if user is None else [disabled]),
            ]
        )
    ]


def _wanted(sent: Posted, *, is_new: bool) -> WantedUser:
    password: str | Any = sent.raw("password") or (None if is_new else UNSET)
    return WantedUser(
        scope=scope_of(sent.text("scope")),
        teams=sent.lines("teams"),
        tags=sent.lines("tags"),
        disabled=UNSET if is_new else sent.flag("disabled"),
        password=password,
    )


@route("/users/new", http_method=BOTH, include_in_schema=False, opt=needs("admin"))
async def new(request: Asked, fleet: TheFleet, office: TheOffice, principal: ThePrincipal) -> Shown:
    """A user with a password that an admin has chosen, or without."""
    desk = Desk(request, fleet, principal)
    sent = await desk.sent()
    form = Form(
        title=_W.new_user,
        path="/users/new",
        back=_BACK,
        groups=_user_groups(desk, sent or Posted(), None),
        buttons=(Button("", _W.save, "main"),),
    )
    if sent is None:
        return desk.page(form)
    try:
        await office.put_user(principal, sent.text("name"), _wanted(sent, is_new=True), 0)
    except ChangeError as error:
        if error.version:
            taken = [FieldError(field="name", message=_W.user_taken)]
            return desk.page(with_errors(form, taken), status=HTTPStatus.CONFLICT)
        return desk.refused(form, error)
    return desk.done(_BACK, "user-saved")


@route("/users/{name:str}", http_method=BOTH, include_in_schema=False, opt=needs("admin"))
async def edit(
    request: Asked, fleet: TheFleet, office: TheOffice, principal: ThePrincipal, name: Id
) -> Shown:
    """Changes a user, or removes them."""
    desk = Desk(request, fleet, principal)
    user = next((one for one in office.users() if one.name == name), None)
    if user is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, fill(_W.no_user, name=name[:80]))
    sent = await desk.sent()
    if sent is not None and sent.text("do") in {"remove", "removed"}:
        return await _removed(desk, office, user, sent)
    form = Form(
        title=user.name,
        path=path("users", user.name),
        back=_BACK,
        intro=(_told(desk, user),),
        groups=_user_groups(desk, _sent_of(user) if sent is None else sent, user),
        hidden=(("version", f"{user.version}"),),
        buttons=(Button("", _W.save, "main"), Button("remove", _W.remove, "danger")),
    )
    if sent is None:
        return desk.page(form)
    try:
        await office.put_user(principal, user.name, _wanted(sent, is_new=False), _version(sent))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(_BACK, "user-saved")


async def _removed(desk: Desk, office: TheOffice, user: UserSeen, sent: Posted) -> Shown:
    form = Form(
        title=fill(_W.remove_user, name=user.name),
        path=path("users", user.name),
        back=path("users", user.name),
        intro=(_W.remove_user_note,),
        hidden=(("version", f"{user.version}"),),
        buttons=(Button("removed", _W.remove, "danger"),),
    )
    if sent.text("do") == "remove":
        return desk.page(form)
    try:
        await office.remove_user(desk.who, user.name, _version(sent))
    except ChangeError as error:
        return desk.refused(form, error)
    return desk.done(_BACK, "user-removed")


def _told(desk: Desk, user: UserSeen) -> str:
    since = fill(_W.user_since, time=desk.viewer.moment_with_utc(user.created_at))
    now = many(_W.signed_in, user.sessions) if user.sessions else _W.not_signed_in
    return f"{since} {now}"


def _sent_of(user: UserSeen) -> Posted:
    return Posted(
        [
            ("scope", user.scope),
            ("teams", "\n".join(user.teams)),
            ("tags", "\n".join(user.tags)),
            ("disabled", "1" if user.disabled else "0"),
        ]
    )


def _version(sent: Posted) -> int:
    text = sent.text("version")
    return int(text) if text.isdecimal() and len(text) < _DIGITS else 0


USER_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (users, new, edit)
