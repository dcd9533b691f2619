"""Regions and their probers."""

from typing import Annotated, Final, Literal

from litestar import Request, Response, get
from litestar.datastructures import State as AppState
from litestar.params import QueryParameter
from msgspec.structs import replace

from portquorum.web.access.needs import needs
from portquorum.web.answers import RegionRow, RegionsAnswer, RegionState
from portquorum.web.api.csv_answer import csv_answer, wants_csv
from portquorum.web.api.fields import Fields, answered_rows, chosen
from portquorum.web.api.lists import Listing, ListQuery, page_of, whole
from portquorum.web.api.parameters import MOST_ROWS, Cursor, Form, Limit, Words, many
from portquorum.web.parts import TheFleet
from portquorum.web.unread import refuse_unread

REGIONS: Final[Listing[RegionRow]] = Listing(
    lambda one: one.name,
    lambda one: f"{one.name} {one.summary}",
    {
        "name": lambda one: one.name,
        "targets": lambda one: one.targets,
        "unknown": lambda one: one.unknown,
    },
)
Sort = Annotated[
    Literal["", "name", "-name", "targets", "-targets", "unknown", "-unknown"],
    QueryParameter(description="Empty: trouble first."),
]


@get(
    "/regions",
    operation_id="regions",
    summary="Regions and probers",
    tags=["now"],
    opt={"csv": True, "rows": "regions"} | needs("viewer"),
)
async def regions(
    *,
    request: Request[None, None, AppState],
    fleet: TheFleet,
    q: Words = "",
    states: Annotated[list[RegionState] | None, many("state", "How it is.")] = None,
    sort: Sort = "",
    fields: Fields = None,
    limit: Limit = MOST_ROWS,
    cursor: Cursor = "",
    form: Form = "json",
) -> Response[RegionsAnswer]:
    """Regions with the newest beat of each prober, trouble first."""
    found = fleet.regions()
    rows = [one for one in found.regions if not states or one.state in states]
    names = chosen(fields, RegionRow)

    if wants_csv(request, form):
        refuse_unread(found.freshness)
        pages = whole(rows, REGIONS, q, sort)
        return await csv_answer("regions", RegionRow, pages, cursor, names)
    shown, total, following = page_of(rows, REGIONS, ListQuery(q, sort, limit, cursor))
    answer = replace(found, regions=shown, total=total, next_cursor=following)
    return answered_rows(answer, "regions", names)
