"""Conditional changes: `If-Match` and `If-None-Match` with versions as strong ETags (RFC 9110)."""

import re
from http import HTTPStatus
from typing import Final

from litestar import Request
from litestar.datastructures import State as AppState

from portquorum.changing.errors import FieldError
from portquorum.web.problem import ProblemError

Asked = Request[None, None, AppState]

_TAG: Final = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')
_ANY: Final = "*"


def etag_of(version: int) -> str:
    """The strong ETag of a version: the same bytes mean the same edit."""
    return f'"{version}"'


def version_wanted(request: Asked, present: int) -> int | None:
    """The version that a change expects to replace; 0: there must be none, None: any.

    `present` is the version that is known now, 0: there is none. A change without a condition is
    done whatever is there; one whose condition fails is not tried. What is returned goes to the
    change itself, which says 412 if somebody else is first.

    Raises:
        ProblemError: 412, a condition fails (RFC 9110, section 13.2.2); 400, it is no list of tags.
    """
    match = _tags(request, "If-Match")
    none_match = _tags(request, "If-None-Match")
    if match is None and none_match is None:
        return None
    if match is not None and not _holds(match, present, weak=False):
        raise _failed("If-Match", present)
    if none_match is not None and _holds(none_match, present, weak=True):
        raise _failed("If-None-Match", present)
    return present


Tags = list[tuple[bool, str]] | str
"""Weak or not, and the tag without its quotes; or `*`."""


def _holds(tags: Tags, present: int, *, weak: bool) -> bool:
    if isinstance(tags, str):
        return present > 0
    return present > 0 and any(
        tag == str(present) and (weak or not is_weak) for is_weak, tag in tags
    )


def _tags(request: Asked, name: str) -> Tags | None:
    given = request.headers.getall(name, [])
    if not given:
        return None
    text = ",".join(given).strip()
    if text == _ANY:
        return _ANY
    found: list[tuple[bool, str]] = []
    at = 0
    while (tag := _TAG.match(text, at)) is not None:
        found.append((tag[1] is not None, tag[2]))
        at = tag.end()
        if at == len(text):
            return found
        if text[at] != ",":
            break
        at += 1
    message = f'expected "VERSION" as in ETag (with its quotes), or *, found {text[:80]!r}'
    raise ProblemError(
        HTTPStatus.BAD_REQUEST,
        f"{name}: {message}",
        errors=(FieldError(field=name, message=message),),
    )


def _failed(name: str, present: int) -> ProblemError:
    there = f"its version is {present} now" if present else "there is none"
    return ProblemError(
        HTTPStatus.PRECONDITION_FAILED,
        f"{name}: nothing was changed, {there}; read it again and decide anew",
        version=present,
        headers={"ETag": etag_of(present)} if present else {},
    )
