"""Targets found by the filters of the list of targets, as lines of a status page."""

import re
from typing import Final

from msgspec.structs import replace

from portquorum.changing.errors import FieldError
from portquorum.changing.status_edits import WantedComponent
from portquorum.web.answers import TargetQuery, TargetRow
from portquorum.web.forms import component_lines
from portquorum.web.pages import targets
from portquorum.web.pages.address import Address
from portquorum.web.pages.filters import refuse_unknown
from portquorum.web.pages.number_words import fill
from portquorum.web.ports import Fleet
from portquorum.web.problem import ProblemError
from portquorum.web.words import ENGLISH

FIELD: Final = "filters"
_LONGEST: Final = 4_096
_ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]*:|:\d")
_S: Final = ENGLISH.posting


class NothingFoundError(ValueError):
    """Filters that can't be, or that find nothing or too much; `error` says it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.error = FieldError(field=FIELD, message=message)


def looked_for(text: str) -> TargetQuery:
    """The question of an address, a path or filters alone: `…/targets?team=shop`, `team=shop`.

    Raises:
        NothingFoundError: they are no filters.
    """
    filters = text[:_LONGEST].partition("#")[0].strip()
    filters = filters.partition("?")[2] if "?" in filters else filters
    address = Address.of(f"/targets?{filters}")
    try:
        refuse_unknown(address, targets.FILTERS)
    except ProblemError as error:
        raise NothingFoundError(error.problem.detail) from error
    if not address.pairs:
        raise NothingFoundError(ENGLISH.forms.needed)
    return targets.query_of(address)


def lines_of(fleet: Fleet, query: TargetQuery, group: str, typed: str) -> list[str]:
    """A line for each target by name; those that `typed` has in a line are left out.

    Raises:
        NothingFoundError: there is none, or too many.
    """
    most = targets.MOST_ON_A_PAGE
    found = fleet.targets(replace(query, sort="name", limit=most, cursor="", facets=False))
    if not found.total:
        raise NothingFoundError(_S.nothing_found)
    if found.total > most:
        raise NothingFoundError(fill(_S.too_many_found, most=most, n=found.total))
    groups = component_lines.read(typed).groups
    there = {one for each in groups for line in each.components for one in line.targets}
    return [
        component_lines.line_of(
            group.strip(), WantedComponent(name=public_name(row), targets=(row.id,))
        )
        for row in found.rows
        if row.id not in there
    ]


def public_name(row: TargetRow) -> str:
    """The name of a target if it says nothing of where it is, else none: somebody must choose."""
    name = row.name.lower()
    host = (row.host or "").lower()
    shows = (host and host in name) or row.place.lower() in name or _ADDRESS.search(name)
    return "" if shows or name == row.id else row.name[:100]
