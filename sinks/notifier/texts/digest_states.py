"""What is true of an incident of a digest: what it is listed and counted under."""

from typing import Final

from msgspec import Struct

from schemas.incident import IncidentEvent
from sinks.notifier.model import Action
from sinks.notifier.texts import words


class State(Struct, frozen=True):
    """What is true of some incidents of a digest, the worst with the lowest rank.

    `counted` follows a number in a heading: `12 Down`. No two states share a rank.
    """

    rank: int
    title: str
    counted: str


_DOWN: Final = State(0, "Down", "Down")
STILL: Final = State(1, "Still down", "Still Down")
_OPEN_PORT: Final = State(2, "Open, and must be closed", "Open")
_STILL_OPEN: Final = State(3, "Still open, and must be closed", "Still Open")
_NOT_RENEWED: Final = State(4, "Domains not renewed", "With Registrations Not Renewed")
_JOBS: Final = State(5, "Jobs that failed or did not report", "Jobs In Trouble")
_OPEN: Final = {
    "unreachable": _DOWN,
    "flapping": State(6, "Flapping", "Flapping"),
    "slow": State(7, "Slow", "Slow"),
    "expiring": State(9, "Certificates that end soon", "With Certificates That End Soon"),
}
_OPEN_OF_DOMAINS: Final = {
    "unreachable": _NOT_RENEWED,
    "expiring": State(10, "Domains that end soon", "With Registrations That End Soon"),
}
_TROUBLE: Final = State(8, "In trouble", "In Trouble")
_BETTER: Final = State(11, "Better, not from every region yet", "Better")
_GOES_ON: Final = State(12, "Going on", "Going On")
ENDED: Final = State(13, "Over, not seen to recover", "Over, Not Seen To Recover")
_WAS: Final = State(14, "Came and went before anybody could be told", "Already Over")
_RECOVERED: Final = {
    "unreachable": State(15, "Reachable again", "Reachable Again"),
    "flapping": State(17, "Steady again", "Steady Again"),
    "slow": State(18, "Fast again", "Fast Again"),
    "expiring": State(19, "Certificates renewed", "Renewed"),
}
_RENEWED: Final = State(20, "Domains renewed", "Renewed")
_CLOSED_AGAIN: Final = State(16, "Closed again", "Closed Again")
_SUCCEEDED: Final = State(21, "Jobs that succeeded again", "Jobs That Succeeded Again")
_WELL: Final = State(22, "Over", "Over")


def state_of(event: IncidentEvent, action: Action) -> State:
    """The state of an incident, by its newest event and what its channel is told."""
    open_port = words.must_be_closed(event) and event.incident_type == "unreachable"
    if action == "missed":
        return _WAS
    if event.event == "closed":
        well = _CLOSED_AGAIN if open_port else _recovered(event)
        return well if event.closed_because == "recovered" else ENDED
    if words.better(event):
        return _BETTER
    if action == "reminder" and event.incident_type == "unreachable" and not is_no_host(event):
        return _STILL_OPEN if open_port else STILL
    begun = _OPEN_PORT if open_port else _open(event)
    return _GOES_ON if action == "updated" else begun


def _recovered(event: IncidentEvent) -> State:
    if words.of_job(event) and event.incident_type == "unreachable":
        return _SUCCEEDED
    return _RENEWED if words.of_domain(event) else _RECOVERED.get(event.incident_type, _WELL)


def is_no_host(event: IncidentEvent) -> bool:
    """Whether it says nothing of a host: it is about a domain or a job."""
    return words.of_domain(event) or words.of_job(event)


def _open(event: IncidentEvent) -> State:
    if words.of_job(event) and event.incident_type == "unreachable":
        return _JOBS
    states = _OPEN | _OPEN_OF_DOMAINS if words.of_domain(event) else _OPEN
    return states.get(event.incident_type, _TROUBLE)
