"""Finds the targets of a query: masks of rows, facets with counts, a page in an order."""

from collections.abc import Callable, Collection, Iterator, Sequence
from heapq import nsmallest
from itertools import islice
from typing import Final

from msgspec import Struct

from portquorum.web.answers import STATES, Facet, State, TargetQuery
from portquorum.web.fleet.cursor import CursorError, decode
from portquorum.web.fleet.inventory import DIMENSIONS, Dimension, Inventory, Row, after, before
from portquorum.web.fleet.row_set import RowSet, bits_of, mask_of, rows_of
from portquorum.web.fleet.tally import FLAGS, Tally

FACETS_SHOWN: Final = 50
FACETS_COUNTED: Final = 200
"""Values of a dimension, the most frequent ones, that are counted for a filtered page."""

MOST_WORDS: Final = 8
"""Words of a search that are looked for; each looks through all texts."""

_FEW: Final = 4_000
"""Rows up to which they are sorted for themselves, in place of a walk through all."""

STATE: Final = "state"


class Found(Struct, frozen=True):
    """The rows of a query, and of each dimension those that its own choice would not leave out."""

    mask: int
    without: dict[str, int]


class TargetFinder:
    """Answers queries from the inventory and the tally."""

    def __init__(
        self,
        inventory: Inventory,
        tally: Tally,
        since_of: Callable[[Row], int | None],
        version: Callable[[], int],
    ) -> None:
        """`since_of`: by row, since when; `version` grows with each change of that."""
        self._inventory = inventory
        self._tally = tally
        self._since_of = since_of
        self._version = version
        self._timed: tuple[int, list[Row], dict[Row, int]] = (-1, [], {})
        self._orders: dict[str, tuple[int, list[Row]]] = {}
        self._likely: dict[str, tuple[int, Sequence[str]]] = {}

    def find(self, query: TargetQuery, of_cause: Collection[str] | None) -> Found:
        """The rows of a query. `of_cause`: the ids that its cause allows; None: any."""
        base = self._inventory.search(words_of(query.q))
        if of_cause is not None:
            row_of = self._inventory.row_of
            base &= mask_of(row_of[one] for one in of_cause if one in row_of)
        if query.hosts:
            base &= mask_of(row for host in query.hosts for row in self._inventory.of_host(host))
        if query.since is not None or query.until is not None:
            base &= mask_of(self._between(query.since, query.until))
        chosen = {name: self._mask_of(name, values) for name, values in choices(query).items()}
        without = {
            name: _all_but(base, chosen, name) for name in (STATE, *DIMENSIONS) if name in chosen
        }
        mask = base
        for one in chosen.values():
            mask &= one
        return Found(mask, without)

    def facets(self, query: TargetQuery, found: Found) -> dict[str, tuple[Facet, ...]]:
        """The values of each dimension, the most frequent first; states in their order."""
        chosen = choices(query)
        bits = bits_of(found.mask)
        answer = {STATE: self._state_facets(found, chosen.get(STATE, ()))}
        everything = found.mask == self._inventory.all.mask()
        for name in DIMENSIONS:
            mask = found.without.get(name, found.mask)
            its_bits = bits if mask == found.mask else bits_of(mask)
            answer[name] = self._value_facets(
                name, chosen.get(name, ()), mask, its_bits, everything=everything
            )
        return answer

    def page(self, query: TargetQuery, found: Found) -> list[Row]:
        """The rows of a page, and one more if there are more.

        Raises:
            CursorError: the cursor is none, or of another sort.
        """
        return list(islice(self._ordered(query, found.mask), query.limit + 1))

    def cursor_key(self, sort: str, row: Row) -> tuple[int | str | None, str, str]:
        """What a cursor behind a row keeps: first sort key, name, id."""
        name, target = self._inventory.name_key(row)
        match sort.lstrip("-"):
            case "state":
                return self._state_number(row), name, target
            case "since":
                return self._since_of(row), name, target
            case "name":
                return None, name, target
            case other:
                return self._text_key(other)(row), name, target

    def worst_first(self, row: Row) -> tuple[int, str, str]:
        """The place of a row in the order by state."""
        return self._state_number(row), *self._inventory.name_key(row)

    # Masks and facets.

    def _mask_of(self, name: str, values: Sequence[str]) -> int:
        mask = 0
        for value in values:
            rows = self._rows(name, value)
            if rows is not None:
                mask |= rows.mask()
        return mask

    def _rows(self, name: str, value: str) -> RowSet | None:
        if name == STATE:
            return self._tally.of_flag.get(value) or _known_state(self._tally, value)
        return self._inventory.with_value(_dimension(name), value)

    def _state_facets(self, found: Found, chosen: Sequence[str]) -> tuple[Facet, ...]:
        mask = found.without.get(STATE, found.mask)
        bits = bits_of(mask)
        rows: list[tuple[str, RowSet]] = [*self._tally.of_state.items()]
        rows += [(flag, self._tally.of_flag[flag]) for flag in FLAGS]
        return tuple(
            Facet(value=value, targets=count, is_chosen=value in chosen)
            for value, one in rows
            if (count := one.count_in(mask, bits)) or value in chosen
        )

    def _value_facets(
        self, name: Dimension, chosen: Sequence[str], mask: int, bits: bytes, *, everything: bool
    ) -> tuple[Facet, ...]:
        values = self._inventory.values(name)
        likely = self._most_frequent(name)
        counts = {
            value: values[value].count if everything else values[value].count_in(mask, bits)
            for value in dict.fromkeys((*likely, *(one for one in chosen if one in values)))
        }
        ranked = sorted(
            (value for value, count in counts.items() if count or value in chosen),
            key=lambda value: (value not in chosen, -counts[value], value),
        )
        return tuple(
            Facet(value=value, targets=counts[value], is_chosen=value in chosen)
            for value in ranked[:FACETS_SHOWN]
        )

    def _most_frequent(self, name: Dimension) -> Sequence[str]:
        """The values that are counted; found once for each inventory: a value a target is many."""
        version, found = self._likely.get(name, (-1, ()))
        if version != self._inventory.version:
            values = self._inventory.values(name)
            found = nsmallest(FACETS_COUNTED, values, key=lambda one: (-values[one].count, one))
            self._likely[name] = self._inventory.version, found
        return found

    # Orders.

    def _ordered(self, query: TargetQuery, mask: int) -> Iterator[Row]:
        """The rows of a mask in the order of the query, from its cursor on."""
        cursor = decode(query.cursor, query.sort)
        backwards = query.sort.startswith("-")
        sort = query.sort.lstrip("-")
        place = None if cursor is None else (cursor.name, cursor.id)
        first = None if cursor is None else cursor.first
        match sort:
            case "name":
                return self._by_name(mask, place, backwards=backwards)
            case "state":
                return self._by_state(mask, first, place, backwards=backwards)
            case "since":
                return self._by_since(mask, first, place, backwards=backwards)
            case _:
                return self._by_text(sort, mask, first, place, backwards=backwards)

    def _by_name(
        self, mask: int, place: tuple[str, str] | None, *, backwards: bool
    ) -> Iterator[Row]:
        inventory = self._inventory
        key = inventory.name_key
        order: Sequence[Row]
        if mask.bit_count() <= _FEW:
            rank = inventory.rank()
            order = sorted(rows_of(bits_of(mask)), key=rank.__getitem__)
            return _walk(order, key, place, backwards=backwards)
        bits = bits_of(mask)
        size = len(bits)
        return (
            row
            for row in _walk(inventory.by_name(), key, place, backwards=backwards)
            if row >> 3 < size and bits[row >> 3] >> (row & 7) & 1
        )

    def _by_state(
        self,
        mask: int,
        first: int | str | None,
        place: tuple[str, str] | None,
        *,
        backwards: bool,
    ) -> Iterator[Row]:
        if place is not None and not isinstance(first, int):
            raise CursorError("expected a cursor of the sort by state, found another one")
        numbered = list(enumerate(STATES))
        for number, state in reversed(numbered) if backwards else numbered:
            if isinstance(first, int) and (number > first if backwards else number < first):
                continue
            rows = mask & self._tally.of_state[state].mask()
            yield from self._by_name(rows, place if number == first else None, backwards=backwards)

    def _by_since(
        self,
        mask: int,
        first: int | str | None,
        place: tuple[str, str] | None,
        *,
        backwards: bool,
    ) -> Iterator[Row]:
        """The newest first, then those of which no time is known; within a time by name."""
        if isinstance(first, str):
            raise CursorError("expected a cursor of the sort by time, found another one")
        newest, known = self._with_time()
        timed = mask_of(known)
        bits, size = bits_of(mask), (mask.bit_length() + 7) // 8
        rest = mask & ~timed

        def key(row: Row) -> tuple[int, tuple[str, str]]:
            return -known[row], self._inventory.name_key(row)

        def chosen(rows: Iterator[Row]) -> Iterator[Row]:
            return (row for row in rows if row >> 3 < size and bits[row >> 3] >> (row & 7) & 1)

        behind_timed = place is not None and first is None
        timed_place = None if place is None or first is None else (-first, place)
        if backwards:
            if place is None or behind_timed:
                yield from self._by_name(rest, place, backwards=True)
            yield from chosen(_walk(newest, key, timed_place, backwards=True))
            return
        if not behind_timed:
            yield from chosen(_walk(newest, key, timed_place, backwards=False))
        yield from self._by_name(rest, place if behind_timed else None, backwards=False)

    def _between(self, since: int | None, until: int | None) -> Iterator[Row]:
        """The rows that are in their state since a time between two."""
        return (
            row
            for row, at in self._with_time()[1].items()
            if (since is None or at >= since) and (until is None or at < until)
        )

    def _with_time(self) -> tuple[list[Row], dict[Row, int]]:
        """The rows of which a time is known, the newest first, and their times."""
        version, order, known = self._timed
        if version != self._version():
            known = {
                row: since
                for state, rows in self._tally.of_state.items()
                if state != "up"
                for row in rows
                if (since := self._since_of(row)) is not None
            }
            rank = self._inventory.rank()
            order = sorted(known, key=lambda row: (-known[row], rank[row]))
            self._timed = self._version(), order, known
        return order, known

    def _by_text(
        self,
        sort: str,
        mask: int,
        first: int | str | None,
        place: tuple[str, str] | None,
        *,
        backwards: bool,
    ) -> Iterator[Row]:
        if place is not None and not isinstance(first, str):
            raise CursorError("expected a cursor of a sort by text, found another one")
        text = self._text_key(sort)
        bits = bits_of(mask)
        size = len(bits)

        def key(row: Row) -> tuple[str, tuple[str, str]]:
            return text(row), self._inventory.name_key(row)

        from_ = None if place is None or not isinstance(first, str) else (first, place)
        return (
            row
            for row in _walk(self._text_order(sort, text), key, from_, backwards=backwards)
            if row >> 3 < size and bits[row >> 3] >> (row & 7) & 1
        )

    def _text_order(self, sort: str, text: Callable[[Row], str]) -> list[Row]:
        """All rows by a text, then by name; made once for each inventory."""
        version, order = self._orders.get(sort, (-1, []))
        if version != self._inventory.version:
            order = sorted(self._inventory.by_name(), key=text)
            self._orders[sort] = self._inventory.version, order
        return order

    def _text_key(self, sort: str) -> Callable[[Row], str]:
        record = self._inventory.record
        if sort == "team":
            return lambda row: record(row).shared.team or ""
        return lambda row: _host_key(record(row).host, record(row).port)

    def _state_number(self, row: Row) -> int:
        state = self._tally.state(row)
        return len(STATES) if state is None else STATES.index(state)


