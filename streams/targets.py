"""What happens to windows and incidents when the inventory changes."""

from schemas.control import TargetRemoved
from schemas.incident import ClosedBecause, IncidentEvent
from schemas.target import Target
from streams import incidents
from streams.ids import Deciding
from streams.state import PartitionState, TargetState, Window


def set_target(state: PartitionState, target: Target, deciding: Deciding) -> list[IncidentEvent]:
    """Adds or changes a target; an older definition than the known one is ignored.

    Another kind, host or port is another thing: its open incident closes (`target_changed`) and
    its windows start anew. Otherwise the windows of the regions that stay are kept.
    """
    old = state.targets.get(target.id)
    if old is None:
        state.add(TargetState(target, [None] * len(target.regions)))
        return []
    if target.version < old.target.version or target == old.target:
        return []
    events = []
    if _moved(old.target, target):
        if old.incident is not None:
            events.append(incidents.close(state, old, deciding, "target_changed"))
        state.add(TargetState(target, [None] * len(target.regions)))
        return events
    kept: dict[str, Window | None] = dict(zip(old.target.regions, old.windows, strict=True))
    entry = TargetState(
        target, [kept.get(region) for region in target.regions], old.incident, old.held
    )
    state.add(entry)
    event = incidents.judge(state, entry, deciding)
    state.note_heat(entry)
    return [event] if event else []


def remove_target(
    state: PartitionState, removal: TargetRemoved, deciding: Deciding
) -> list[IncidentEvent]:
    """Removes a target and closes its incident; a removal older than the definition is ignored."""
    entry = state.targets.get(removal.target)
    if entry is None or removal.version < entry.target.version:
        return []
    events = []
    if entry.incident is not None:
        because: ClosedBecause = (
            "target_removed" if removal.because == "removed" else "target_changed"
        )
        events.append(incidents.close(state, entry, deciding, because))
    state.remove(removal.target)
    return events


def _moved(old: Target, new: Target) -> bool:
    return (old.kind, old.host, old.port) != (new.kind, new.host, new.port)
