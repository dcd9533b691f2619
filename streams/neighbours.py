"""The other targets of a host, looked at once for all incidents of that host."""

from schemas.incident import HostTarget, TargetStatus
from streams.consensus import status
from streams.neighbourhood import Neighbours
from streams.state import PartitionState
from streams.target_state import TargetState


def look_around(state: PartitionState, entry: TargetState) -> Neighbours:
    """Looks at every target of the host of `entry`, once while a record is applied."""
    around = state.around.get(entry.host_key)
    if around is None:
        around = state.around[entry.host_key] = _look(state, entry)
    return around


def note(state: PartitionState, entry: TargetState, said: TargetStatus) -> None:
    """A target has another status now: whoever looked at its host before has to know."""
    around = state.around.get(entry.host_key)
    if around is not None:
        around.turn(entry.id, said)


def host_targets(
    state: PartitionState, entry: TargetState, around: Neighbours
) -> tuple[HostTarget, ...]:
    """The other targets of the host as an event lists them, sorted by id."""
    return tuple(
        around.listed.get(other) or _list(state, other, around)
        for other in around.statuses
        if other != entry.id
    )


def _look(state: PartitionState, entry: TargetState) -> Neighbours:
    statuses: dict[str, TargetStatus] = {}
    counts: dict[TargetStatus, int] = {}
    kinds: dict[str, list[str]] = {}
    for target_id in state.on_host(entry.host_key):
        other = state.targets[target_id]
        said = statuses[target_id] = status(state, other)
        counts[said] = counts.get(said, 0) + 1
        kinds.setdefault(other.kind, []).append(target_id)
    return Neighbours(statuses, counts, kinds)


def _list(state: PartitionState, target_id: str, around: Neighbours) -> HostTarget:
    other = state.targets[target_id].target
    listed = around.listed[target_id] = HostTarget(
        target=target_id,
        name=other.name,
        kind=other.kind,
        port=other.port,
        status=around.statuses[target_id],
    )
    return listed
