"""Whether so many targets went down at once that one message says it."""

from collections.abc import Iterable
from typing import Final

from schemas.incident import IncidentEvent
from tests.unit.sinks.notifier.reference.sparing import DOWN_TYPES
from tests.unit.sinks.notifier.reference.subject import Subject

WITHIN_MS: Final = 60_000
FEWEST: Final = 10


def down(subjects: Iterable[Subject]) -> list[Subject]:
    """The incidents of which a target that is on a host is unreachable."""
    return [
        one
        for one in subjects
        if isinstance(one.event, IncidentEvent)
        and one.event.incident_type in DOWN_TYPES
        and one.event.kind not in {"heartbeat", "domain"}
        and not one.closed
    ]


def targets(subjects: Iterable[Subject]) -> int:
    return len({one.event.target for one in subjects if isinstance(one.event, IncidentEvent)})


def begins(subjects: Iterable[Subject], share: float, total: int, now: int) -> tuple[bool, bool]:
    """Whether it must be told that many went down within the last minute, and whether it may."""
    if not share or total < FEWEST:
        return False, False
    found = down(subjects)
    late = [one for one in found if min(one.opened_at) > now - WITHIN_MS and one.phase == "down"]
    early = [one for one in found if max(one.opened_at) >= now - WITHIN_MS]
    # "At least ten of them" may be said of all targets, or of those that are down.
    most = max(share * total, FEWEST - 0.5)
    return targets(late) > most, targets(early) > share * total


def over(subjects: Iterable[Subject], share: float, total: int, since: int) -> tuple[bool, bool]:
    """Whether it must be told that it is over, and whether it may; it began at `since`."""
    found = down(subjects)
    most = max(share * total, FEWEST)
    of_it = [one for one in found if max(one.opened_at) >= since and one.phase == "down"]
    return targets(found) < share * total / 2, targets(of_it) < most / 2
