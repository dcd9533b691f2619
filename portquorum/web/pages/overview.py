"""The overview: what is wrong first, grouped by cause."""

from portquorum.web.answers import Counts, Overview
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer


def page(found: Overview, viewer: Viewer) -> str:
    """The page as HTML."""
    return render(
        "overview.html",
        viewer,
        found.freshness,
        found.counts,
        o=found,
        calm=_is_calm(found.counts),
        active="overview",
        json_path="/overview.json",
    )


def _is_calm(counts: Counts) -> bool:
    watched = counts.total - counts.maintenance - counts.paused
    return 0 < counts.up == watched
