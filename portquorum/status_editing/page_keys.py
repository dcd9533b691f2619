"""Keys of status pages: who may change a page may make and revoke its keys."""

from http import HTTPStatus

from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError
from portquorum.changing.keys import Keys, KeyShown, WantedKey
from portquorum.changing.status_edits import StatusEdits
from schemas.web import StatusPage


async def made_key(
    who: Principal, status_edits: StatusEdits, keys: Keys, page: StatusPage, wanted: WantedKey
) -> KeyShown:
    """Makes a key of a page; `secret` is what stands in its link.

    Raises:
        ChangeError: 400, 403 (beyond the limits of `who`), 409 (very many), 503.
    """
    status_edits.must_be_theirs(who, page)
    return await keys.add(who, wanted)


async def revoked_key(
    who: Principal, status_edits: StatusEdits, keys: Keys, page: StatusPage, key: str
) -> KeyShown:
    """Revokes a key of a page.

    Raises:
        ChangeError: 403, 404 (the page has no such key), 503.
    """
    status_edits.must_be_theirs(who, page)
    if all(one.id != key for one in keys.listed("page", page.slug)):
        raise ChangeError(HTTPStatus.NOT_FOUND, f"the page {page.slug!r} has no key {key[:20]!r}")
    return await keys.revoke(who, key)
