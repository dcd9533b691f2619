"""The targets by one dimension: a row a team, with a strip of those that are not up."""

from collections.abc import Mapping, Sequence
from typing import Final

from portquorum.web.answers import STATES, Counts, GroupRow, Mark, State
from portquorum.web.fleet.inventory import Dimension, Inventory, Row, values_in
from portquorum.web.fleet.row_set import RowSet
from portquorum.web.fleet.tally import FLAGS, Tally

WIDTH: Final = 1000
"""Thousandths of a strip."""

MOST_MARKS: Final = 60
"""Marks of a strip; with more, neighbours are one: the worst state of them."""

STRIPS: Final = 100
"""Groups, the worst first, that have a strip: making one sorts its members."""

_WORST: Final[Mapping[State, int]] = {state: number for number, state in enumerate(STATES)}
_NOT_UP: Final[tuple[State, ...]] = tuple(state for state in STATES if state != "up")

_Wrong = Mapping[str, Sequence[Row]]
"""By state or flag the rows of a group."""
_ByValue = dict[str, list[Row]]


class GroupTable:
    """Rows of groups; the order of a group's members is kept until one of them changes."""

    def __init__(self, inventory: Inventory, tally: Tally) -> None:
        self._inventory = inventory
        self._tally = tally
        self._places: dict[tuple[Dimension, str], tuple[int, dict[Row, int]]] = {}
        self._kept: dict[Dimension, tuple[int, int, list[GroupRow]]] = {}
        self._of_state: dict[tuple[Dimension, str], tuple[int, int, _ByValue]] = {}
        self._marked: dict[tuple[Dimension, str], tuple[int, _Wrong, tuple[Mark, ...]]] = {}

    def warm(self) -> None:
        """Makes what the overview needs, so that the first who asks does not wait for it."""
        self.rows("team")

    def rows(self, dimension: Dimension) -> Sequence[GroupRow]:
        """All groups, the worst first: most down, flapping, slow, unknown; then by name."""
        now = self._inventory.version, self._tally.version
        kept = self._kept.get(dimension)
        if kept is not None and kept[:2] == now:
            return kept[2]
        found = self._rows(dimension)
        self._kept[dimension] = (*now, found)
        return found

    def _rows(self, dimension: Dimension) -> list[GroupRow]:
        groups = self._inventory.values(dimension)
        wrong: dict[str, dict[str, list[Row]]] = {}
        for state in (*_NOT_UP, *FLAGS):
            for value, rows in self._by_value(dimension, state).items():
                wrong.setdefault(value, {})[state] = rows
        ranked = sorted(groups, key=lambda value: _badness(value, wrong.get(value, {})))
        self._drop_old(dimension, groups)
        return [
            GroupRow(
                name=value,
                counts=_counts(groups[value].count, wrong.get(value, {})),
                marks=self._marks(dimension, value, wrong.get(value, {}))
                if number < STRIPS
                else (),
            )
            for number, value in enumerate(ranked)
        ]

    def _by_value(self, dimension: Dimension, state: str) -> "_ByValue":
        """The rows in a state by their values, kept until one comes or goes."""
        rows = self._set(state)
        now = self._inventory.version, rows.version
        kept = self._of_state.get((dimension, state))
        if kept is not None and kept[:2] == now:
            return kept[2]
        found: _ByValue = {}
        records = self._inventory.records
        for row in rows:
            record = records[row]
            if record is not None:
                for value in values_in(record, dimension):
                    found.setdefault(value, []).append(row)
        self._of_state[dimension, state] = (*now, found)
        return found

    def _set(self, state: str) -> RowSet:
        flag = self._tally.of_flag.get(state)
        if flag is not None:
            return flag
        return next(rows for name, rows in self._tally.of_state.items() if name == state)

    def _marks(self, dimension: Dimension, value: str, wrong: "_Wrong") -> tuple[Mark, ...]:
        """The strip of a group, kept until one of its members is otherwise."""
        version = self._inventory.member_version(dimension, value)
        kept = self._marked.get((dimension, value))
        if kept is not None and kept[0] == version and kept[1] == wrong:
            return kept[2]
        marks = self._made_marks(dimension, value, wrong)
        self._marked[dimension, value] = version, wrong, marks
        return marks

    def _made_marks(self, dimension: Dimension, value: str, wrong: "_Wrong") -> tuple[Mark, ...]:
        states: dict[Row, State] = {row: state for state in _NOT_UP for row in wrong.get(state, ())}
        if not states:
            return ()
        places = self._places_in(dimension, value)
        size = len(places)
        runs: list[tuple[int, int, State, int]] = []
        for place, row in sorted((places[row], row) for row in states):
            state = states[row]
            if runs and runs[-1][1] == place and runs[-1][2] == state:
                begin, _, _, count = runs[-1]
                runs[-1] = begin, place + 1, state, count + 1
            else:
                runs.append((place, place + 1, state, 1))
        marks = (
            Mark(
                begin=begin * WIDTH // size,
                end=max(begin * WIDTH // size + 1, end * WIDTH // size),
                state=state,
                targets=count,
            )
            for begin, end, state, count in runs
        )
        return _fewer(tuple(marks))

    def _places_in(self, dimension: Dimension, value: str) -> dict[Row, int]:
        """By row its place among the members, by name."""
        version = self._inventory.member_version(dimension, value)
        kept = self._places.get((dimension, value))
        if kept is not None and kept[0] == version:
            return kept[1]
        rank = self._inventory.rank()
        members = sorted(self._inventory.values(dimension)[value], key=rank.__getitem__)
        places = {row: place for place, row in enumerate(members)}
        self._places[dimension, value] = version, places
        return places

    def _drop_old(self, dimension: Dimension, groups: Mapping[str, RowSet]) -> None:
        if len(self._places) > 2 * STRIPS + len(groups):
            self._places = {
                key: kept
                for key, kept in self._places.items()
                if key[0] == dimension and key[1] in groups
            }
        if len(self._marked) > 2 * STRIPS + len(groups):
            self._marked = {
                key: kept
                for key, kept in self._marked.items()
                if key[0] == dimension and key[1] in groups
            }


def _badness(value: str, wrong: Mapping[str, Sequence[Row]]) -> tuple[tuple[int, ...], str]:
    shown = ("down", "flapping", "slow", "unknown", "pending")
    return tuple(-len(wrong.get(state, ())) for state in shown), value.lower()


def _counts(total: int, wrong: Mapping[str, Sequence[Row]]) -> Counts:
    numbers = {state: len(rows) for state, rows in wrong.items()}
    not_up = sum(count for state, count in numbers.items() if state not in FLAGS)
    return Counts(**numbers, up=total - not_up, total=total)


def _fewer(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """The marks, of many each part of the strip as one, in its worst state."""
    if len(marks) <= MOST_MARKS:
        return marks
    part = WIDTH // MOST_MARKS + 1
    parts: dict[int, list[Mark]] = {}
    for mark in marks:
        parts.setdefault(mark.begin // part, []).append(mark)
    return tuple(
        Mark(
            begin=ones[0].begin,
            end=max(one.end for one in ones),
            state=min((one.state for one in ones), key=_WORST.__getitem__),
            targets=sum(one.targets for one in ones),
        )
        for ones in parts.values()
    )
