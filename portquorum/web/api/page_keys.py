"""Keys of locked status pages."""

from http import HTTPStatus
from typing import Annotated

from litestar import Response, delete, get, post
from litestar.params import PathParameter
from msgspec import Meta, Struct

from portquorum.changing.keys import KeyShown, WantedKey
from portquorum.status_editing.page_keys import made_key, revoked_key
from portquorum.web.access.needs import needs
from portquorum.web.api.bodies import Asked, body_of
from portquorum.web.api.changes import changes
from portquorum.web.api.entries import json_answer
from portquorum.web.api.repeats import TheRepeats
from portquorum.web.api.status_pages import PageSlug, page_of
from portquorum.web.parts import TheKeys, ThePrincipal, TheStatusEdits

KeyId = Annotated[str, PathParameter(description="The key's id.", max_length=64)]


class PageKeyAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make. `expires_in_days` 0: it ends when it is revoked."""

    name: str = ""
    expires_in_days: Annotated[int, Meta(ge=0, le=3650)] = 0


class PageKeyMade(Struct, frozen=True, kw_only=True):
    """A key; `secret` and `path` (the page with it) are in this answer alone."""

    id: str
    name: str
    owner: str
    created_at: int
    expires_at: int | None
    secret: str | None
    path: str | None


class PageKeysAnswer(Struct, frozen=True, kw_only=True):
    """The keys of a page, by name, without their secrets."""

    keys: tuple[KeyShown, ...]


@get(
    "/status-pages/{slug:str}/keys",
    operation_id="page_keys",
    summary="The keys of a status page",
    tags=["status pages"],
    opt=needs("admin"),
)
async def page_keys(
    status_edits: TheStatusEdits, keys: TheKeys, slug: PageSlug
) -> Response[PageKeysAnswer]:
    """Each opens the page without its password."""
    page_of(status_edits, slug)
    found = PageKeysAnswer(keys=tuple(keys.listed("page", slug)))
    return json_answer(found, Cache_Control="no-store")


@post(
    "/status-pages/{slug:str}/keys",
    operation_id="make_page_key",
    summary="Make a key of a status page",
    tags=["status pages"],
    opt=changes("admin", PageKeyAsked, statuses={409: "The page has very many keys."}),
)
async def make_page_key(  # noqa: PLR0917 - what handlers are given
    request: Asked,
    principal: ThePrincipal,
    status_edits: TheStatusEdits,
    keys: TheKeys,
    repeats: TheRepeats,
    slug: PageSlug,
) -> Response[PageKeyMade]:
    """`/status/SLUG?key=SECRET` opens it. A repetition with the same Idempotency-Key has none."""
    asked = await body_of(request, PageKeyAsked)
    page = page_of(status_edits, slug)
    wanted = WantedKey(
        use="page", name=asked.name, about=slug, expires_in_days=asked.expires_in_days
    )

    async def made() -> Response[PageKeyMade]:
        key = await made_key(principal, status_edits, keys, page, wanted)
        answer = PageKeyMade(
            id=key.id,
            name=key.name,
            owner=key.owner,
            created_at=key.created_at,
            expires_at=key.expires_at,
            secret=key.secret,
            path=f"/status/{slug}?key={key.secret}",
        )
        return json_answer(answer, HTTPStatus.CREATED, Cache_Control="no-store")

    return await repeats.once(request, principal, made, sealed=frozenset({"secret", "path"}))


@delete(
    "/status-pages/{slug:str}/keys/{key_id:str}",
    operation_id="revoke_page_key",
    summary="Revoke a key of a status page",
    tags=["status pages"],
    opt=changes("admin"),
)
async def revoke_page_key(
    principal: ThePrincipal,
    status_edits: TheStatusEdits,
    keys: TheKeys,
    slug: PageSlug,
    key_id: KeyId,
) -> None:
    """It lets nobody in any more, nor whoever came by it."""
    await revoked_key(principal, status_edits, keys, page_of(status_edits, slug), key_id)
