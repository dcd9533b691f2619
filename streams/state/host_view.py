"""What is seen of a host: its targets, and how they are."""

from msgspec import Struct

from schemas.incident import HostTarget, TargetStatus


class Neighbours(Struct, gc=False):
    """The status of every target of a host, sorted by id, and how often each is.

    Before the running time `until`, time alone turns none of them. `kinds` has the ids of the
    targets by their kind, sorted; `listed` the targets as events list them, and `places` where each
    stands in it, or nothing while no event has.
    """

    statuses: dict[str, TargetStatus]
    counts: dict[TargetStatus, int]
    kinds: dict[str, list[str]]
    until: int
    listed: list[HostTarget] = []
    places: dict[str, int] = {}

    def others(self, target: str, *statuses: TargetStatus) -> int:
        """How many targets but `target` have one of `statuses`."""
        own = self.statuses[target] in statuses
        return sum(self.counts.get(one, 0) for one in statuses) - own

    def another(self, target: str, kind: str) -> str | None:
        """The first target of `kind` but `target`; None if there is no other."""
        ids = self.kinds.get(kind, ())
        return next((found for found in ids[:2] if found != target), None)

    def turn(self, target: str, status: TargetStatus) -> None:
        """Notes that a target has another status now."""
        self.counts[self.statuses[target]] -= 1
        self.counts[status] = self.counts.get(status, 0) + 1
        self.statuses[target] = status
        if self.listed:
            known = self.listed[self.places[target]]
            self.listed[self.places[target]] = HostTarget(
                target=target, name=known.name, kind=known.kind, port=known.port, status=status
            )
