"""What happens to windows and incidents when the inventory changes."""

from itertools import takewhile

from msgspec import structs

from schemas.control import TargetRemoved
from schemas.incident import ClosedBecause, IncidentEvent
from schemas.target import Target
from streams.rules import incidents
from streams.rules.ids import Deciding
from streams.state.freshness import LONGEST_LATE_MS
from streams.state.partition_state import PartitionState, Removed
from streams.state.target_state import TargetState


def set_target(state: PartitionState, target: Target, deciding: Deciding) -> list[IncidentEvent]:
    """Adds or changes a target; an older definition than the known one is ignored.

    Another kind, host or port is another thing: its open incident closes (`target_changed`) and
    its windows start anew. Otherwise the windows of the regions that stay are kept.
    """
    # What only reports read is not kept: a new price must not look like a new definition.
    target = structs.replace(
        target,
        regions=tuple(dict.fromkeys(target.regions)),
        slo=None,
        downtime_cost_per_hour=None,
    )
    old = state.targets.get(target.id)
    if old is None:
        removed = state.removed.get(target.id)
        state.put(target, floor=removed.floor if removed else 0)
        state.removed.pop(target.id, None)
        return []
    known = old.target
    if target.version < known.version or target == known:
        return []
    if _moved(known, target):
        events = _close_all(state, old, deciding, "target_changed")
        state.transitions.pop(target.id, None)
        state.put(target, floor=state.newest(old))
        return events
    # A region that comes back must not hear again what it said before it went.
    gone = set(known.regions) - set(target.regions)
    entry = state.put(target, floor=state.newest(old) if gone else old.floor, kept=old)
    return incidents.judge(state, entry, deciding)


def remove_target(
    state: PartitionState, removal: TargetRemoved, deciding: Deciding
) -> list[IncidentEvent]:
    """Removes a target and closes its incident; a removal older than the definition is ignored."""
    entry = state.targets.get(removal.target)
    if entry is None or removal.version < entry.target.version:
        return []
    because: ClosedBecause = "target_removed" if removal.because == "removed" else "target_changed"
    events = _close_all(state, entry, deciding, because)
    state.transitions.pop(entry.id, None)
    newest = state.newest(entry)
    state.remove(removal.target)
    state.removed[removal.target] = Removed(newest, state.running + LONGEST_LATE_MS)
    return events


def _close_all(
    state: PartitionState, entry: TargetState, deciding: Deciding, because: ClosedBecause
) -> list[IncidentEvent]:
    return [
        incidents.close(state, entry, incident, deciding, because) for incident in entry.incidents
    ]


def forget_removed(state: PartitionState) -> None:
    """Drops what is kept of targets whose old results are stale by now.

    What was removed last stands last: all are kept for the same time.
    """
    over = takewhile(lambda name: state.removed[name].until < state.running, state.removed)
    for name in list(over):
        del state.removed[name]


def _moved(old: Target, new: Target) -> bool:
    return (old.kind, old.host, old.port) != (new.kind, new.host, new.port)
