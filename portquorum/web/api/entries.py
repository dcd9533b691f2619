"""The page's own inventory: entries of targets, one by one."""

from http import HTTPStatus
from typing import Any, Final, TypeVar, cast

import msgspec
from litestar import Response, delete, get, patch, post, put
from msgspec import Struct
from msgspec.structs import replace

from portquorum.changing.edits import CheckSaid, Edits, Written
from portquorum.changing.errors import ChangeError
from portquorum.inventory.document import TargetEntry
from portquorum.inventory.places import default_port
from portquorum.web.access.needs import needs
from portquorum.web.api.bodies import JSON, MERGE_PATCH, Asked, as_struct, body_of, object_of
from portquorum.web.api.changes import changes, versioned
from portquorum.web.api.conditions import etag_of, version_wanted
from portquorum.web.api.repeats import TheRepeats
from portquorum.web.api.targets import RESERVED_IDS, TargetIdPath
from portquorum.web.parts import TheEdits, TheFleet, ThePrincipal
from portquorum.web.problem import ProblemError, wrong_field
from portquorum.web.unread import missing
from schemas.target_id import slug

T = TypeVar("T", bound=Struct)

PATH: Final = "/api/v1/targets"
_FREE: Final = frozenset({"probe"})
"""Fields whose content is the kind's own: a null in it is a value."""
_NEVER_NULL: Final = frozenset({"depends_on"})
"""Lists that are empty if nobody wrote them."""
_WRITES: Final = {
    409: "Somebody else changed it at the same time, or it belongs to a file; `detail` says which."
}


@get(
    "/targets/{target_id:str}/entry",
    operation_id="target_entry",
    summary="A target as the page's inventory has it",
    tags=["inventory"],
    opt=versioned("viewer"),
)
async def target_entry(
    fleet: TheFleet, edits: TheEdits, target_id: TargetIdPath
) -> Response[Written]:
    """What was written, and what it resolves to. `ETag` is its version.

    A target of a file is 404, and `detail` names the file.
    """
    found = edits.get(target_id)
    if found is not None:
        return entry_answer(found)
    owner = edits.owner(target_id)
    if owner is not None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"the target {target_id!r} belongs to the inventory {owner!r}: change it there",
        )
    raise missing(fleet.freshness(), f"there is no target {target_id[:128]!r}")


@put(
    "/targets/{target_id:str}/entry",
    operation_id="put_target_entry",
    summary="Make or replace a target",
    tags=["inventory"],
    opt=changes("admin", TargetEntry, has_version=True, made=True, statuses=_WRITES),
)
async def put_target_entry(
    request: Asked, principal: ThePrincipal, edits: TheEdits, target_id: TargetIdPath
) -> Response[Written]:
    """The whole entry, as one of `targets:` in a file; what is not written is as by default.

    The same entry again changes nothing. On the answer it is published: every prober will check it.
    """
    entry = _with_id(await body_of(request, TargetEntry), target_id)
    present = version_of(edits, target_id)
    made = await edits.put(principal, target_id, entry, version_wanted(request, present))
    return entry_answer(made, is_new=not present)


@patch(
    "/targets/{target_id:str}/entry",
    operation_id="patch_target_entry",
    summary="Change fields of a target",
    tags=["inventory"],
    opt=changes(
        "admin",
        TargetEntry,
        media_types=(MERGE_PATCH, JSON),
        has_version=True,
        statuses=_WRITES,
    ),
)
async def patch_target_entry(
    request: Asked, principal: ThePrincipal, edits: TheEdits, target_id: TargetIdPath
) -> Response[Written]:
    """Merges fields into the entry (RFC 7396): null takes one away, what is left out stays."""
    merge = await object_of(request, (MERGE_PATCH, JSON))
    wanted = version_wanted(request, version_of(edits, target_id))
    return entry_answer(await edits.patch(principal, target_id, merge, wanted))


@delete(
    "/targets/{target_id:str}/entry",
    operation_id="delete_target_entry",
    summary="Remove a target",
    tags=["inventory"],
    opt=changes("admin", has_version=True, statuses=_WRITES),
)
async def delete_target_entry(
    request: Asked, principal: ThePrincipal, edits: TheEdits, target_id: TargetIdPath
) -> None:
    """Nobody checks it any more; its incidents close, its history stays."""
    wanted = version_wanted(request, version_of(edits, target_id))
    await edits.remove(principal, target_id, wanted)


