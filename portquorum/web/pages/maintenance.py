"""Maintenance windows and silences: of what nobody is told, until when, and why."""

from typing import Final

from portquorum.changing.edits import OWN_SOURCE
from portquorum.web.answers import Counts, MaintenanceAnswer, SilencesAnswer
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer

MOST_ROWS: Final = 60
"""Of windows, and of silences: a page has 2,000 elements at most, the JSON twin has all."""


def page(
    windows: MaintenanceAnswer, silences: SilencesAnswer, counts: Counts, viewer: Viewer
) -> str:
    """The page as HTML; `counts` are those of the whole fleet."""
    return render(
        "maintenance.html",
        viewer,
        windows.freshness,
        counts,
        windows=windows.windows[:MOST_ROWS],
        windows_left=max(0, len(windows.windows) - MOST_ROWS),
        silences=silences.silences[:MOST_ROWS],
        silences_left=max(0, len(silences.silences) - MOST_ROWS),
        own_source=OWN_SOURCE,
        active="maintenance",
        json_path="/maintenance.json",
    )
