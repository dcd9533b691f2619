"""The REST API under `/api/v1`: what the pages show, for programs (docs/api.md)."""

from typing import Final

from litestar import Router
from litestar.types import ControllerRouterHandler

from portquorum.web.api import (
    events,
    health,
    incidents,
    overview,
    plans,
    regions,
    reports,
    results,
    targets,
    uptime,
)
from portquorum.web.api.document import openapi_config
from portquorum.web.api.parameters import refuse_unknown

PATH: Final = "/api/v1"

API_ROUTES: Final[tuple[ControllerRouterHandler, ...]] = (
    Router(
        path=PATH,
        route_handlers=[
            overview.overview,
            overview.groups,
            targets.targets,
            targets.target,
            targets.target_history,
            targets.target_checks,
            targets.target_explained,
            incidents.incidents,
            incidents.incident,
            incidents.incident_history,
            incidents.past_incidents,
            regions.regions,
            plans.maintenances,
            plans.silences,
            results.results,
            uptime.uptime,
            reports.report,
            events.events,
        ],
        before_request=refuse_unknown,
    ),
    health.healthz,
)
"""All routes of the API, and `/healthz`."""

__all__ = ["API_ROUTES", "PATH", "openapi_config"]
