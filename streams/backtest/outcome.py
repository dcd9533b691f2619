"""The incidents that a policy opens in a history."""

from msgspec import Struct

from schemas.incident import ClosedBecause, IncidentEvent, IncidentType
from schemas.result import Reason


class PastIncident(Struct, frozen=True, gc=False, kw_only=True):
    """An incident that a policy opens in the history. Times are UTC ms of the log.

    `closed_at` is None if the history ends first; `worsened_at` are the times at which it was down
    again. At the opening, `down` of `fresh` regions with a
    fresh result agreed; `configured` regions check the target. `reasons` are the distinct reasons,
    in the order of the regions' names.
    """

    target: str
    incident_type: IncidentType
    first_failed_at: int
    opened_at: int
    closed_at: int | None
    closed_because: ClosedBecause | None
    down: int
    fresh: int
    configured: int
    reasons: tuple[Reason, ...]
    worsened_at: tuple[int, ...] = ()

    @property
    def detect_ms(self) -> int:
        """Time from the first failure to the opening, in ms."""
        return max(0, self.opened_at - self.first_failed_at)

    def ends_at(self, until: int) -> int:
        """Time of the closing; `until`, the end of the history, if it is open."""
        return until if self.closed_at is None else self.closed_at

    def lasted_ms(self, until: int) -> int:
        """Time from the first failure to the closing, in ms."""
        return max(0, self.ends_at(until) - self.first_failed_at)


def opened(event: IncidentEvent) -> PastIncident:
    """The incident that an `opened` event describes."""
    reasons = dict.fromkeys(
        said.reason
        for said in event.regions.values()
        if said.reason is not None and said.verdict in {"down", "slow"}
    )
    return PastIncident(
        target=event.target,
        incident_type=event.incident_type,
        first_failed_at=event.first_failed_at,
        opened_at=event.opened_at,
        closed_at=None,
        closed_because=None,
        down=event.votes.down,
        fresh=event.votes.fresh,
        configured=event.votes.configured,
        reasons=tuple(reasons),
    )
