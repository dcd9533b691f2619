"""Status pages: read and changed."""

from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import quote

import msgspec
from litestar import Response, delete, get, patch, put
from litestar.params import PathParameter
from msgspec import Struct
from msgspec.structs import replace

from portquorum.changing.errors import ChangeError
from portquorum.changing.status_edits import PageSeen, StatusEdits, WantedPage
from portquorum.editing.entries import merge_patch
from portquorum.status_editing.page_rules import seen, wanted_of
from portquorum.web.access.needs import needs
from portquorum.web.api.bodies import JSON, MERGE_PATCH, Asked, as_struct, body_of, object_of
from portquorum.web.api.changes import changes, versioned
from portquorum.web.api.conditions import etag_of, version_wanted
from portquorum.web.api.entries import json_answer
from portquorum.web.parts import ThePrincipal, TheStatusEdits
from portquorum.web.problem import ProblemError
from schemas.web import StatusPage

PATH: Final = "/api/v1/status-pages"
PageSlug = Annotated[
    str, PathParameter(description="The page's name in its address.", max_length=63)
]
_WRITES: Final = {409: "Somebody else changed it at the same time."}
_SECRET: Final = "password"  # noqa: S105 - the name of a field


class PagesAnswer(Struct, frozen=True, kw_only=True):
    """All status pages, by slug."""

    pages: tuple[PageSeen, ...]


@get(
    "/status-pages",
    operation_id="status_pages",
    summary="All status pages",
    tags=["status pages"],
    opt=needs("viewer"),
)
async def status_pages(status_edits: TheStatusEdits) -> Response[PagesAnswer]:
    """As they were written, with the ids of their targets. What readers see is `/status/SLUG`."""
    found = PagesAnswer(pages=tuple(seen(one) for one in status_edits.pages()))
    return json_answer(found, Cache_Control="no-store")


@get(
    "/status-pages/{slug:str}",
    operation_id="status_page",
    summary="A status page as it was written",
    tags=["status pages"],
    opt=versioned("viewer"),
)
async def status_page(status_edits: TheStatusEdits, slug: PageSlug) -> Response[PageSeen]:
    """`ETag` is its version; `entry` is what PUT takes."""
    return _answer(page_of(status_edits, slug))


@put(
    "/status-pages/{slug:str}",
    operation_id="put_status_page",
    summary="Make or replace a status page",
    tags=["status pages"],
    opt=changes("admin", WantedPage, has_version=True, made=True, statuses=_WRITES),
)
async def put_status_page(
    request: Asked, principal: ThePrincipal, status_edits: TheStatusEdits, slug: PageSlug
) -> Response[PageSeen]:
    """The whole page; what is not written is as by default, but for the password, which stays.

    A component keeps its id (which badges, feeds and posts name) if it is written with it, or has
    its name or its targets still. The same page again changes nothing.
    """
    wanted = await body_of(request, WantedPage)
    present = version_of(status_edits, slug)
    version = version_wanted(request, present)
    made = await status_edits.put_page(principal, slug, wanted, version)
    return _answer(made, is_new=not present)


@patch(
    "/status-pages/{slug:str}",
    operation_id="patch_status_page",
    summary="Change fields of a status page",
    tags=["status pages"],
    opt=changes(
        "admin", WantedPage, media_types=(MERGE_PATCH, JSON), has_version=True, statuses=_WRITES
    ),
)
async def patch_status_page(
    request: Asked, principal: ThePrincipal, status_edits: TheStatusEdits, slug: PageSlug
) -> Response[PageSeen]:
    """Merges fields into the page (RFC 7396): null takes one away, what is left out stays."""
    merge = await object_of(request, (MERGE_PATCH, JSON))
    page = page_of(status_edits, slug)
    version = version_wanted(request, page.version)
    merged = merge_patch(msgspec.to_builtins(wanted_of(page)), merge)
    wanted = as_struct(merged, WantedPage)
    if _SECRET in merge and merge[_SECRET] is None:
        wanted = replace(wanted, password=None)
    try:
        return _answer(await status_edits.put_page(principal, slug, wanted, page.version))
    except ChangeError as error:
        raise (error if version is not None else without_condition(error)) from error


@delete(
    "/status-pages/{slug:str}",
    operation_id="delete_status_page",
    summary="Remove a status page",
    tags=["status pages"],
    opt=changes("admin", has_version=True, statuses=_WRITES),
)
async def delete_status_page(
    request: Asked, principal: ThePrincipal, status_edits: TheStatusEdits, slug: PageSlug
) -> None:
    """Nobody sees it any more; its keys let nobody in."""
    wanted = version_wanted(request, version_of(status_edits, slug))
    await status_edits.remove_page(principal, slug, wanted)


def version_of(status_edits: StatusEdits, slug: str) -> int:
    """The present version of a page, 0: there is none."""
    found = status_edits.page(slug)
    return 0 if found is None else found.version


def without_condition(error: ChangeError) -> ChangeError:
    """The error of a merge for which somebody else was first, although it had no condition."""
    if error.status != HTTPStatus.PRECONDITION_FAILED:
        return error
    return ChangeError(HTTPStatus.CONFLICT, error.detail, version=error.version)


def page_of(status_edits: StatusEdits, slug: str) -> StatusPage:
    """A page by its slug.

    Raises:
        ProblemError: 404.
    """
    found = status_edits.page(slug)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no status page {slug[:63]!r}")
    return found


def _answer(page: StatusPage, *, is_new: bool = False) -> Response[PageSeen]:
    tag = etag_of(page.version)
    if not is_new:
        return json_answer(seen(page), ETag=tag)
    place = f"{PATH}/{quote(page.slug, safe='')}"
    return json_answer(seen(page), HTTPStatus.CREATED, ETag=tag, Location=place)
