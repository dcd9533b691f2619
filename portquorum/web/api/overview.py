"""The overview, and the groups of targets."""

from litestar import Response, get

from portquorum.web.answers import GroupPage, Overview
from portquorum.web.api.answering import answered
from portquorum.web.api.parameters import GroupBy
from portquorum.web.parts import TheFleet


@get("/overview", operation_id="overview", summary="What is wrong now", tags=["now"])
async def overview(fleet: TheFleet, group_by: GroupBy = "team") -> Response[Overview]:
    """Counts, open incidents by cause, groups, regions."""
    return answered(fleet.overview(group_by))


@get("/groups", operation_id="groups", summary="Targets by group", tags=["now"])
async def groups(fleet: TheFleet, group_by: GroupBy = "team") -> Response[GroupPage]:
    """Counts and a strip of each group, the worst first."""
    return answered(fleet.groups(group_by))
