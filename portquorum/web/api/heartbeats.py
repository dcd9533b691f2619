"""Heartbeats, and the keys of addresses: those of their reports, of badges, of status pages."""

from http import HTTPStatus
from typing import Annotated, Final

from litestar import Response, delete, get, post
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct, structs

from portquorum.access.principal import Principal
from portquorum.changing.keys import Keys, KeyShown, KeyUse, WantedKey
from portquorum.changing.status_edits import StatusEdits
from portquorum.inventory.heartbeats import KIND
from portquorum.sharing.addresses import path_of
from portquorum.web.access.needs import needs
from portquorum.web.answers import State, TargetQuery
from portquorum.web.api.answering import answered
from portquorum.web.api.bodies import Asked, body_of
from portquorum.web.api.changes import changes
from portquorum.web.api.entries import json_answer
from portquorum.web.api.parameters import LIMIT, Cursor, Filter, Limit, Words, many
from portquorum.web.api.repeats import Repeats, TheRepeats
from portquorum.web.api.targets import TargetIdPath
from portquorum.web.heartbeats import HeartbeatsAnswer
from portquorum.web.heartbeats import heartbeats as found_of
from portquorum.web.parts import TheFleet, TheHistory, TheKeys, ThePrincipal, TheStatusEdits
from portquorum.web.ports import Fleet
from portquorum.web.problem import ProblemError, wrong_field
from portquorum.web.unread import missing
from schemas.target import Target

KeyId = Annotated[str, PathParameter(description="The key's id.", max_length=64)]
_SEALED: Final = frozenset({"secret", "path"})
_TAKEN: Final = {409: "Another key has this secret, or there are too many."}


class WantedReportKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key for the reports of one heartbeat; `expires_in_days` 0: never.

    `secret` takes over a text that clients have already: a UUID of Healthchecks, a token of Uptime
    Kuma; 16 to 200 letters, digits and `. _ ~ -`.
    """

    name: str = ""
    expires_in_days: int = 0
    secret: str | None = None


class KeyAnswer(KeyShown, frozen=True, kw_only=True):
    """A key. `secret` and `path` are in the answer that made it, and None ever after.

    `path` is what is reached with it, behind the address of the page: where a heartbeat is reported
    to, a badge, a status page.
    """

    path: str | None = None


class KeysAnswer(Struct, frozen=True, kw_only=True):
    """Keys by what they are about and name, without their secrets; also those that are over."""

    keys: tuple[KeyShown, ...]


@get(
    "/heartbeats",
    operation_id="heartbeats",
    summary="Heartbeats now",
    tags=["now"],
    opt=needs("viewer"),
)
async def heartbeats(
    *,
    fleet: TheFleet,
    history: TheHistory,
    keys: TheKeys,
    q: Words = "",
    states: Annotated[list[State] | None, many("state", "How it is.")] = None,
    team: Annotated[Filter | None, many("team", "Its team; empty: without one.")] = None,
    tag: Annotated[Filter | None, many("tag", "One of its tags.")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Response[HeartbeatsAnswer]:
    """Jobs that report themselves, the worst first: what is expected of each, and its last reports.

    Reports are known as far as ClickHouse has them, some seconds after they came.
    """
    asked = TargetQuery(
        q=q,
        states=tuple(states or ()),
        teams=tuple(team or ()),
        tags=tuple(tag or ()),
        limit=limit,
        cursor=cursor,
    )
    return answered(await found_of(fleet, history, keys, asked))


@get(
    "/heartbeats/{target_id:str}/keys",
    operation_id="heartbeat_keys",
    summary="Keys of a heartbeat",
    tags=["access"],
    opt=needs("viewer"),
)
async def heartbeat_keys(
    fleet: TheFleet, keys: TheKeys, target_id: TargetIdPath
) -> Response[KeysAnswer]:
    """The keys with which this heartbeat alone is reported; those of all are at `/keys`."""
    _heartbeat(fleet, target_id)
    return _listed(keys, "ping", target_id)


@post(
    "/heartbeats/{target_id:str}/keys",
    operation_id="make_heartbeat_key",
    summary="Make a key of a heartbeat",
    tags=["access"],
    opt=changes("operator", WantedReportKey, statuses=_TAKEN),
)
async def make_heartbeat_key(  # noqa: PLR0917 - what a handler is given
    request: Asked,
    principal: ThePrincipal,
    fleet: TheFleet,
    keys: TheKeys,
    repeats: TheRepeats,
    target_id: TargetIdPath,
) -> Response[KeyAnswer]:
    """An address to report to. `secret` and `path` are in this answer alone.

    A repetition with the same Idempotency-Key gets neither: revoke the key, and make another.
    """
    wanted = await body_of(request, WantedReportKey)
    target = _heartbeat(fleet, target_id)
    full = WantedKey(
        use="ping",
        about=target_id,
        name=wanted.name,
        expires_in_days=wanted.expires_in_days,
        secret=wanted.secret,
    )
    return await _made(request, principal, keys, repeats, full, target)


@delete(
    "/heartbeats/{target_id:str}/keys/{key_id:str}",
    operation_id="revoke_heartbeat_key",
    summary="Revoke a key of a heartbeat",
    tags=["access"],
    opt=changes("operator"),
)
async def revoke_heartbeat_key(
    principal: ThePrincipal, fleet: TheFleet, keys: TheKeys, target_id: TargetIdPath, key_id: KeyId
) -> None:
    """Nobody reports with it any more."""
    found = keys.get(key_id)
    if found is None or (found.use, found.about) != ("ping", target_id):
        raise ProblemError(HTTPStatus.NOT_FOUND, "this heartbeat has no such key")
    await keys.revoke(principal, key_id, target_of(fleet, target_id))


@get("/keys", operation_id="keys", summary="Keys", tags=["access"], opt=needs("viewer"))
async def all_keys(
    keys: TheKeys,
    use: Annotated[
        KeyUse | None, QueryParameter(description="What they are for; not given: all.")
    ] = None,
    about: Annotated[
        str, QueryParameter(max_length=255, description="A target, or a status page.")
    ] = "",
) -> Response[KeysAnswer]:
    """All keys: of reports (`ping`), of badges (`badge`), of locked status pages (`page`)."""
    return _listed(keys, use, about or None)


@post(
    "/keys",
    operation_id="make_key",
    summary="Make a key",
    tags=["access"],
    opt=changes("operator", WantedKey, statuses=_TAKEN),
)
async def make_key(
    *,
    request: Asked,
    principal: ThePrincipal,
    fleet: TheFleet,
    keys: TheKeys,
    repeats: TheRepeats,
    status_edits: TheStatusEdits,
) -> Response[KeyAnswer]:
    """A key of one target, or (for an admin) of all of them, or of a status page.

    `secret` and `path` are in this answer alone; see the keys of a heartbeat.
    """
    wanted = await body_of(request, WantedKey)
    target = None
    if wanted.use == "page":
        _expect_their_page(principal, status_edits, wanted.about)
    elif wanted.about is not None:
        target = target_of(fleet, wanted.about)
        if target is None:
            raise _no_target(fleet, wanted.about)
    return await _made(request, principal, keys, repeats, wanted, target)


@delete(
    "/keys/{key_id:str}",
    operation_id="revoke_key",
    summary="Revoke a key",
    tags=["access"],
    opt=changes("operator"),
)
async def revoke_key(
    principal: ThePrincipal,
    fleet: TheFleet,
    keys: TheKeys,
    status_edits: TheStatusEdits,
    key_id: KeyId,
) -> None:
    """It lets nobody in any more. One of all targets, or of a status page, is for an admin."""
    found = keys.get(key_id)
    about, target = None if found is None else found.about, None
    if found is not None and found.use == "page":
        page = status_edits.page(about or "")
        if page is not None:
            status_edits.must_be_theirs(principal, page)
    elif about is not None:
        target = target_of(fleet, about)
    await keys.revoke(principal, key_id, target)


def target_of(fleet: Fleet, target_id: str) -> Target | None:
    """A target as it is published; None: there is none."""
    found = fleet.target(target_id)
    return None if found is None else found.definition


def _expect_their_page(who: Principal, status_edits: StatusEdits, slug: str | None) -> None:
    """Keys of a status page are for who may change it."""
    if not who.may("admin"):
        return  # refused with the sentence of keys
    page = status_edits.page(slug or "")
    if page is None:
        raise wrong_field("about", f"expected a status page, found {(slug or '')[:63]!r}")
    status_edits.must_be_theirs(who, page)


def _no_target(fleet: Fleet, target_id: str) -> ProblemError:
    """A wrong field of a body, not a path that is not there; 503 while nobody knows."""
    said = f"there is no target {target_id[:128]!r}"
    error = missing(fleet.freshness(), said)
    is_known = error.problem.status == HTTPStatus.NOT_FOUND
    return wrong_field("about", said) if is_known else error


def _heartbeat(fleet: Fleet, target_id: str) -> Target:
    target = target_of(fleet, target_id)
    if target is None or target.kind != KIND:
        raise missing(fleet.freshness(), f"there is no heartbeat {target_id[:128]!r}")
    return target


def _listed(keys: Keys, use: KeyUse | None, about: str | None) -> Response[KeysAnswer]:
    found = tuple(keys.listed(use, about))
    return json_answer(KeysAnswer(keys=found), Cache_Control="no-store")


async def _made(  # noqa: PLR0917 - what handlers are given
    request: Asked,
    who: ThePrincipal,
    keys: Keys,
    repeats: Repeats,
    wanted: WantedKey,
    target: Target | None,
) -> Response[KeyAnswer]:
    async def made() -> Response[KeyAnswer]:
        key = await keys.add(who, wanted, target)
        answer = KeyAnswer(**structs.asdict(key), path=path_of(key) or None)
        return json_answer(answer, HTTPStatus.CREATED, Cache_Control="no-store")

    return await repeats.once(request, who, made, sealed=_SEALED)
