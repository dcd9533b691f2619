"""Maintenance windows and silences."""

from litestar import Response, get

from portquorum.web.answers import MaintenanceAnswer, SilencesAnswer
from portquorum.web.api.answering import answered
from portquorum.web.parts import TheFleet


@get("/maintenances", operation_id="maintenances", summary="Maintenance windows", tags=["plans"])
async def maintenances(fleet: TheFleet) -> Response[MaintenanceAnswer]:
    """Windows that are on, then the next ones, then those that are over."""
    return answered(fleet.maintenance())


@get("/silences", operation_id="silences", summary="Silences", tags=["plans"])
async def silences(fleet: TheFleet) -> Response[SilencesAnswer]:
    """Silences that are active, coming, then those that ended."""
    return answered(fleet.silences())
