"""Which target is in which state, and how many: kept with each change, never counted again."""

from typing import Final

from portquorum.web.answers import STATES, Counts, State
from portquorum.web.fleet.row_set import RowSet

FLAGS: Final = ("expiring", "failing", "late")
"""What counts beside the states."""

_NUMBER: Final[dict[State, int]] = {state: number for number, state in enumerate(STATES)}
_NO_STATE: Final = len(STATES)


class Tally:
    """The rows of each state and flag. A row without a target is in none."""

    def __init__(self) -> None:
        self.version = 0
        """Grows with each change of a state or flag."""
        self.of_state: dict[State, RowSet] = {state: RowSet() for state in STATES}
        self.of_flag: dict[str, RowSet] = {flag: RowSet() for flag in FLAGS}
        self.resolved = RowSet()
        """The rows that are down without an incident: somebody closed it by hand."""
        self._states = bytearray()

    def state(self, row: int) -> State | None:
        """The state of a row; None: it has no target."""
        number = self._states[row] if row < len(self._states) else _NO_STATE
        return None if number == _NO_STATE else STATES[number]

    def put(
        self,
        row: int,
        state: State,
        *,
        expiring: bool,
        failing: bool,
        late: bool = False,
        resolved: bool = False,
    ) -> bool:
        """A row is in `state` now; True if it was in another one, or a flag changed."""
        if row >= len(self._states):
            self._states.extend([_NO_STATE] * (row + 1 - len(self._states)))
        before = self._states[row]
        changed = before != _NUMBER[state]
        if changed:
            if before != _NO_STATE:
                self.of_state[STATES[before]].discard(row)
            self.of_state[state].add(row)
            self._states[row] = _NUMBER[state]
        changed |= _put(self.of_flag["expiring"], row, there=expiring)
        changed |= _put(self.of_flag["failing"], row, there=failing)
        changed |= _put(self.of_flag["late"], row, there=late)
        changed |= _put(self.resolved, row, there=resolved)
        self.version += changed
        return changed

    def remove(self, row: int) -> None:
        """A row has no target any more."""
        state = self.state(row)
        if state is not None:
            self.of_state[state].discard(row)
            self._states[row] = _NO_STATE
            self.version += 1
        for rows in (*self.of_flag.values(), self.resolved):
            rows.discard(row)

    def counts(self) -> Counts:
        """The numbers of all targets."""
        numbers = {state: rows.count for state, rows in self.of_state.items()}
        return Counts(
            **numbers,
            **{flag: rows.count for flag, rows in self.of_flag.items()},
            total=sum(numbers.values()),
        )

    def counts_in(self, mask: int, bits: bytes) -> Counts:
        """The numbers of the rows in a mask."""
        numbers = {state: rows.count_in(mask, bits) for state, rows in self.of_state.items()}
        return Counts(
            **numbers,
            **{flag: rows.count_in(mask, bits) for flag, rows in self.of_flag.items()},
            total=mask.bit_count(),
        )


def _put(rows: RowSet, row: int, *, there: bool) -> bool:
    """A row is in a set, or not; True if that is new."""
    if there == (row in rows):
        return False
    if there:
        rows.add(row)
    else:
        rows.discard(row)
    return True
