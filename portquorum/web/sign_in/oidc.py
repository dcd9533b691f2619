"""The routes `/oidc/start` and `/oidc/callback`: what of a sign-in belongs to this browser.

State, nonce and PKCE's verifier are in a cookie for ten minutes: the answer of the provider counts
only in the browser that has asked, and only once.
"""

import base64
import hmac
import time
from http import HTTPStatus
from typing import Final

import msgspec
from litestar import Response, get
from litestar.datastructures import Cookie

from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError
from portquorum.web.access.asker import headers_of
from portquorum.web.access.cookies import cookie, set_cookie
from portquorum.web.access.door import UNREAD
from portquorum.web.access.known import by_name, user_named
from portquorum.web.access.needs import needs
from portquorum.web.access.visit import visit_of
from portquorum.web.problem import RETRY_AFTER, ProblemError
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
from portquorum.web.sign_in.provider import (
    Pending,
    ProviderAwayError,
    ProviderRefusedError,
    code_of,
)

COOKIE: Final = "portquorum_oidc"
WITHIN_S: Final = 600
"""A person signs in at the provider within this time."""

NO_PROVIDER: Final = "there is no provider: PORTQUORUM_WEB_OIDC_ISSUER is not set"
NOT_BEGUN: Final = (
    "this sign-in was not begun in this browser, or more than 10 minutes ago: begin it again"
)
_LONGEST: Final = 4096


@get("/oidc/start", include_in_schema=False, opt=needs("public"))
async def oidc_start(request: Asked, sign_in: TheSignIn) -> Response[str]:
    """Sends the browser to the provider."""
    if sign_in.provider is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, NO_PROVIDER)
    back = next_of(request.query_params.get("next", ""))
    try:
        url, pending = await sign_in.provider.begin(_redirect_uri(request), back)
    except ProviderAwayError as error:
        raise _away(error) from error
    except ProviderRefusedError as error:
        raise ProblemError(HTTPStatus.BAD_GATEWAY, str(error)) from error
    is_secure = visit_of(request.scope).is_secure
    kept = set_cookie(COOKIE, _packed(pending), is_secure=is_secure, max_age_s=WITHIN_S)
    return Response(
        "",
        status_code=HTTPStatus.SEE_OTHER,
        headers={**NO_STORE, "Location": url},
        cookies=[kept],
    )


@get("/oidc/callback", include_in_schema=False, opt=needs("public"))
async def oidc_callback(request: Asked, sign_in: TheSignIn) -> Response[str]:
    """Takes the provider's answer, and signs in whom it names."""
    if sign_in.provider is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, NO_PROVIDER)
    visit = visit_of(request.scope)
    asked = request.query_params
    pending = _pending(request)
    if pending is None or not hmac.compare_digest(
        pending.state.encode(), asked.get("state", "").encode()
    ):
        raise ProblemError(HTTPStatus.BAD_REQUEST, NOT_BEGUN)
    code = asked.get("code", "")[:_LONGEST]
    if "error" in asked or not code:
        said = code_of(asked.get("error", "")) or "no reason given"
        raise _over(request, HTTPStatus.FORBIDDEN, f"the provider did not sign you in: {said}")
    try:
        named = await sign_in.provider.finish(
            code, asked.get("iss", ""), _redirect_uri(request), pending
        )
    except ProviderAwayError as error:
        raise _away(error) from error
    except ProviderRefusedError as error:
        raise _over(request, HTTPStatus.FORBIDDEN, str(error)) from error
    found = _principal(sign_in, named.name, named.groups)
    if isinstance(found, str):
        raise _over(request, HTTPStatus.FORBIDDEN, found)
    is_user = user_named(sign_in.journal.book, named.name) is not None
    try:
        secret = await sign_in.sessions.of_provider(
            found,
            address_of(visit, sign_in.rules),
            session_cookie(request),
            is_user=is_user,
        )
    except ChangeError as error:
        raise ProblemError(error.status, error.detail, headers=RETRY_AFTER) from error
    answer = leading_to(next_of(pending.back), secret, visit)
    answer.set_cookie(_ended(request))
    return answer


def _principal(sign_in: SignIn, name: str, groups: tuple[str, ...]) -> Principal | str:
    """Who they are here; a sentence: why they may not come in."""
    if not sign_in.journal.is_present.is_set():
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, UNREAD, headers=RETRY_AFTER)
    return by_name(sign_in.journal.book, name, sign_in.rules.granted(groups), "oidc", "")


def _redirect_uri(request: Asked) -> str:
    """Of the address that the browser has; the provider knows the right ones."""
    return f"{str(request.base_url).rstrip('/')}/oidc/callback"


def _packed(pending: Pending) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(pending)).decode().rstrip("=")


def _pending(request: Asked) -> Pending | None:
    """What this browser has begun; None: nothing, or too long ago."""
    is_secure = visit_of(request.scope).is_secure
    written = cookie(headers_of(request.scope), COOKIE, is_secure=is_secure)
    try:
        padded = written + "=" * (-len(written) % 4)
        found = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=Pending)
    except (ValueError, msgspec.DecodeError):
        return None
    return found if 0 <= time.time() - found.begun_at <= WITHIN_S and found.state else None


def _ended(request: Asked) -> Cookie:
    """Takes the cookie away: an answer counts once."""
    is_secure = visit_of(request.scope).is_secure
    return set_cookie(COOKIE, "", is_secure=is_secure, max_age_s=0)


def _over(request: Asked, status: HTTPStatus, why: str) -> ProblemError:
    headers = {"Set-Cookie": _ended(request).to_header(header="")}
    return ProblemError(status, why, headers=headers)


def _away(error: ProviderAwayError) -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"{error}; signing in by a password goes on",
        headers=RETRY_AFTER,
    )
