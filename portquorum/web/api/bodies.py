"""The body of a request: JSON of one kind, or a problem that names each wrong field."""

import asyncio
import difflib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request
from litestar.datastructures import State as AppState
from litestar.exceptions import HTTPException, InternalServerException
from msgspec import Struct

from portquorum.changing.errors import FieldError
from portquorum.inventory.document import MaintenanceEntry, TargetEntry
from portquorum.inventory.errors import path_text
from portquorum.inventory.explain import explain
from portquorum.inventory.shorthand import spelled_out
from portquorum.web.problem import ProblemError

Asked = Request[None, None, AppState]
T = TypeVar("T", bound=Struct)

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
"""RFC 7396."""

READ_S: Final = 10.0
"""A body must be here within this time."""
MOST_ERRORS: Final = 50
_ENTRIES: Final[tuple[type[Struct], ...]] = (TargetEntry, MaintenanceEntry)
_NO_FIELD: Final = "no such field; there are "
_WHOLE: Final = ""
"""The field of an error that is of the whole body."""


async def body_of(request: Asked, kind: type[T]) -> T:
    """The body as a `kind`; an absent one is an object without fields.

    Raises:
        ProblemError: 400 with each wrong field, 408, 413, 415.
    """
    return as_struct(await object_of(request), kind)


async def object_of(request: Asked, media_types: Sequence[str] = (JSON,)) -> dict[str, Any]:
    """The JSON object of the body.

    Raises:
        ProblemError: as of `body_of`.
    """
    raw = await raw_of(request)
    if not raw:
        return {}
    _check_media_type(request, media_types)
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise _wrong_body(f"expected JSON in UTF-8: {error}") from error
    if not isinstance(found, dict):
        raise _wrong_body("expected a JSON object, found another value")
    return found


async def raw_of(request: Asked) -> bytes:
    """The bytes of the body.

    Raises:
        ProblemError: 408, it did not come; 413, it is too large.
    """
    try:
        async with asyncio.timeout(READ_S):
            return await request.body()
    except TimeoutError as error:
        expected = f"expected the whole body within {READ_S:.0f} s"
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, expected) from error
    except InternalServerException as error:  # the client is gone: nobody reads this
        raise _wrong_body("the body is not whole") from error
    except HTTPException as error:
        if error.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        expected = "expected a body of at most 1 MB, found a larger one"
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, expected) from error


def as_struct(found: Mapping[str, Any], kind: type[T]) -> T:
    """An object of JSON as a `kind`; entries of an inventory may be as short as in a file.

    Raises:
        ProblemError: 400 with each wrong field.
    """
    rest = _spelled_out(found, kind)
    errors: dict[str, FieldError] = {}
    while len(errors) < MOST_ERRORS:
        try:
            made = msgspec.convert(rest, kind)
        except msgspec.ValidationError as error:
            path, message = explain(str(error), rest, kind)
            top = str(path[0]) if path else _WHOLE
            if top not in errors:
                # What was wrong was taken out: that it is missing now is no second fault.
                errors[top] = FieldError(field=path_text(path), message=_hinted(path, message))
            if top not in rest:
                break
            rest.pop(top)
        else:
            if not errors:
                return made
            break
    raise wrong_fields(tuple(errors.values()))


def _spelled_out(found: Mapping[str, Any], kind: type[T]) -> dict[str, Any]:
    if kind not in _ENTRIES:
        return dict(found)
    try:
        msgspec.convert(found, kind)
    except msgspec.ValidationError:
        return spelled_out(found, kind)
    return dict(found)


def wrong_fields(errors: Sequence[FieldError]) -> ProblemError:
    """400 because of some fields."""
    said = "; ".join(f"{one.field}: {one.message}" for one in errors[:5])
    return ProblemError(HTTPStatus.BAD_REQUEST, said, errors=tuple(errors))


def _hinted(path: Sequence[str | int], message: str) -> str:
    """A message, and for an unknown field the one that may have been meant."""
    if not message.startswith(_NO_FIELD):
        return message
    known = message.removeprefix(_NO_FIELD).split(", ")
    alike = difflib.get_close_matches(str(path[-1])[:100], known, 1)
    return f"no such field; did you mean `{alike[0]}`?" if alike else message


def _check_media_type(request: Asked, media_types: Sequence[str]) -> None:
    written = request.headers.get("content-type", "")
    name, *parameters = (part.strip().lower() for part in written.split(";"))
    encoded = request.headers.get("content-encoding", "identity").strip().lower()
    charsets = [part for part in parameters if part.startswith("charset=")]
    in_utf8 = all(part.replace('"', "") == "charset=utf-8" for part in charsets)
    if name in media_types and encoded == "identity" and in_utf8:
        return
    expected = " or ".join(media_types)
    found = repr(written[:80]) if written else "none"
    if encoded != "identity":
        expected, found = f"{expected} that is not packed", f"Content-Encoding {encoded[:40]!r}"
    accept = "Accept-Patch" if request.method == "PATCH" else "Accept"
    raise ProblemError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"expected Content-Type {expected}, found {found}",
        headers={accept: ", ".join(media_types)},
    )


def _wrong_body(message: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.BAD_REQUEST, message, errors=(FieldError(field=_WHOLE, message=message),)
    )
