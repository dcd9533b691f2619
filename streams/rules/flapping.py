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

SLOW_LIMIT: Final = 12
"""Transitions within `SLOW_WITHIN_MS` that do not yet count as flapping."""

SLOW_WITHIN_MS: Final = 6 * HOUR_MS
SLOW_QUIET_MS: Final = 2 * HOUR_MS
"""Time after the last recovery until slow flapping is over, in ms: more than its longest cycle.

`SLOW_LIMIT` transitions within `SLOW_WITHIN_MS` are a cycle of an hour."""


def note(state: PartitionState, target_id: str) -> None:
    """Records a transition of a target; keeps no more than the limits need."""
    recent = (*_recent(state, target_id, SLOW_WITHIN_MS)[-SLOW_LIMIT:], state.running)
    state.transitions.pop(target_id, None)
    state.transitions[target_id] = recent  # at the end: see `forget`


def exceeded_by_next(state: PartitionState, target_id: str) -> bool:
    """True if one more transition now is more than a limit allows."""
    return count(state, target_id) >= LIMIT or count_slow(state, target_id) >= SLOW_LIMIT


def count(state: PartitionState, target_id: str) -> int:
    """Number of transitions within `WITHIN_MS`, up to `SLOW_LIMIT` + 1."""
    return len(_recent(state, target_id, WITHIN_MS))


def count_slow(state: PartitionState, target_id: str) -> int:
    """Number of transitions within `SLOW_WITHIN_MS`, up to `SLOW_LIMIT` + 1."""
    return len(_recent(state, target_id, SLOW_WITHIN_MS))


def quiet_ms(state: PartitionState, target_id: str, *, down: bool) -> int:
    """Time after the last transition until the flapping of a target is over, in ms.

    Longer for a target that is up and flaps slowly: it would be over in each cycle. An outage of
    `QUIET_MS` is told, whatever the cycle.
    """
    transitions = state.transitions.get(target_id, ())
    if down or (len(transitions) > LIMIT and transitions[-1] - transitions[-LIMIT - 1] < WITHIN_MS):
        return QUIET_MS
    return SLOW_QUIET_MS


def forget(state: PartitionState) -> None:
    """Drops targets with transitions too old to count; they are sorted by the last transition."""
    since = state.running - SLOW_WITHIN_MS
    over = takewhile(lambda target_id: state.transitions[target_id][-1] <= since, state.transitions)
    for target_id in list(over):
        del state.transitions[target_id]


def _recent(state: PartitionState, target_id: str, within_ms: int) -> tuple[int, ...]:
    since = state.running - within_ms
    return tuple(at for at in state.transitions.get(target_id, ()) if at > since)
