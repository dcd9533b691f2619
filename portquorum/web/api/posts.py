"""Posts on status pages: published, updated, removed."""

from http import HTTPStatus
from typing import Annotated, Final, Literal

from litestar import Response, delete, get, patch, post
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from portquorum.changing.status_edits import PostSeen, StatusEdits
from portquorum.status_editing.post_rules import is_over, seen
from portquorum.web.access.needs import needs
from portquorum.web.api.bodies import Asked, body_of
from portquorum.web.api.changes import changes, versioned
from portquorum.web.api.conditions import etag_of, version_wanted
from portquorum.web.api.entries import json_answer
from portquorum.web.api.parameters import Limit
from portquorum.web.api.post_bodies import PostBody, PostChangeBody
from portquorum.web.api.repeats import TheRepeats
from portquorum.web.parts import ThePrincipal, TheStatusEdits
from portquorum.web.problem import ProblemError
from schemas.web import StatusPost

PATH: Final = "/api/v1/posts"
PostId = Annotated[str, PathParameter(description="The post's id.", max_length=64)]
_WRITES: Final = {409: "Somebody else changed it at the same time."}


class PostsAnswer(Struct, frozen=True, kw_only=True):
    """Posts, the newest first; `next_before` is empty at the end, else `before` of the next."""

    posts: tuple[PostSeen, ...]
    next_before: str


@get("/posts", operation_id="posts", summary="Posts", tags=["status pages"], opt=needs("viewer"))
async def posts(
    status_edits: TheStatusEdits,
    page: Annotated[
        str, QueryParameter(max_length=63, description="Only those of this status page.")
    ] = "",
    status: Annotated[
        Literal["open", "over", "all"],
        QueryParameter(description="`open`: those that are not resolved or completed."),
    ] = "all",
    before: Annotated[
        str, QueryParameter(max_length=64, description="`next_before` of the answer before.")
    ] = "",
    limit: Limit = 100,
) -> Response[PostsAnswer]:
    """What was written on status pages, the newest first."""
    found = [
        one
        for one in status_edits.posts()
        if (not page or page in one.pages)
        and (status == "all" or is_over(one) == (status == "over"))
    ]
    if before:
        places = [at for at, one in enumerate(found) if one.id == before]
        found = found[places[0] + 1 :] if places else []
    shown = found[:limit]
    following = shown[-1].id if len(found) > limit else ""
    answer = PostsAnswer(posts=tuple(seen(one) for one in shown), next_before=following)
    return json_answer(answer, Cache_Control="no-store")


@get(
    "/posts/{post_id:str}",
    operation_id="post",
    summary="One post",
    tags=["status pages"],
    opt=versioned("viewer"),
)
async def one_post(status_edits: TheStatusEdits, post_id: PostId) -> Response[PostSeen]:
    """`ETag` is its version."""
    found = status_edits.post(post_id)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no post {post_id[:64]!r}")
    return _answer(found)


@post(
    "/posts",
    operation_id="make_post",
    summary="Publish a post",
    tags=["status pages"],
    opt=changes("operator", PostBody, made=True),
)
async def make_post(
    request: Asked, principal: ThePrincipal, status_edits: TheStatusEdits, repeats: TheRepeats
) -> Response[PostSeen]:
    """It is public at once. Text is Markdown; write only what everybody may read."""
    wanted = (await body_of(request, PostBody)).wanted()

    async def made() -> Response[PostSeen]:
        found = await status_edits.add_post(principal, wanted)
        return json_answer(
            seen(found),
            HTTPStatus.CREATED,
            ETag=etag_of(found.version),
            Location=f"{PATH}/{found.id}",
        )

    return await repeats.once(request, principal, made)


@patch(
    "/posts/{post_id:str}",
    operation_id="change_post",
    summary="Update or correct a post",
    tags=["status pages"],
    opt=changes("operator", PostChangeBody, has_version=True, statuses=_WRITES),
)
async def change_post(
    request: Asked, principal: ThePrincipal, status_edits: TheStatusEdits, post_id: PostId
) -> Response[PostSeen]:
    """With `text` its timeline gets an update, in the state `state`; other fields correct it."""
    change = (await body_of(request, PostChangeBody)).change()
    wanted = version_wanted(request, _version_of(status_edits, post_id))
    return _answer(await status_edits.change_post(principal, post_id, change, wanted))


@delete(
    "/posts/{post_id:str}",
    operation_id="delete_post",
    summary="Remove a post",
    tags=["status pages"],
    opt=changes("operator", has_version=True, statuses=_WRITES),
)
async def delete_post(
    request: Asked, principal: ThePrincipal, status_edits: TheStatusEdits, post_id: PostId
) -> None:
    """It is on no page any more, with its whole timeline."""
    wanted = version_wanted(request, _version_of(status_edits, post_id))
    await status_edits.remove_post(principal, post_id, wanted)


def _version_of(status_edits: StatusEdits, post_id: str) -> int:
    found = status_edits.post(post_id)
    return 0 if found is None else found.version


def _answer(found: StatusPost) -> Response[PostSeen]:
    return json_answer(seen(found), ETag=etag_of(found.version))
