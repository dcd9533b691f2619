"""What happened to a domain, in the words of a subject line.

It is its registration that ends or has ended; nobody tried to reach anything.
"""

from typing import Final

from schemas.incident import IncidentEvent

ENDED: Final = "Registration Ended"
ENDS: Final = "Registration Ends Within Days"
STILL: Final[dict[str, str]] = {
    "unreachable": "Registration Still Not Renewed",
    "expiring": "Registration Still Ends Soon",
}
CLOSED: Final[dict[str, str]] = {
    "unreachable": "Registration Renewed",
    "expiring": "Registration Renewed",
}
WAS: Final[dict[str, str]] = {
    "unreachable": "Registration Was In Trouble",
    "expiring": "Registration Was About To End",
}
FINE: Final = "registered"
BETTER: Final = "Registration In Order, Seen From"


def opened(event: IncidentEvent) -> dict[str, str]:
    """What an opening says, by the type of the incident."""
    ended = any(verdict.reason == "domain_expired" for verdict in event.regions.values())
    return {"unreachable": ENDED if ended else ENDS, "expiring": "Registration Ends Soon"}
