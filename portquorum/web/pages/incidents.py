"""The list of incidents: open ones from memory, older ones from the history."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from portquorum.web.answers import Counts, Freshness, IncidentQuery, IncidentRow
from portquorum.web.history.stored_history import IncidentQuery as PastQuery
from portquorum.web.pages.address import Address
from portquorum.web.pages.rendering import render
from portquorum.web.pages.viewer import Viewer
from portquorum.web.words import ENGLISH

Which = Literal["open", "closed", "all"]
WHICH: Final[tuple[tuple[Which, str], ...]] = (
    ("open", ENGLISH.only_open),
    ("closed", ENGLISH.only_closed),
    ("all", ENGLISH.open_and_closed),
)
_STATES: Final = {
    "down": "unreachable",
    "flapping": "flapping",
    "slow": "slow",
    "expiring": "expiring",
}
"""The states of incidents, and their types in the history."""

_SEVERITIES: Final = ("critical", "warning", "info")
FILTERS: Final[Mapping[str, Sequence[str]]] = {
    **dict.fromkeys(("q", "team", "tag", "target", "host", "cursor"), ()),
    "status": tuple(name for name, _ in WHICH),
    "state": tuple(_STATES),
    "severity": _SEVERITIES,
}
"""What the page can be asked, with the values of what has few."""

_MOST_VALUES: Final = 100


class IncidentsView(Struct, frozen=True, kw_only=True):
    """What the page shows. `trouble`: why these are not all."""

    rows: tuple[IncidentRow, ...]
    total: int
    next_cursor: str
    trouble: str = ""


def which_of(asked: Address) -> Which:
    """Which incidents a URL asks for; open ones if it does not say."""
    return next((name for name, _ in WHICH if name == asked.value("status")), "open")


def query_of(asked: Address) -> IncidentQuery:
    """The question to memory."""
    return IncidentQuery(
        q=asked.value("q")[:200],
        is_open={"open": True, "closed": False, "all": None}[which_of(asked)],
        states=tuple(one for one in _many(asked, "state") if one in _STATES),
        severities=tuple(one for one in _many(asked, "severity") if one in _SEVERITIES),
        teams=_many(asked, "team"),
        tags=_many(asked, "tag"),
        targets=_many(asked, "target"),
        hosts=_many(asked, "host"),
        cursor=asked.value("cursor")[:2000],
    )


def past_query_of(asked: Address) -> PastQuery:
    """The question to the history; a host is asked for as a part of one."""
    query = query_of(asked)
    which = which_of(asked)
    return PastQuery(
        status="" if which == "all" else which,
        q=query.q or "".join(query.hosts[:1]),
        targets=query.targets,
        teams=query.teams,
        tags=query.tags,
        types=tuple(_STATES[one] for one in query.states),
        severities=query.severities,
    )


def page(
    found: IncidentsView, freshness: Freshness, counts: Counts, asked: Address, viewer: Viewer
) -> str:
    """The page as HTML; `counts` are those of the whole fleet."""
    shown = which_of(asked)
    twin = "/incidents" if shown == "open" else "/history/incidents"
    return render(
        "incidents.html",
        viewer,
        freshness,
        counts,
        rows=found.rows,
        total=found.total,
        next_cursor=found.next_cursor,
        trouble=found.trouble,
        asked=asked,
        which=WHICH,
        shown=shown,
        is_filtered=bool(asked.others("status")),
        active="incidents",
        json_path=asked.with_path(f"{twin}.json"),
        csv_path=asked.with_path(f"{twin}.csv"),
    )


def _many(asked: Address, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(asked.values(name)))[:_MOST_VALUES]
