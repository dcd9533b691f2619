"""Regions and their probers."""

from litestar import Response, get

from portquorum.web.answers import RegionsAnswer
from portquorum.web.api.answering import answered
from portquorum.web.parts import TheFleet


@get("/regions", operation_id="regions", summary="Regions and probers", tags=["now"])
async def regions(fleet: TheFleet) -> Response[RegionsAnswer]:
    """All regions with the newest beat of each prober, trouble first."""
    return answered(fleet.regions())
