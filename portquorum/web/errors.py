"""What becomes of an error: problem details for programs, a page for people."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from http import HTTPStatus
from typing import Any, Final, Literal, get_args, get_origin
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from foundation import telemetry
from foundation.redact import redact
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.web.access.permission import stranger
from portquorum.web.access.visit import visit_of
from portquorum.web.fleet import CursorError
from portquorum.web.history.errors import (
    HistoryTooSlowError,
    HistoryUnavailableError,
    UnknownCursorError,
)
from portquorum.web.problem import (
    RETRY_AFTER,
    Problem,
    ProblemError,
    problem,
    told,
    wrong_field,
)

Asked = Request[None, None, State]
ErrorPage = Callable[[Asked, Problem], Response[str]]
"""Shows an error to a person; must not raise."""

_log: Final = telemetry.logger(__name__)
_HAS_GONE: Final = "client disconnected prematurely"
"""What Litestar calls a body that does not come to its end."""
_LATE: Final = "expected the whole body within some seconds, found a part of it"
_NOT_FOUND: Final = "there is nothing at this address"
_OF_NO_ROUTE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
_API_IS_THERE: Final = (
    "; the page /api lists what there is, /api/v1/openapi.json is the OpenAPI document of it"
)
_NO_SUCH_VALUE: Final = re.compile(r"Invalid enum value (.*)", re.DOTALL)
_MISSING: Final = re.compile(r"Missing required \w+ parameter '(\w+)'")
_PARAMETERS: Final = {
    "form": "format",
    "states": "state",
    "types": "type",
}
"""Parameters whose name in Python is another one."""


def error_handlers(error_page: ErrorPage | None) -> ExceptionHandlersMap:
    """Handlers of all exceptions."""

    def handler(
        explained: Callable[[Any], ProblemError],
    ) -> Callable[[Asked, Exception], Response[Any]]:
        return lambda request, error: _shown(request, explained(error), error_page)

    def of_http(request: Asked, error: HTTPException) -> Response[Any]:
        return _shown(request, _of_http(error, request), error_page)

    return {
        ProblemError: handler(lambda error: error),
        ChangeError: handler(of_change),
        HTTPException: of_http,
        CursorError: handler(_of_cursor),
        UnknownCursorError: handler(_of_cursor),
        HistoryUnavailableError: handler(_of_absence),
        HistoryTooSlowError: handler(_of_slowness),
        Exception: handler(_of_fault),
    }


def _shown(
    request: Asked, error: ProblemError, error_page: ErrorPage | None
) -> Response[bytes] | Response[str]:
    found = error.problem
    if _for_programs(request):
        media_type, body = told(request.scope["path"], found)
        return Response(
            body,
            status_code=found.status,
            media_type=media_type,
            headers={**error.headers, "Cache-Control": "no-store"},
        )
    if found.status == HTTPStatus.UNAUTHORIZED:
        return Response(
            "", status_code=HTTPStatus.SEE_OTHER, headers={"Location": sign_in(request)}
        )
    if error_page is None:
        return Response(
            f"{found.detail or found.title}\n",
            status_code=found.status,
            media_type="text/plain",
            headers=error.headers,
        )
    page = error_page(request, found)
    page.status_code = found.status
    page.headers.update(error.headers)
    return page


def sign_in(request: Asked) -> str:
    """The page to sign in, which leads back to what was asked for."""
    asked = request.scope["path"]
    query = request.scope["query_string"].decode("latin-1")
    return f"/login?{urlencode({'next': f'{asked}?{query}' if query else asked})}"


def _for_programs(request: Asked) -> bool:
    return request.scope["path"].startswith("/api/")


def _of_http(error: HTTPException, request: Asked) -> ProblemError:
    status = HTTPStatus(error.status_code)
    if status in _OF_NO_ROUTE and (visit := visit_of(request.scope)).principal is None:
        # Whoever is not let in does not hear either what there is.
        return stranger(visit)
    headers = error.headers if isinstance(error.headers, Mapping) else {}
    if status == HTTPStatus.BAD_REQUEST and isinstance(error.extra, list):
        return _of_fields(error.extra, request)
    if status == HTTPStatus.BAD_REQUEST and (missing := _MISSING.match(error.detail)):
        return wrong_field(missing[1], "expected, found none")
    if status == HTTPStatus.NOT_FOUND:
        there = _API_IS_THERE if _for_programs(request) else ""
        return ProblemError(status, f"{_NOT_FOUND}{there}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _of_half_a_body() if error.detail == _HAS_GONE else _of_fault(error)
    detail = error.detail
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"expected one of {headers.get('Allow', 'GET')} at this address"
    return ProblemError(status, detail, headers=headers)


def _of_half_a_body() -> ProblemError:
    """No fault of ours, and strangers fill no log by it."""
    return ProblemError(HTTPStatus.REQUEST_TIMEOUT, _LATE, headers={"Connection": "close"})


def _of_fields(found: list[Any], request: Asked) -> ProblemError:
    """Of Litestar's list of what does not validate."""
    there = request.route_handler.parsed_fn_signature.parameters
    errors = tuple(
        FieldError(
            field=_PARAMETERS.get(str(one.get("key", "")), str(one.get("key", ""))),
            message=_readable(
                str(one.get("message", "")),
                values_of(there[key].annotation) if (key := str(one.get("key"))) in there else [],
            ),
        )
        for one in found
        if isinstance(one, dict)
    )
    said = "; ".join(f"{one.field}: {one.message}" for one in errors)
    return ProblemError(HTTPStatus.BAD_REQUEST, said, errors=errors)


def _readable(message: str, values: Sequence[str]) -> str:
    """The words of msgspec, without its path into a value that people have not written.

    `values` are those of an enumeration.
    """
    said = message.partition(" - at `")[0]
    wrong = _NO_SUCH_VALUE.fullmatch(said)
    if wrong is None or not values:
        return said
    return f"expected {', '.join(values)}, found {wrong[1]}"


def values_of(annotation: Any) -> list[str]:
    """The values of the enumeration in a parameter's type, without the empty one."""
    if get_origin(annotation) is Literal:
        return [str(one) for one in get_args(annotation) if one]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(one.value) for one in annotation]
    return [value for one in get_args(annotation) for value in values_of(one)]


def of_change(error: ChangeError) -> ProblemError:
    """A change that was not made; the present version is its ETag, too."""
    headers = {} if error.version is None else {"ETag": f'"{error.version}"'}
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.update(RETRY_AFTER)
    return ProblemError(
        error.status,
        redact(error.detail),
        errors=error.errors,
        version=error.version,
        headers=headers,
    )


def _of_cursor(error: CursorError | UnknownCursorError) -> ProblemError:
    return wrong_field("cursor", str(error) or "expected a cursor of an earlier answer")


def _of_absence(error: HistoryUnavailableError) -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        redact(str(error)),
        since=error.since,
        headers=RETRY_AFTER,
    )


def _of_slowness(error: HistoryTooSlowError) -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        redact(str(error)),
        headers=RETRY_AFTER,
    )


def _of_fault(error: Exception) -> ProblemError:
    _log.error("a request failed", error=repr(error), exc_info=error)
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR, problem(HTTPStatus.INTERNAL_SERVER_ERROR, "").title
    )