@post(
    "/targets",
    operation_id="make_target",
    summary="Make a target",
    tags=["inventory"],
    opt=changes("admin", TargetEntry, made=True, statuses=_WRITES),
)
async def make_target(
    request: Asked, principal: ThePrincipal, edits: TheEdits, repeats: TheRepeats
) -> Response[Written]:
    """As `PUT` of its entry. Its id is made from its name (or host and port), if it has none."""
    entry = await body_of(request, TargetEntry)
    target_id = id_of(entry)

    async def made() -> Response[Written]:
        try:
            found = await edits.put(principal, target_id, replace(entry, id=target_id), 0)
        except ChangeError as error:
            if error.status != HTTPStatus.PRECONDITION_FAILED:
                raise
            raise ChangeError(
                HTTPStatus.CONFLICT,
                f"there is a target {target_id!r} already; give this one another name or id",
                version=error.version,
            ) from error
        return entry_answer(found, is_new=True)

    return await repeats.once(request, principal, made)


@post(
    "/targets/check",
    operation_id="check_entry",
    summary="Check an entry",
    tags=["inventory"],
    status_code=HTTPStatus.OK,
    opt=changes("admin", TargetEntry),
)
async def check_entry(
    request: Asked, principal: ThePrincipal, edits: TheEdits, repeats: TheRepeats
) -> Response[CheckSaid]:
    """Checks once, from where the page runs, what a target with this entry would be; writes none.

    It reaches only what the probers of the entry's regions may reach.
    """
    entry = await body_of(request, TargetEntry)

    async def made() -> Response[CheckSaid]:
        return json_answer(await edits.check(principal, entry))

    return await repeats.once(request, principal, made)


@post(
    "/targets/{target_id:str}/check",
    operation_id="check_target",
    summary="Check a target now",
    tags=["acts"],
    status_code=HTTPStatus.OK,
    opt=changes("operator"),
)
async def check_target(
    *,
    request: Asked,
    principal: ThePrincipal,
    edits: TheEdits,
    repeats: TheRepeats,
    target_id: TargetIdPath,
) -> Response[CheckSaid]:
    """Checks a target of any inventory once, from where the page runs; it changes no state."""

    async def made() -> Response[CheckSaid]:
        return json_answer(await edits.check_now(principal, target_id))

    return await repeats.once(request, principal, made)


@get(
    "/inventory.yaml",
    operation_id="inventory",
    summary="The page's inventory as a file",
    tags=["inventory"],
    media_type="application/yaml",
    opt={"yaml": "application/yaml"} | needs("viewer"),
)
async def inventory(edits: TheEdits) -> Response[str]:
    """All targets and maintenance windows of the page, as `portquorum inventory apply` takes them.

    The media type is that of RFC 9512.
    """
    return Response(
        edits.yaml(),
        media_type="application/yaml",
        headers={"Content-Disposition": 'attachment; filename="inventory.yaml"'},
    )


def id_of(entry: TargetEntry) -> str:
    """The id of an entry: its own, or made from its name, or from host and port.

    Raises:
        ProblemError: 400, no id can be made of these.
    """
    port = default_port(entry.kind) if entry.port is None else entry.port
    place = entry.host or "" if port is None else f"{entry.host or ''}-{port}"
    found = entry.id or slug(entry.name or (place if entry.host else ""))
    if not found:
        field = "name" if entry.name else "id"
        raise wrong_field(field, "expected an id, or a name or host of which one can be made")
    _refuse_reserved(found)
    return found


def version_of(edits: Edits, target_id: str) -> int:
    """The present version of a target of the page's own, 0: there is none."""
    found = edits.get(target_id)
    return 0 if found is None else found.version


def entry_answer(written: Written, *, is_new: bool = False) -> Response[Written]:
    """A target with its version as ETag; of its entry the fields that were written."""
    content = msgspec.to_builtins(written)
    content["entry"] = without_nulls(content["entry"])
    headers = {"ETag": etag_of(written.version)}
    if is_new:
        headers["Location"] = f"{PATH}/{written.id}/entry"
    return Response(
        cast("Written", content),
        status_code=HTTPStatus.CREATED if is_new else HTTPStatus.OK,
        media_type=JSON,
        headers=headers,
    )


def without_nulls(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without the fields that nobody wrote."""
    return {
        name: without_nulls(value) if isinstance(value, dict) and name not in _FREE else value
        for name, value in entry.items()
        if value is not None and (value or name not in _NEVER_NULL)
    }


def json_answer(value: T, status: HTTPStatus = HTTPStatus.OK, **headers: str) -> Response[T]:
    """A value as JSON; `headers` with `_` for `-`."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(value, status_code=status, media_type=JSON, headers=named)


def _refuse_reserved(target_id: str) -> None:
    if target_id in RESERVED_IDS:
        raise wrong_field("id", f"expected another id: /targets/{target_id} is an address of ours")


def _with_id(entry: TargetEntry, target_id: str) -> TargetEntry:
    _refuse_reserved(target_id)
    if entry.id not in {None, target_id}:
        raise wrong_field(
            "id", f"expected {target_id!r} as in the path, or none; ids do not change"
        )
    return as_struct(msgspec.to_builtins(replace(entry, id=target_id)), TargetEntry)
