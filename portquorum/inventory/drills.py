"""Resolves `drill:`, how often there shall be a fire drill."""

from collections.abc import Iterator
from typing import Final

from portquorum.inventory.decode import Entry
from portquorum.inventory.document import DrillEntry
from portquorum.inventory.duration import parse_ms
from portquorum.inventory.errors import Problem
from schemas.duration import DAY_MS, HOUR_MS
from schemas.policy import DRILLS, DrillPlan

_MOST_MS: Final = 366 * DAY_MS


def drill_plans(entries: list[Entry[DrillEntry]], problems: list[Problem]) -> Iterator[DrillPlan]:
    """The plan of an inventory, at most one; what is wrong is added to `problems`."""
    for place, entry in enumerate(entries):
        every = entry.value.every
        if place:
            first = entries[0].where()
            problems.append(Problem(entry.where(), f"`drill` stands at {first} already"))
        elif every is None:
            if "every" not in entry.dropped:
                problems.append(Problem(entry.where(), "expected `every`, such as 7d"))
        elif not HOUR_MS <= parse_ms(every) <= _MOST_MS:
            message = f"expected 1h to 366d, found {every!r}"
            problems.append(Problem(entry.where("every"), message))
        else:
            yield DrillPlan(name=DRILLS, every_ms=parse_ms(every))
