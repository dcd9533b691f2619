"""Maintenance windows of the page's own."""

from http import HTTPStatus
from typing import Annotated, Final, cast
from urllib.parse import quote

import msgspec
from litestar import Response, delete, get, put
from litestar.params import PathParameter
from msgspec.structs import replace

from portquorum.changing.acts import Acts, WindowMade
from portquorum.inventory.document import MaintenanceEntry
from portquorum.web.api.bodies import JSON, Asked, as_struct, body_of
from portquorum.web.api.changes import changes, versioned
from portquorum.web.api.conditions import etag_of, version_wanted
from portquorum.web.api.entries import without_nulls
from portquorum.web.parts import TheActs, TheFleet, ThePrincipal
from portquorum.web.problem import ProblemError, wrong_field
from portquorum.web.unread import missing

PATH: Final = "/api/v1/maintenances"
WindowName = Annotated[str, PathParameter(description="The window's name.", max_length=63)]
_WRITES: Final = {
    409: "Somebody else changed it at the same time, or it belongs to a file; `detail` says which."
}


@get(
    "/maintenances/{name:str}",
    operation_id="maintenance",
    summary="A maintenance window as it was written",
    tags=["plans"],
    opt=versioned("viewer"),
)
async def maintenance(fleet: TheFleet, acts: TheActs, name: WindowName) -> Response[WindowMade]:
    """One of the page's own; a window of a file is 404, and `detail` names the file."""
    found = acts.window(name)
    if found is not None:
        return _answer(found)
    owners = sorted({one.source for one in fleet.maintenance().windows if one.name == name})
    if owners:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"the window {name!r} belongs to the inventory {owners[0]!r}: change it there",
        )
    raise missing(fleet.freshness(), f"there is no maintenance window {name[:63]!r}")


@put(
    "/maintenances/{name:str}",
    operation_id="put_maintenance",
    summary="Make or replace a maintenance window",
    tags=["acts"],
    opt=changes("operator", MaintenanceEntry, has_version=True, made=True, statuses=_WRITES),
)
async def put_maintenance(
    request: Asked, principal: ThePrincipal, acts: TheActs, name: WindowName
) -> Response[WindowMade]:
    """As one of `maintenance:` in a file: `targets` (ids or `tag:NAME`), `start`, `duration`."""
    entry = await body_of(request, MaintenanceEntry)
    if entry.name not in {None, name}:
        raise wrong_field("name", f"expected {name!r} as in the path, or none")
    present = _version_of(acts, name)
    wanted = version_wanted(request, present)
    named = as_struct(msgspec.to_builtins(replace(entry, name=name)), MaintenanceEntry)
    made = await acts.put_window(principal, name, named, wanted)
    return _answer(made, is_new=not present)


@delete(
    "/maintenances/{name:str}",
    operation_id="delete_maintenance",
    summary="Remove a maintenance window",
    tags=["acts"],
    opt=changes("operator", has_version=True, statuses=_WRITES),
)
async def delete_maintenance(
    request: Asked, principal: ThePrincipal, acts: TheActs, name: WindowName
) -> None:
    """One that is on ends at once: what is still down is told."""
    await acts.remove_window(principal, name, version_wanted(request, _version_of(acts, name)))


def _version_of(acts: Acts, name: str) -> int:
    found = acts.window(name)
    return 0 if found is None else found.version


def _answer(window: WindowMade, *, is_new: bool = False) -> Response[WindowMade]:
    content = msgspec.to_builtins(window)
    content["entry"] = without_nulls(content["entry"])
    headers = {"ETag": etag_of(window.version)}
    if is_new:
        headers["Location"] = f"{PATH}/{quote(window.name, safe='')}"
    return Response(
        cast("WindowMade", content),
        status_code=HTTPStatus.CREATED if is_new else HTTPStatus.OK,
        media_type=JSON,
        headers=headers,
    )
