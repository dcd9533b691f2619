"""The overview: what is wrong first, grouped by cause."""

from typing import Final

from msgspec.structs import replace

from portquorum.web.answers import Counts, Overview
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer
from portquorum.web.ports import Fleet

CAUSES: Final = 40
CLOSED: Final = 12
WINDOWS: Final = 6
RESOLVED: Final = 10
"""Rows that are shown at most: a page has 2,000 nodes at most, however bad the night."""


def by_team_or_tag(fleet: Fleet) -> Overview:
    """The overview by team; by tag where no target has a team and some have tags."""
    found = fleet.overview()
    if any(group.name for group in found.groups):
        return found
    tagged = fleet.overview("tag")
    return tagged if any(group.name for group in tagged.groups) else found


def page(found: Overview, viewer: Viewer) -> str:
    """The page as HTML."""
    return render(
        "overview.html",
        viewer,
        found.freshness,
        found.counts,
        o=replace(
            found,
            causes=found.causes[:CAUSES],
            closed=found.closed[:CLOSED],
            maintenance=found.maintenance[:WINDOWS],
            resolved=found.resolved[:RESOLVED],
        ),
        calm=_is_calm(found.counts),
        active="overview",
        json_path="/overview.json",
    )


def _is_calm(counts: Counts) -> bool:
    watched = counts.total - counts.maintenance - counts.paused
    return 0 < counts.up == watched
