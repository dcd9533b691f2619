"""The view of a host: its targets and their statuses."""

from msgspec import Struct

from schemas.incident import HostTarget, TargetStatus


class Neighbours(Struct, gc=False):
    """The status of every target of a host, sorted by id, and the count of each status.

    Before the running time `until`, time alone changes none of them. `kinds` has the ids of the
    targets by kind, sorted; `closed` what each port that must be closed tells of the host (None:
    nothing): these are of no kind, and count as that. `listed` has the targets in the form of
    events, and `places` the index of each in it, or nothing before the first event.
    """

    statuses: dict[str, TargetStatus]
    counts: dict[TargetStatus, int]
    kinds: dict[str, list[str]]
    until: int
    closed: dict[str, TargetStatus | None] = {}
    listed: list[HostTarget] = []
    places: dict[str, int] = {}

    def others(self, target: str, *statuses: TargetStatus) -> int:
        """Number of targets other than `target` with one of `statuses`."""
        own = self.closed.get(target, self.statuses[target]) in statuses
        return sum(self.counts.get(one, 0) for one in statuses) - own

    def another(self, target: str, kind: str) -> str | None:
        """The first other target of `kind`; None if there is none."""
        ids = self.kinds.get(kind, ())
        return next((found for found in ids[:2] if found != target), None)

    def turn(self, target: str, status: TargetStatus) -> None:
        """Records the new status of a target that should be open."""
        self.counts[self.statuses[target]] -= 1
        self.counts[status] = self.counts.get(status, 0) + 1
        self.statuses[target] = status
        if self.listed:
            known = self.listed[self.places[target]]
            self.listed[self.places[target]] = HostTarget(
                target=target, name=known.name, kind=known.kind, port=known.port, status=status
            )
