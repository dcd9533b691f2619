"""Errors as the API tells them: problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import Struct

from portquorum.changing.errors import FieldError

MEDIA_TYPE: Final = "application/problem+json"
ALERTMANAGER: Final = "/api/v2/"
"""Where Alertmanager's API is; everything else under `/api/` is ours."""
RETRY_AFTER: Final[Mapping[str, str]] = {"Retry-After": "15"}
"""The header that says when to ask again, in s, for what is away, too slow or too much."""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error (RFC 9457). `title` is the status in words, `detail` one sentence for people.

    `errors` names each wrong parameter. `since` (UTC ms): from when on the history is away.
    `version`: the present one of what somebody else has changed.
    """

    title: str
    status: int
    detail: str = ""
    errors: tuple[FieldError, ...] = ()
    since: int | None = None
    version: int | None = None


class ProblemError(Exception):
    """Ends a request with a problem.

    Raised by handlers; `headers` are those of the answer, beside the usual ones.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        since: int | None = None,
        version: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`detail` is one sentence."""
        super().__init__(detail)
        self.problem = problem(status, detail, errors=errors, since=since, version=version)
        self.headers = dict(headers or {})


def problem(
    status: HTTPStatus,
    detail: str,
    *,
    errors: tuple[FieldError, ...] = (),
    since: int | None = None,
    version: int | None = None,
) -> Problem:
    """A problem with the title of its status."""
    return Problem(
        title=status.phrase,
        status=int(status),
        detail=detail,
        errors=errors,
        since=since,
        version=version,
    )


def encoded(found: Problem) -> bytes:
    """The problem as JSON."""
    return msgspec.json.encode(found)


def told(path: str, found: Problem) -> tuple[str, bytes]:
    """Media type and body of a problem, as programs expect it at a path.

    Alertmanager's API knows errors as one JSON string alone.
    """
    if path.startswith(ALERTMANAGER):
        return "application/json", msgspec.json.encode(found.detail or found.title)
    return MEDIA_TYPE, encoded(found)


def wrong_field(name: str, message: str) -> ProblemError:
    """400 because of one parameter."""
    return ProblemError(
        HTTPStatus.BAD_REQUEST,
        f"{name}: {message}",
        errors=(FieldError(field=name, message=message),),
    )
