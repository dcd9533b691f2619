"""The list of targets: search, filters with counts, a hundred rows."""

from collections.abc import Mapping, Sequence
from typing import Final, get_args

from portquorum.web.answers import STATES, Counts, TargetPage, TargetQuery, TargetSort
from portquorum.web.pages.address import Address
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer
from portquorum.web.words import ENGLISH

_STATES: Final = (*STATES, "expiring", "failing", "late")
SORTS: Final[tuple[TargetSort, ...]] = get_args(TargetSort)
DIMENSIONS: Final = (
    ("state", ENGLISH.state),
    ("team", ENGLISH.team),
    ("tag", ENGLISH.tag),
    ("kind", ENGLISH.kind),
    ("criticality", ENGLISH.criticality),
    ("region", ENGLISH.region),
    ("source", ENGLISH.source),
)
"""The filters, in their order on the page."""

FILTERS: Final[Mapping[str, Sequence[str]]] = {
    **dict.fromkeys(("q", *(name for name, _ in DIMENSIONS), "host", "cause", "cursor"), ()),
    "state": _STATES,
    "sort": SORTS,
}
"""What the page can be asked, with the values of what has few."""

_ORDERS: Final[tuple[tuple[TargetSort, str], ...]] = (
    ("state", ENGLISH.sort_state),
    ("name", ENGLISH.sort_name),
    ("host", ENGLISH.sort_host),
    ("team", ENGLISH.sort_team),
    ("since", ENGLISH.sort_since),
)
_LONGEST: Final = {"q": 200, "cursor": 2000, "cause": 500}
_MOST_VALUES: Final = 100
MOST_ON_A_PAGE: Final = 1_000
"""Targets that become components of a status page at once."""


def query_of(asked: Address) -> TargetQuery:
    """The question that a URL asks; a sort or state that there is none of is left out."""
    return TargetQuery(
        q=_text(asked, "q"),
        states=tuple(one for one in _many(asked, "state") if one in _STATES),
        teams=_many(asked, "team"),
        tags=_many(asked, "tag"),
        kinds=_many(asked, "kind"),
        criticalities=_many(asked, "criticality"),
        regions=_many(asked, "region"),
        sources=_many(asked, "source"),
        hosts=_many(asked, "host"),
        cause=_text(asked, "cause"),
        sort=next((one for one in SORTS if one == asked.value("sort")), "state"),
        cursor=_text(asked, "cursor"),
    )


def page(
    found: TargetPage, counts: Counts, query: TargetQuery, asked: Address, viewer: Viewer
) -> str:
    """The page as HTML; `counts` are those of the whole fleet."""
    return render(
        "targets.html",
        viewer,
        found.freshness,
        counts,
        page=found,
        query=query,
        asked=asked,
        dimensions=DIMENSIONS,
        orders=_ORDERS,
        is_filtered=bool(asked.others("sort")),
        bulk_path=asked.without(("sort",)).replace("/targets", "/targets/bulk", 1),
        status_path=_status_path(found, asked),
        active="targets",
        json_path=asked.with_path("/targets.json"),
        csv_path=asked.with_path("/targets.csv"),
    )


def _status_path(found: TargetPage, asked: Address) -> str:
    """Where a status page of what was found is made; empty: it is all, or too much for one."""
    if not asked.others("sort") or not 0 < found.total <= MOST_ON_A_PAGE:
        return ""
    return asked.without(("sort",)).replace("/targets", "/status-pages/new", 1)


def _many(asked: Address, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(asked.values(name)))[:_MOST_VALUES]


def _text(asked: Address, name: str) -> str:
    return asked.value(name)[: _LONGEST[name]]
