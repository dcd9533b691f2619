"""The words of status pages, feeds and badges: in one place, for a later language."""

from typing import Final

from portquorum.status_pages.model import ComponentState
from schemas.web import Impact, PostState

LANG: Final = "en"

STATE: Final[dict[ComponentState, str]] = {
    "major_outage": "Major outage",
    "partial_outage": "Partial outage",
    "degraded": "Degraded",
    "unknown": "No data",
    "maintenance": "Maintenance",
    "operational": "Operational",
}

PAGE: Final[dict[ComponentState, str]] = {
    "major_outage": "Major outage",
    "partial_outage": "Partial outage",
    "degraded": "Some services are degraded",
    "unknown": "The state of some services is not known",
    "maintenance": "Maintenance is under way",
    "operational": "All services are operational",
}

POST: Final[dict[PostState, str]] = {
    "investigating": "Investigating",
    "identified": "Identified",
    "monitoring": "Monitoring",
    "resolved": "Resolved",
    "scheduled": "Scheduled",
    "in_progress": "In progress",
    "completed": "Completed",
}

IMPACT: Final[dict[Impact, str]] = {
    "none": "No impact",
    "minor": "Minor impact",
    "major": "Major impact",
    "critical": "Critical impact",
    "maintenance": "Maintenance",
}

MAINTENANCE: Final = "Maintenance"
NOTHING: Final = "–"

LOCKED: Final = "This page is locked"
PASSWORD: Final = "Password"  # noqa: S105 - a word
OPEN: Final = "Open"
