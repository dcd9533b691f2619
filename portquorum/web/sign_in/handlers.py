"""The routes of sign-in: `/login`, `/logout`, `/welcome`."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response, Router, get, post
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from portquorum.access.passwords import Passwords
from portquorum.access.rules import AccessRules
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.journal.protocol import Journal
from portquorum.web.access.cookies import SESSION, set_cookie
from portquorum.web.access.csrf import token
from portquorum.web.access.known import has_users
from portquorum.web.access.needs import needs
from portquorum.web.access.visit import Visit, visit_of
from portquorum.web.errors import of_change
from portquorum.web.pages.rendering import render_bare
from portquorum.web.pages.viewer import Viewer, viewer_of
from portquorum.web.problem import ProblemError
from portquorum.web.sign_in.attempts import Attempts
from portquorum.web.sign_in.entry import (
    NO_STORE,
    Asked,
    SignIn,
    TheSignIn,
    address_of,
    leading_to,
    next_of,
    session_cookie,
)
from portquorum.web.sign_in.invitations import Invitations
from portquorum.web.sign_in.oidc import oidc_callback, oidc_start
from portquorum.web.sign_in.provider import OidcProvider
from portquorum.web.sign_in.sessions import Sessions, wall_ms
from portquorum.web.words import ENGLISH

MOST_BODY: Final = 16_384
"""Bytes of a form of a stranger."""


@get("/login", include_in_schema=False, opt=needs("public"))
async def login_page(request: Asked, sign_in: TheSignIn) -> Response[str]:
    """The form; who is signed in already is told so."""
    return _login(request, sign_in, next_of(request.query_params.get("next", "")))


@post(
    "/login",
    include_in_schema=False,
    opt=needs("public"),
    status_code=HTTPStatus.SEE_OTHER,
    request_max_body_size=MOST_BODY,
)
async def login(request: Asked, sign_in: TheSignIn) -> Response[str]:
    """Signs in by name and password, and leads back to where one wanted to go."""
    form = await request.form()
    name, password = _field(form, "name"), _field(form, "password")
    back = next_of(_field(form, "next"))
    visit = visit_of(request.scope)
    address = address_of(visit, sign_in.rules)
    try:
        user = await sign_in.attempts.user_of(name, password, address)
        secret = await sign_in.sessions.of_user(user, address, session_cookie(request))
    except ProblemError as error:
        return _login(request, sign_in, back, error, name)
    except ChangeError as error:
        return _login(request, sign_in, back, of_change(error), name)
    return leading_to(back, secret, visit)


@post("/logout", include_in_schema=False, opt=needs("public"), status_code=HTTPStatus.SEE_OTHER)
async def logout(request: Asked, sign_in: TheSignIn) -> Response[str]:
    """Ends this browser's session; pages that the browser keeps are dropped."""
    visit = visit_of(request.scope)
    secret = session_cookie(request)
    if secret:
        await sign_in.sessions.end(secret)
    return Response(
        "",
        status_code=HTTPStatus.SEE_OTHER,
        headers={
            **NO_STORE,
            "Location": "/login?done=signed_out",
            "Clear-Site-Data": '"cache"',
        },
        cookies=[set_cookie(SESSION, "", is_secure=visit.is_secure, max_age_s=0)],
    )


@get("/welcome", include_in_schema=False, opt=needs("public"))
async def welcome_page(request: Asked, sign_in: TheSignIn) -> Response[str]:
    """The form that makes a user, for who has the link."""
    return _welcome(request, sign_in, request.query_params.get("invitation", "")[:200])


@post(
    "/welcome",
    include_in_schema=False,
    opt=needs("public"),
    status_code=HTTPStatus.SEE_OTHER,
    request_max_body_size=MOST_BODY,
)
async def welcome(request: Asked, sign_in: TheSignIn) -> Response[str]:
    """Makes the user and signs them in."""
    form = await request.form()
    secret, name = _field(form, "invitation")[:200], _field(form, "name")
    visit = visit_of(request.scope)
    if _field(form, "password") != _field(form, "again"):
        return _welcome(request, sign_in, secret, _not_the_same(), name)
    try:
        user = await sign_in.invitations.user(secret, name, _field(form, "password"))
        address = address_of(visit, sign_in.rules)
        session = await sign_in.sessions.of_user(user, address, session_cookie(request))
    except ChangeError as error:
        return _welcome(request, sign_in, secret, error, name)
    return leading_to("/", session, visit)


def _not_the_same() -> ChangeError:
    wrong = FieldError(field="again", message=ENGLISH.not_the_same)
    return ChangeError(HTTPStatus.BAD_REQUEST, ENGLISH.not_the_same, errors=(wrong,))


def sign_in_routes(
    journal: Journal,
    rules: AccessRules,
    sign_in: SignIn | None = None,
    passwords: Passwords | None = None,
) -> Sequence[ControllerRouterHandler]:
    """The routes; `sign_in` is another one in tests, `passwords` that of the process."""
    passwords = passwords or Passwords()
    made = sign_in or SignIn(
        journal,
        rules,
        Sessions(journal),
        Attempts(journal, passwords),
        Invitations(journal, passwords),
        None if rules.provider is None else OidcProvider(rules.provider),
    )
    return [
        Router(
            "/",
            route_handlers=[
                *(login_page, login, logout, welcome_page, welcome),
                *(oidc_start, oidc_callback),
            ],
            dependencies={"sign_in": Provide(lambda: made, sync_to_thread=False)},
        )
    ]


def _login(
    request: Asked,
    sign_in: SignIn,
    back: str,
    error: ProblemError | None = None,
    name: str = "",
) -> Response[str]:
    visit = visit_of(request.scope)
    book = sign_in.journal.book
    provider = sign_in.rules.provider
    text = render_bare(
        "login.html",
        _viewer(request),
        csrf=_csrf(visit),
        back=back,
        name=name[:100],
        trouble="" if error is None else error.problem.detail,
        is_done=request.query_params.get("done") == "signed_out",
        who="" if visit.principal is None else visit.principal.name,
        has_users=has_users(book) or not sign_in.journal.is_present.is_set(),
        provider="" if provider is None else provider.name,
        start=f"/oidc/start?{urlencode({'next': back})}",
    )
    status = HTTPStatus.OK if error is None else error.problem.status
    headers = {**NO_STORE, **({} if error is None else error.headers)}
    return Response(text, status_code=status, media_type="text/html", headers=headers)


def _welcome(
    request: Asked,
    sign_in: SignIn,
    secret: str,
    error: ChangeError | None = None,
    name: str = "",
) -> Response[str]:
    found = sign_in.invitations.of(secret)
    if not sign_in.journal.is_present.is_set():
        error = ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, ENGLISH.not_yet)
    status = HTTPStatus.NOT_FOUND if found is None else HTTPStatus.OK
    if error is not None:
        status = error.status
    text = render_bare(
        "welcome.html",
        _viewer(request),
        csrf=_csrf(visit_of(request.scope)),
        invitation=found,
        secret=secret,
        name=name[:100],
        trouble="" if error is None else error.detail,
        wrong={} if error is None else {one.field: one.message for one in error.errors},
    )
    return Response(text, status_code=status, media_type="text/html", headers=NO_STORE)


def _viewer(request: Asked) -> Viewer:
    return viewer_of(request.cookies, wall_ms(), request.scope["path"])


def _csrf(visit: Visit) -> str:
    return token(visit.form_secret) if visit.form_secret else ""


def _field(form: Any, name: str) -> str:
    found = form.get(name, "")
    return found if isinstance(found, str) else ""
