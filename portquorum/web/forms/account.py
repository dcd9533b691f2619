"""Who one is here: the own password, where one has signed in, and the way out."""

from typing import Final

from litestar import route
from litestar.types import ControllerRouterHandler

from portquorum.changing.errors import ChangeError, FieldError
from portquorum.web.access.needs import needs
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Button, Field, Form, Group, with_errors
from portquorum.web.forms.incident_forms import BOTH, Shown
from portquorum.web.pages.asked import Asked
from portquorum.web.parts import TheFleet, TheOffice, ThePrincipal
from portquorum.web.words import ENGLISH

_W: Final = ENGLISH.forms
_TEMPLATE: Final = "account.html"


def _form() -> Form:
    return Form(
        title=_W.change_password,
        path="/account",
        back="/account",
        groups=[
            Group(
                fields=[
                    Field(
                        name="old",
                        label=_W.old_password,
                        kind="password",
                        autocomplete="current-password",
                        is_needed=True,
                    ),
                    Field(
                        name="new",
                        label=_W.new_password,
                        kind="password",
                        autocomplete="new-password",
                        hint=_W.new_password_rule,
                        is_needed=True,
                    ),
                    Field(
                        name="again",
                        label=_W.password_again,
                        kind="password",
                        autocomplete="new-password",
                        is_needed=True,
                    ),
                ]
            )
        ],
        buttons=(Button("password", _W.change_password, "main"),),
    )


@route("/account", http_method=BOTH, include_in_schema=False, opt=needs("viewer"))
async def account(
    request: Asked, fleet: TheFleet, office: TheOffice, principal: ThePrincipal
) -> Shown:
    """Who one is, and what one may do."""
    desk = Desk(request, fleet, principal)
    sent = await desk.sent()
    form = _form()
    sessions = () if principal.via == "local" else office.sessions(principal)
    if sent is None:
        return desk.page(form, template=_TEMPLATE, sessions=sessions)
    try:
        if sent.text("do") == "end":
            await office.end_session(principal, sent.text("session"))
            return desk.done("/account", "session-ended")
        if sent.raw("new") != sent.raw("again"):
            wrong = with_errors(form, [FieldError(field="again", message=_W.not_the_same)])
            return desk.wrong(wrong, template=_TEMPLATE, sessions=sessions)
        await office.change_password(principal, sent.raw("old"), sent.raw("new"))
    except ChangeError as error:
        return desk.refused(form, error, template=_TEMPLATE, sessions=sessions)
    return desk.done("/account", "password-changed")


ACCOUNT: Final[tuple[ControllerRouterHandler, ...]] = (account,)
