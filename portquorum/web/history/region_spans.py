"""Times at which a region was silent or set aside, from its events. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from portquorum.web.history.answers import RegionSpan

_BEGINS: Final = {"region.silent": "silent", "region.suspect": "suspect"}
_ENDS: Final = {"region.returned": "silent", "region.cleared": "suspect"}


def spans(events: Sequence[Sequence[Any]], since: int) -> tuple[RegionSpan, ...]:
    """The spans that end at `since` (UTC ms) or later, by region and beginning.

    An event has the region, what it is, its time (UTC ms) and a sentence. A second beginning
    before an end is the same span: each partition may tell it.
    """
    open_now: dict[tuple[str, str], RegionSpan] = {}
    told: list[RegionSpan] = []
    for region, event, at, summary in sorted(events, key=lambda one: (one[2], one[0])):
        if what := _BEGINS.get(event):
            span = RegionSpan(region=region, what=what, began_at=at, ended_at=None, summary=summary)
            open_now.setdefault((region, what), span)
        elif begun := open_now.pop((region, _ENDS.get(event, "")), None):
            told.append(
                RegionSpan(
                    region=region,
                    what=begun.what,
                    began_at=begun.began_at,
                    ended_at=at,
                    summary=begun.summary,
                )
            )
    told += open_now.values()
    kept = [one for one in told if one.ended_at is None or one.ended_at >= since]
    return tuple(sorted(kept, key=lambda one: (one.region, one.began_at)))
