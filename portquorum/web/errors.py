"""What becomes of an error: problem details for programs, a page for people."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from foundation import telemetry
from foundation.redact import redact
from portquorum.web.fleet import CursorError
from portquorum.web.history.errors import (
    HistoryTooSlowError,
    HistoryUnavailableError,
    UnknownCursorError,
)
from portquorum.web.problem import (
    MEDIA_TYPE,
    RETRY_AFTER,
    FieldError,
    Problem,
    ProblemError,
    encoded,
    problem,
    wrong_field,
)

Asked = Request[None, None, State]
ErrorPage = Callable[[Asked, Problem], Response[str]]
"""Shows an error to a person; must not raise."""

_log: Final = telemetry.logger(__name__)
_NOT_FOUND: Final = "there is nothing at this address"
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

    return {
        ProblemError: handler(lambda error: error),
        HTTPException: handler(_of_http),
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
        return Response(
            encoded(found),
            status_code=found.status,
            media_type=MEDIA_TYPE,
            headers={**error.headers, "Cache-Control": "no-store"},
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


def _for_programs(request: Asked) -> bool:
    return request.scope["path"].startswith("/api/")


def _of_http(error: HTTPException) -> ProblemError:
    status = HTTPStatus(error.status_code)
    headers = error.headers if isinstance(error.headers, Mapping) else {}
    if status == HTTPStatus.BAD_REQUEST and isinstance(error.extra, list):
        return _of_fields(error.extra)
    if status == HTTPStatus.BAD_REQUEST and (missing := _MISSING.match(error.detail)):
        return wrong_field(missing[1], "expected, found none")
    if status == HTTPStatus.NOT_FOUND:
        return ProblemError(status, _NOT_FOUND)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return ProblemError(
            status, "expected GET or HEAD: nothing is changed here", headers=headers
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _of_fault(error)
    return ProblemError(status, error.detail, headers=headers)


def _of_fields(found: list[Any]) -> ProblemError:
    """Of Litestar's list of what does not validate."""
    errors = tuple(
        FieldError(
            field=_PARAMETERS.get(str(one.get("key", "")), str(one.get("key", ""))),
            message=_readable(str(one.get("message", ""))),
        )
        for one in found
        if isinstance(one, dict)
    )
    said = "; ".join(f"{one.field}: {one.message}" for one in errors)
    return ProblemError(HTTPStatus.BAD_REQUEST, said, errors=errors)


def _readable(message: str) -> str:
    """The words of msgspec, without its path into a value that people have not written."""
    return message.partition(" - at `")[0]


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
