"""The overview, and the groups of targets."""

from typing import Annotated, Final, Literal

from litestar import Request, Response, get
from litestar.datastructures import State as AppState
from litestar.params import QueryParameter
from msgspec.structs import replace

from portquorum.web.access.needs import needs
from portquorum.web.answers import GroupPage, GroupRow, Overview
from portquorum.web.api.answering import answered
from portquorum.web.api.csv_answer import csv_answer, wants_csv
from portquorum.web.api.fields import Fields, answered_rows, chosen
from portquorum.web.api.lists import Listing, ListQuery, page_of, whole
from portquorum.web.api.parameters import MOST_ROWS, Cursor, Form, GroupBy, Limit, Words
from portquorum.web.parts import TheFleet
from portquorum.web.unread import refuse_unread


@get(
    "/overview",
    operation_id="overview",
    summary="What is wrong now",
    tags=["now"],
    opt=needs("viewer"),
)
async def overview(fleet: TheFleet, group_by: GroupBy = "team") -> Response[Overview]:
    """Counts, open incidents by cause, groups, regions."""
    return answered(fleet.overview(group_by))


GROUPS: Final[Listing[GroupRow]] = Listing(
    lambda one: one.name,
    lambda one: one.name,
    {
        "name": lambda one: one.name.lower(),
        "targets": lambda one: one.counts.total,
        "down": lambda one: one.counts.down + one.counts.flapping,
    },
)
GroupSort = Annotated[
    Literal["", "name", "-name", "targets", "-targets", "down", "-down"],
    QueryParameter(description="Empty: the worst first."),
]


@get(
    "/groups",
    operation_id="groups",
    summary="Targets by group",
    tags=["now"],
    opt={"csv": True, "rows": "groups"} | needs("viewer"),
)
async def groups(
    *,
    request: Request[None, None, AppState],
    fleet: TheFleet,
    group_by: GroupBy = "team",
    q: Words = "",
    sort: GroupSort = "",
    fields: Fields = None,
    limit: Limit = MOST_ROWS,
    cursor: Cursor = "",
    form: Form = "json",
) -> Response[GroupPage]:
    """Counts and a strip of each group, the worst first."""
    found = fleet.groups(group_by)
    names = chosen(fields, GroupRow)

    if wants_csv(request, form):
        refuse_unread(found.freshness)
        pages = whole(found.groups, GROUPS, q, sort)
        return await csv_answer("groups", GroupRow, pages, cursor, names)
    shown, total, following = page_of(found.groups, GROUPS, ListQuery(q, sort, limit, cursor))
    matching = total if q else found.groups_total
    answer = replace(found, groups=shown, groups_total=matching, next_cursor=following)
    return answered_rows(answer, "groups", names)
