"""The targets as a table: numbered rows, an index for each dimension, and their order by name."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, get_args

from portquorum.web.fleet.kept_target import Keeper, KeptTarget, read
from portquorum.web.fleet.row_set import RowSet, mask_of

Dimension = Literal["team", "tag", "kind", "criticality", "region", "source"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)

Row = int
NameKey = tuple[str, str]
"""By which rows are in order: the name in small letters, then the id."""

_QUERIES_KEPT: Final = 64
"""Searches whose rows are remembered until the inventory changes."""


class Inventory:
    """All targets. A row number stays with its target, and is given again after its removal."""

    def __init__(self) -> None:
        self.row_of: dict[str, Row] = {}
        self.records: list[KeptTarget | None] = []
        self.version = 0
        """Grows with each change."""
        self.all = RowSet()
        self._index: dict[Dimension, dict[str, RowSet]] = {name: {} for name in DIMENSIONS}
        self._hosts: dict[str, Row | set[Row]] = {}
        self._dependents: dict[str, set[Row]] = {}
        self._free: list[Row] = []
        self._others: dict[tuple[str, int], KeptTarget] = {}
        """Older definitions of targets in partitions that they left: an apply is under way."""
        self._keeper = Keeper()
        self._texts: list[str] = []
        self._order: list[Row] | None = None
        self._rank: list[int] | None = None
        self._searched: dict[str, int] = {}
        self._member_version: dict[tuple[Dimension, str], int] = {}

    def __len__(self) -> int:
        return len(self.row_of)

    def apply(self, key: bytes, value: bytes | None, partition: int) -> tuple[str, ...]:
        """Applies a record of [targets]; the ids whose target changed, came or went.

        A target may be in two partitions while an apply moves it: the newest version counts.
        """
        try:
            name = key.decode()
        except UnicodeDecodeError:
            return ()
        found = None
        if value:
            target = read(value)
            if target is None or target.id != name:
                return ()
            found = self._keeper.keep(target, partition)
        now = self.get(name)
        if found is not None:
            return self._set(found, now)
        return self._removed(name, partition, now)

    def get(self, target_id: str) -> KeptTarget | None:
        """The target of an id."""
        row = self.row_of.get(target_id)
        return None if row is None else self.records[row]

    def record(self, row: Row) -> KeptTarget:
        """The target of a row that is in use."""
        found = self.records[row]
        if found is None:
            raise LookupError(f"row {row} has no target")
        return found

    def values(self, dimension: Dimension) -> Mapping[str, RowSet]:
        """The rows of each value of a dimension."""
        return self._index[dimension]

    def with_value(self, dimension: Dimension, value: str) -> RowSet | None:
        """The rows with one value of a dimension."""
        return self._index[dimension].get(value)

    def member_version(self, dimension: Dimension, value: str) -> int:
        """Grows with each change of the targets that have a value."""
        return self._member_version.get((dimension, value), 0)

    def of_host(self, host: str) -> tuple[Row, ...]:
        """The rows of a host."""
        found = self._hosts.get(host, ())
        return (found,) if isinstance(found, int) else tuple(found)

    def dependents(self, target_id: str) -> int:
        """How many targets depend on one."""
        return len(self._dependents.get(target_id, ()))

    def dependent_rows(self, target_id: str) -> tuple[Row, ...]:
        """The rows of the targets that depend on one."""
        return tuple(self._dependents.get(target_id, ()))

    def placed(self, target_id: str) -> list[KeptTarget]:
        """The definitions of a target in all partitions, the one that counts first."""
        now = self.get(target_id)
        if now is None:
            return []
        older = (one for key, one in self._others.items() if key[0] == target_id)
        return [now, *sorted(older, key=lambda one: one.version, reverse=True)]

    def search(self, words: Sequence[str]) -> int:
        """The mask of the rows that have all of the words in their texts, in any case."""
        mask = None
        for word in words:
            found = self._searched.get(word)
            if found is None:
                found = mask_of(row for row, text in enumerate(self._texts) if word in text)
                if len(self._searched) >= _QUERIES_KEPT:
                    del self._searched[next(iter(self._searched))]
                self._searched[word] = found
            mask = found if mask is None else mask & found
        return self.all.mask() if mask is None else mask

    # The order by name.

    def name_key(self, row: Row) -> NameKey:
        """The place of a row in the order by name."""
        record = self.record(row)
        return record.name.lower(), record.id

    def by_name(self) -> list[Row]:
        """All rows in the order of their names."""
        if self._order is None:
            self._order = sorted(self.row_of.values(), key=self.name_key)
        return self._order

    def rank(self) -> list[int]:
        """By row its place in the order by name."""
        if self._rank is None:
            rank = [0] * len(self.records)
            for place, row in enumerate(self.by_name()):
                rank[row] = place
            self._rank = rank
        return self._rank

    def warm(self) -> None:
        """Makes the order, so that the first who asks does not wait for it."""
        self.rank()

    # Changes.

    def _set(self, found: KeptTarget, now: KeptTarget | None) -> tuple[str, ...]:
        if now is not None and now.partition != found.partition:
            older, newer = (found, now) if found.version <= now.version else (now, found)
            self._shadow(older)
            if newer is now:
                return ()
            self._drop_shadow(found.id, found.partition)
            self._unlink(self.row_of[found.id])
        elif now is not None:
            if now == found:
                self._keeper.forget(found)
                return ()
            self._unlink(self.row_of[found.id])
            self._keeper.forget(now)
        self._link(found)
        return (found.id,)

    def _removed(self, name: str, partition: int, now: KeptTarget | None) -> tuple[str, ...]:
        if now is None or now.partition != partition:
            self._drop_shadow(name, partition)
            return ()
        row = self.row_of[name]
        self._unlink(row)
        self._keeper.forget(now)
        left = [one for key, one in self._others.items() if key[0] == name] if self._others else []
        if left:
            newest = max(left, key=lambda one: one.version)
            del self._others[name, newest.partition]
            self._link(newest)
        return (name,)

    def _shadow(self, older: KeptTarget) -> None:
        self._drop_shadow(older.id, older.partition)
        self._others[older.id, older.partition] = older

    def _drop_shadow(self, name: str, partition: int) -> None:
        dropped = self._others.pop((name, partition), None)
        if dropped is not None:
            self._keeper.forget(dropped)

    def _link(self, record: KeptTarget) -> None:
        row = self._free.pop() if self._free else len(self.records)
        if row == len(self.records):
            self.records.append(None)
            self._texts.append("")
        self.records[row] = record
        self.row_of[record.id] = row
        self._texts[row] = _text(record)
        self.all.add(row)
        for dimension, value in values_of(record):
            self._index[dimension].setdefault(value, RowSet()).add(row)
        self._changed(record)
        if record.host is not None:
            self._add_host(record.host, row)
        for other in record.depends_on:
            self._dependents.setdefault(other, set()).add(row)
        if self._order is not None:
            insort(self._order, row, key=self.name_key)

    def _unlink(self, row: Row) -> None:
        record = self.record(row)
        if self._order is not None:
            place = bisect_left(self._order, self.name_key(row), key=self.name_key)
            del self._order[place]
        for dimension, value in values_of(record):
            rows = self._index[dimension][value]
            rows.discard(row)
            if not rows.count:
                del self._index[dimension][value]
        self._changed(record)
        for key in values_of(record):
            if key[1] not in self._index[key[0]]:
                del self._member_version[key]
        if record.host is not None:
            self._remove_host(record.host, row)
        for other in record.depends_on:
            rows_on = self._dependents.get(other)
            if rows_on is not None:
                rows_on.discard(row)
                if not rows_on:
                    del self._dependents[other]
        self.all.discard(row)
        self.records[row] = None
        self._texts[row] = ""
        del self.row_of[record.id]
        self._free.append(row)

    def _changed(self, record: KeptTarget) -> None:
        self.version += 1
        self._rank = None
        self._searched.clear()
        for key in values_of(record):
            self._member_version[key] = self.version

    def _add_host(self, host: str, row: Row) -> None:
        there = self._hosts.get(host)
        if there is None:
            self._hosts[host] = row
        elif isinstance(there, int):
            self._hosts[host] = {there, row}
        else:
            there.add(row)

    def _remove_host(self, host: str, row: Row) -> None:
        there = self._hosts[host]
        if isinstance(there, int):
            del self._hosts[host]
            return
        there.discard(row)
        if not there:
            del self._hosts[host]


def values_in(record: KeptTarget, dimension: Dimension) -> tuple[str, ...]:
    """The values of a target in one dimension."""
    shared = record.shared
    match dimension:
        case "team":
            return (shared.team or "",)
        case "tag":
            return tuple(dict.fromkeys(shared.tags))
        case "kind":
            return (record.kind,)
        case "criticality":
            return (shared.criticality,)
        case "region":
            return tuple(dict.fromkeys(shared.regions))
        case "source":
            return (shared.source,)


def values_of(record: KeptTarget) -> Iterator[tuple[Dimension, str]]:
    """The values of a target in all dimensions; "" is "without a team"."""
    for dimension in DIMENSIONS:
        for value in values_in(record, dimension):
            yield dimension, value


def _text(record: KeptTarget) -> str:
    """What a search looks in; words are searched each for itself, so a line's end parts fields."""
    shared = record.shared
    parts = (record.name, record.id, record.place, shared.team or "", *shared.tags)
    return "\n".join(dict.fromkeys(parts)).lower()


def after(order: Sequence[Row], key: Callable[[Row], Any], place: Any) -> int:
    """The index of the first row behind `place`."""
    return bisect_right(order, place, key=key)


def before(order: Sequence[Row], key: Callable[[Row], Any], place: Any) -> int:
    """The index of the first row that is not in front of `place`."""
    return bisect_left(order, place, key=key)
