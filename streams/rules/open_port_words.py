"""What the events of a port that must be closed say, in words (rules 6 and 9)."""

from typing import Final

from schemas.incident import ClosedBecause, IncidentType
from streams.diagnosis import Diagnosis, Facts
from streams.rules.consensus import Tally

_COMES_AND_GOES: Final = "opens and closes again and again"

OVER: Final[dict[IncidentType, str]] = {
    "unreachable": "is closed again, seen from every region",
    "flapping": "has been closed",
}
ENDED: Final[dict[ClosedBecause, str]] = {
    "target_changed": "was given another place, or may be open from now on; its incident ends",
    "steady": "no longer opens and closes, it stays open; its flapping ends",
    "flapping": f"{_COMES_AND_GOES}; an incident of its flapping takes over",
}


def summary(
    known: Facts, found: Diagnosis, counted: Tally, incident_type: IncidentType, again: str
) -> str:
    """The sentence of an event that tells how it is now, with its diagnosis."""
    place = known.target.place
    now = f"open from {counted.down} of {counted.configured} regions, and must be closed"
    if incident_type == "flapping":
        return f"{place} {_COMES_AND_GOES}; now it is {now}. {found.sentence}"
    return f"{place} is {'again ' if again else ''}{now}. {found.sentence}"


def progress(known: Facts, counted: Tally, incident_type: IncidentType) -> str:
    """The progress text while an incident approaches its closing."""
    place = known.target.place
    if incident_type == "flapping":
        return f"{place} {_COMES_AND_GOES}; now it is closed."
    if not counted.fresh:
        return (
            f"{place} is still an incident, and nobody looks: no region has a result that counts."
        )
    if not known.failing:
        return f"{place} is still an incident: not every region has found it closed again."
    still = ", ".join(known.failing_regions)
    closed = ", ".join(known.working) or "no region"
    return f"{place} is closed again, seen from {closed}; still open from {still}."
