"""Rule 9: one `flapping` incident replaces many."""

from itertools import takewhile
from typing import Final

from schemas.duration import HOUR_MS
from streams.state.partition_state import PartitionState

LIMIT: Final = 6
"""Transitions within `WITHIN_MS` that do not yet count as flapping."""

WITHIN_MS: Final = HOUR_MS
QUIET_MS: Final = 1_800_000
"""Time after the last transition until flapping is over, in ms."""


def note(state: PartitionState, target_id: str) -> int:
    """Records a transition of a target; returns the number within the hour, this one included.

    Counts no further than needed.
    """
    recent = (*_recent(state, target_id)[-LIMIT:], state.running)
    state.transitions.pop(target_id, None)
    state.transitions[target_id] = recent  # at the end: see `forget`
    return len(recent)


def count(state: PartitionState, target_id: str) -> int:
    """Number of transitions within the hour, up to the limit of the count."""
    return len(_recent(state, target_id))


def forget(state: PartitionState) -> None:
    """Drops targets with transitions too old to count; they are sorted by the last transition."""
    since = state.running - WITHIN_MS
    over = takewhile(lambda target_id: state.transitions[target_id][-1] <= since, state.transitions)
    for target_id in list(over):
        del state.transitions[target_id]


def _recent(state: PartitionState, target_id: str) -> tuple[int, ...]:
    since = state.running - WITHIN_MS
    return tuple(at for at in state.transitions.get(target_id, ()) if at > since)
