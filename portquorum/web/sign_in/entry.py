"""What the routes of sign-in share: what they ask, and how a browser comes in."""

from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Struct

from portquorum.access.rules import AccessRules
from portquorum.journal.protocol import Journal
from portquorum.web.access.asker import headers_of
from portquorum.web.access.cookies import SESSION, cookie, set_cookie
from portquorum.web.access.visit import Visit, visit_of
from portquorum.web.pages.address import local_path
from portquorum.web.sign_in.attempts import Attempts
from portquorum.web.sign_in.invitations import Invitations
from portquorum.web.sign_in.provider import OidcProvider
from portquorum.web.sign_in.sessions import MAX_AGE_S, Sessions

Asked = Request[Any, Any, Any]
NO_STORE: Final = {"Cache-Control": "no-store"}
_LONGEST_NEXT: Final = 4096
_OF_SIGN_IN: Final = ("/login", "/logout", "/welcome", "/oidc/start", "/oidc/callback")


class SignIn(Struct, frozen=True):
    """What the routes of sign-in ask."""

    journal: Journal
    rules: AccessRules
    sessions: Sessions
    attempts: Attempts
    invitations: Invitations
    provider: OidcProvider | None = None


TheSignIn = NamedDependency[SkipValidation[SignIn]]
"""A parameter `sign_in`."""


def leading_to(back: str, secret: str, visit: Visit) -> Response[str]:
    """To a page of ours, with the cookie of a new session."""
    return Response(
        "",
        status_code=HTTPStatus.SEE_OTHER,
        headers={**NO_STORE, "Location": back},
        cookies=[set_cookie(SESSION, secret, is_secure=visit.is_secure, max_age_s=MAX_AGE_S)],
    )


def next_of(text: str) -> str:
    """Where to go after the sign-in: a path on this server, which is no page of sign-in."""
    found = local_path(text[:_LONGEST_NEXT])
    return "/" if found.split("?")[0] in _OF_SIGN_IN else found


def session_cookie(request: Asked) -> str:
    """The session that the browser has, if it has one."""
    is_secure = visit_of(request.scope).is_secure
    return cookie(headers_of(request.scope), SESSION, is_secure=is_secure)


def address_of(visit: Visit, rules: AccessRules) -> str:
    """The client's address; empty if a proxy does not say it."""
    asker = visit.asker
    return "" if asker is None or rules.trusts(asker.address) else asker.address
