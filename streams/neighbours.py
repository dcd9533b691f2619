"""The other targets of a host, looked at once for all incidents of that host."""

from msgspec import Struct

from schemas.incident import HostTarget, TargetStatus
from streams.consensus import status
from streams.state import PartitionState
from streams.target_state import TargetState


class Neighbours(Struct, frozen=True, gc=False):
    """The status of every target of a host at one moment, sorted by id, and how often each is.

    `kinds` has the ids of the targets by their kind, sorted.
    """

    statuses: dict[str, TargetStatus]
    counts: dict[TargetStatus, int]
    kinds: dict[str, list[str]]

    def others(self, target: str, *statuses: TargetStatus) -> int:
        """How many targets but `target` have one of `statuses`."""
        own = self.statuses[target] in statuses
        return sum(self.counts.get(one, 0) for one in statuses) - own

    def another(self, target: str, kind: str) -> str | None:
        """The first target of `kind` but `target`; None if there is no other."""
        ids = self.kinds.get(kind, ())
        return next((found for found in ids[:2] if found != target), None)


def look_around(state: PartitionState, entry: TargetState) -> Neighbours:
    """Looks at every target of the host of `entry`."""
    statuses: dict[str, TargetStatus] = {}
    counts: dict[TargetStatus, int] = {}
    kinds: dict[str, list[str]] = {}
    for target_id in state.on_host(entry.host_key):
        other = state.targets[target_id]
        said = statuses[target_id] = status(state, other)
        counts[said] = counts.get(said, 0) + 1
        kinds.setdefault(other.kind, []).append(target_id)
    return Neighbours(statuses, counts, kinds)


def host_targets(
    state: PartitionState, entry: TargetState, around: Neighbours
) -> tuple[HostTarget, ...]:
    """The other targets of the host as an event lists them, sorted by id."""
    found = []
    for other_id, said in around.statuses.items():
        if other_id == entry.id:
            continue
        other = state.targets[other_id].target
        found.append(
            HostTarget(
                target=other_id, name=other.name, kind=other.kind, port=other.port, status=said
            )
        )
    return tuple(found)
