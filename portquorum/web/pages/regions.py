"""Regions and their probers: who watches, and who does not."""

from portquorum.web.answers import Counts, RegionsAnswer
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer


def page(found: RegionsAnswer, counts: Counts, viewer: Viewer) -> str:
    """The page as HTML; `counts` are those of the whole fleet."""
    return render(
        "regions.html",
        viewer,
        found.freshness,
        counts,
        answer=found,
        active="regions",
        json_path="/regions.json",
    )
