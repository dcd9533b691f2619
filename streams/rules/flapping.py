"""Rule 9: one `flapping` incident in place of many."""

from itertools import takewhile
from typing import Final

from streams.state.partition_state import PartitionState

LIMIT: Final = 6
"""So many transitions within `WITHIN_MS` are no flapping yet."""

WITHIN_MS: Final = 3_600_000
QUIET_MS: Final = 1_800_000
"""So long after the last transition it is over."""


def note(state: PartitionState, target_id: str) -> int:
    """Notes a transition of a target; how many there were within the hour, this one counted.

    Counts no further than needed.
    """
    recent = (*_recent(state, target_id)[-LIMIT:], state.running)
    state.transitions.pop(target_id, None)
    state.transitions[target_id] = recent  # at the end: see `forget`
    return len(recent)


def count(state: PartitionState, target_id: str) -> int:
    """How many transitions there were within the hour, as far as they are counted."""
    return len(_recent(state, target_id))


def forget(state: PartitionState) -> None:
    """Drops what lies too far back to count; what was noted last stands last."""
    since = state.running - WITHIN_MS
    over = takewhile(lambda target_id: state.transitions[target_id][-1] <= since, state.transitions)
    for target_id in list(over):
        del state.transitions[target_id]


def _recent(state: PartitionState, target_id: str) -> tuple[int, ...]:
    since = state.running - WITHIN_MS
    return tuple(at for at in state.transitions.get(target_id, ()) if at > since)