def words_of(text: str) -> list[str]:
    """The words of a search, each once; what is behind the first eight is left out."""
    return list(dict.fromkeys(text.lower().split()))[:MOST_WORDS]


def choices(query: TargetQuery) -> dict[str, tuple[str, ...]]:
    """The values that a query chooses, by dimension; those without a choice are left out."""
    found = {
        STATE: query.states,
        "team": query.teams,
        "tag": query.tags,
        "kind": query.kinds,
        "criticality": query.criticalities,
        "region": query.regions,
        "source": query.sources,
    }
    return {name: values for name, values in found.items() if values}


def _host_key(host: str | None, port: int | None) -> str:
    """Hosts in the alphabet, ports of one by number; without a host at the end."""
    return "\U0010ffff" if host is None else f"{host}\n{port or 0:05d}"


def _known_state(tally: Tally, value: str) -> RowSet | None:
    state: State | None = next((one for one in STATES if one == value), None)
    return None if state is None else tally.of_state[state]


def _dimension(name: str) -> Dimension:
    found = next((one for one in DIMENSIONS if one == name), None)
    if found is None:
        raise ValueError(f"expected one of {', '.join(DIMENSIONS)}, found {name[:40]!r}")
    return found


dimension_of = _dimension
"""The dimension of a name; raises `ValueError` with what there is."""


def _all_but(base: int, chosen: dict[str, int], name: str) -> int:
    mask = base
    for other, one in chosen.items():
        if other != name:
            mask &= one
    return mask


def _walk(
    order: Sequence[Row], key: Callable[[Row], object], place: object, *, backwards: bool
) -> Iterator[Row]:
    """The rows of an order behind a place, or before it from there to the beginning."""
    if backwards:
        end = len(order) if place is None else before(order, key, place)
        return (order[number] for number in range(end - 1, -1, -1))
    begin = 0 if place is None else after(order, key, place)
    return islice(order, begin, None)
