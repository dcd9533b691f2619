"""The REST API under `/api/v1`: what the pages show, for programs (docs/api.md)."""

from typing import Final

from litestar import Router
from litestar.types import ControllerRouterHandler

from portquorum.web.api import (
    access,
    entries,
    events,
    health,
    incident_acts,
    incidents,
    overview,
    plans,
    posts,
    prometheus,
    regions,
    reports,
    results,
    silence_acts,
    status_pages,
    target_acts,
    targets,
    uptime,
    window_acts,
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
            targets.reserved_target,
            targets.target_history,
            targets.target_checks,
            targets.target_explained,
            incidents.incidents,
            incidents.incident,
            incidents.incident_history,
            incidents.past_incidents,
            prometheus.prometheus_targets,
            regions.regions,
            plans.maintenances,
            plans.silences,
            results.results,
            uptime.uptime,
            reports.report,
            events.events,
            entries.target_entry,
            entries.put_target_entry,
            entries.patch_target_entry,
            entries.delete_target_entry,
            entries.make_target,
            entries.check_entry,
            entries.check_target,
            entries.inventory,
            target_acts.pause_target,
            target_acts.resume_target,
            target_acts.change_targets,
            target_acts.undo_change,
            incident_acts.acknowledge_incident,
            incident_acts.resolve_incident,
            incident_acts.incident_notes,
            incident_acts.make_note,
            silence_acts.make_silence,
            silence_acts.silence,
            silence_acts.end_silence,
            window_acts.maintenance,
            window_acts.put_maintenance,
            window_acts.delete_maintenance,
            status_pages.status_pages,
            status_pages.status_page,
            status_pages.put_status_page,
            status_pages.patch_status_page,
            status_pages.delete_status_page,
            posts.posts,
            posts.one_post,
            posts.make_post,
            posts.change_post,
            posts.delete_post,
            access.me,
            access.users,
            access.user,
            access.put_user,
            access.delete_user,
            access.make_invitation,
            access.tokens,
            access.make_token,
            access.revoke_token,
            access.audit,
        ],
        before_request=refuse_unknown,
    ),
    health.healthz,
)
"""All routes of the API, and `/healthz`."""

__all__ = ["API_ROUTES", "PATH", "openapi_config"]
