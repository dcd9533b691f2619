"""The `timezone:` of an entry."""

from typing import Any

from portquorum.inventory.decode import Entry
from portquorum.inventory.errors import Problem
from schemas.wall_clock import zone_named


def zone_problem(name: str | None, entry: Entry[Any]) -> Problem | None:
    """The problem of the entry's zone; None if there is none, or no zone is written."""
    if name is None or zone_named(name) is not None:
        return None
    expected = "expected a zone of the IANA time zone database such as Europe/Berlin"
    return Problem(entry.where("timezone"), f"{expected}, found {name!r}")
