"""Regions and their probers: who watches, and who does not."""

from collections.abc import Sequence
from typing import Final

from portquorum.web.answers import Counts, ProberRow, RegionRow, RegionsAnswer
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer
from schemas.result import RECEIVER

MOST_REGIONS: Final = 40
MOST_PROBERS: Final = 40
"""Rows that are shown at most, trouble first: a page has 2,000 elements at most."""


def page(found: RegionsAnswer, counts: Counts, viewer: Viewer) -> str:
    """The page as HTML; `counts` are those of the whole fleet."""
    return render(
        "regions.html",
        viewer,
        found.freshness,
        counts,
        rows=found.regions[:MOST_REGIONS],
        rows_left=max(0, len(found.regions) - MOST_REGIONS),
        probers=_probers(found.regions),
        receiver=RECEIVER,
        active="regions",
        json_path="/regions.json",
    )


def _probers(regions: Sequence[RegionRow]) -> list[tuple[RegionRow, tuple[ProberRow, ...], int]]:
    """Regions with some of their probers and the number of the others, as many as there is room."""
    shown = regions[: MOST_PROBERS // 2]
    each = MOST_PROBERS // max(1, len(shown))
    return [
        (one, tuple(sorted(one.probers, key=_calm)[:each]), max(0, len(one.probers) - each))
        for one in shown
    ]


def _calm(one: ProberRow) -> tuple[bool, str]:
    return one.connectivity and not one.missing_secrets, one.name
