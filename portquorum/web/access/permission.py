"""The guard of all routes: the scope of who asks, and the token of their form."""

from http import HTTPStatus
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from portquorum.access.principal import Principal
from portquorum.web.access.csrf import SAFE, has_token
from portquorum.web.access.needs import need_of
from portquorum.web.access.visit import Visit, visit_of
from portquorum.web.problem import RETRY_AFTER, ProblemError

SIGN_IN: Final = "expected a user or a token; sign in, or send Authorization: Bearer pq_…"
FORGED: Final = (
    "expected the token of this browser's form (field csrf or header X-CSRF-Token); load the form "
    "again and send it once more"
)
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="portquorum"'}


async def permission(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Lets a request through to its route.

    Raises:
        ProblemError: 401 (a stranger), 403 (the scope is not enough, or no token of a form), 503
            (nobody knows yet who may come in).
    """
    visit = visit_of(connection.scope)
    need = need_of(handler)
    if need != "public":
        if visit.principal is None:
            raise stranger(visit)
        if not visit.principal.may(need):
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                f"expected the scope {need}, found {visit.principal.scope}",
            )
    if connection.scope.get("method", "GET") not in SAFE and visit.form_secret:
        if not isinstance(connection, Request):
            raise ProblemError(HTTPStatus.FORBIDDEN, FORGED)
        if not await has_token(connection, visit.form_secret):
            raise ProblemError(HTTPStatus.FORBIDDEN, FORGED)


def stranger(visit: Visit) -> ProblemError:
    """What somebody hears who was not let in."""
    headers = {
        HTTPStatus.UNAUTHORIZED: _CHALLENGE,
        HTTPStatus.SERVICE_UNAVAILABLE: RETRY_AFTER,
    }.get(visit.status, {})
    return ProblemError(visit.status, visit.why or SIGN_IN, headers=headers)


def principal_of(request: Request[Any, Any, Any]) -> Principal:
    """The parameter `principal` of a handler.

    Raises:
        ProblemError: 401, a public route asks for somebody, and there is nobody.
    """
    visit = visit_of(request.scope)
    if visit.principal is None:
        raise stranger(visit)
    return visit.principal
