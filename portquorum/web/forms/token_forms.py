"""Tokens of programs: made (the secret is shown once), listed, revoked."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from litestar import route
from litestar.types import ControllerRouterHandler

from portquorum.changing.errors import ChangeError, FieldError
from portquorum.changing.office import TokenShown, WantedToken
from portquorum.web.access.needs import needs
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, Option, with_errors
from portquorum.web.forms.incident_forms import BOTH, Shown
from portquorum.web.forms.posted import Posted
from portquorum.web.forms.user_forms import limit_fields, scope_field, scope_of
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.filters import refuse_unknown
from portquorum.web.pages.number_words import cut, fill, many
from portquorum.web.parts import TheFleet, TheOffice, ThePrincipal
from portquorum.web.problem import ProblemError
from portquorum.web.words import ENGLISH

_W: Final = ENGLISH.forms
_TEMPLATE: Final = "tokens.html"
MOST_ROWS: Final = 200
_DAYS: Final = ("7", "30", "90", "365", "0")


def _form(desk: Desk, sent: Posted) -> Form:
    days = Field(
        name="days",
        label=_W.ends_after,
        kind="select",
        options=[
            Option(one, many(_W.days, int(one)) if one != "0" else _W.never_ends) for one in _DAYS
        ],
        value=sent.text("days", "90"),
    )
    name = Field(
        name="name",
        label=_W.token_name,
        value=sent.text("name"),
        hint=_W.token_name_hint,
        is_needed=True,
        most=255,
    )
    scope = scope_field(sent, most=desk.who.scope)
    return Form(
        title=_W.new_token,
        path="/tokens",
        back="/account",
        groups=[Group(fields=[name, scope, *limit_fields(desk, sent), days])],
        buttons=(Button("add", _W.make_token, "main"),),
    )


def _revoke_form(token: TokenShown) -> Form:
    return Form(
        title=fill(_W.revoke_token, name=cut(token.name, 80)),
        path="/tokens",
        back="/tokens",
        intro=(_W.revoke_note,),
        hidden=(("token", token.id),),
        buttons=(Button("revoke", _W.revoke, "danger"),),
    )


@route("/tokens", http_method=BOTH, include_in_schema=False, opt=needs("viewer"))
async def tokens(
    request: Asked, fleet: TheFleet, office: TheOffice, principal: ThePrincipal
) -> Shown:
    """Tokens: one's own, or all of them for an admin."""
    desk = Desk(request, fleet, principal)
    refuse_unknown(desk.address, {"revoke": ()})
    sent = await desk.sent()
    found = office.tokens(principal)
    if sent is not None and sent.text("do") == "revoke":
        return await _revoked(desk, office, _named(found, sent.text("token")))
    shown: dict[str, Any] = {
        "tokens": found[:MOST_ROWS],
        "left": max(0, len(found) - MOST_ROWS),
        "made": None,
    }
    if sent is None:
        wanted = desk.address.value("revoke")
        if wanted:
            return desk.page(_revoke_form(_named(found, wanted)))
        return desk.page(_form(desk, Posted()), template=_TEMPLATE, **shown)
    form = _form(desk, sent)
    if not sent.text("name"):
        wrong = with_errors(form, [FieldError(field="name", message=_W.needed)])
        return desk.wrong(wrong, template=_TEMPLATE, **shown)
    try:
        shown["made"] = await office.add_token(principal, _wanted(sent))
    except ChangeError as error:
        return desk.refused(form, error, template=_TEMPLATE, **shown)
    shown["tokens"] = office.tokens(principal)[:MOST_ROWS]
    return desk.page(_form(desk, Posted()), template=_TEMPLATE, **shown)


def _wanted(sent: Posted) -> WantedToken:
    days = sent.text("days", "90")
    return WantedToken(
        name=sent.text("name"),
        scope=scope_of(sent.text("scope")),
        teams=sent.lines("teams"),
        tags=sent.lines("tags"),
        expires_in_days=int(days) if days in _DAYS else 90,
    )


async def _revoked(desk: Desk, office: TheOffice, token: TokenShown) -> Shown:
    try:
        await office.revoke_token(desk.who, token.id)
    except ChangeError as error:
        return desk.refused(_revoke_form(token), error)
    return desk.done("/tokens", "token-revoked")


def _named(found: Sequence[TokenShown], token: str) -> TokenShown:
    one = next((one for one in found if one.id == token), None)
    if one is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, fill(_W.no_token, id=token[:20]))
    return one


TOKEN_FORMS: Final[tuple[ControllerRouterHandler, ...]] = (tokens,)
