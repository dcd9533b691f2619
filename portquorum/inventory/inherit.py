"""Templates of targets: which fields a target has of them, and where each stands. Pure."""

from typing import Final

from msgspec import Struct

from portquorum.inventory.errors import Path, Problem, Where
from portquorum.inventory.suggest import did_you_mean
from portquorum.inventory.tree import Mapping, Root, size_of

MOST_DEPTH: Final = 10
MOST_INHERITED: Final = 5_000_000
"""Most values that all targets of an inventory have of templates together."""

NOT_DEFINED: Final = "that is defined"
BY_KEY: Final = ("probe", "latency")
"""Fields of which a target may have some keys of its own, and the others of a template."""

_INSTEAD: Final = {"port": "ports", "ports": "port"}
_LISTED: Final = 10


Place = tuple[Root, Path]
Places = dict[Path, Place]


class Merged(Struct, frozen=True):
    """The fields of a target with those of its templates, `item`.

    `places`: root and path of the fields, and of the keys of `probe` and `latency`, that are a
    template's. `dropped`: fields that a template has with a problem.
    """

    item: Mapping
    places: Places
    dropped: frozenset[str] = frozenset()


class Template(Struct, frozen=True):
    """A template as it is written: its fields without `extends`, which is `parents`."""

    root: Root
    path: Path
    item: Mapping
    parents: tuple[str, ...]
    dropped: frozenset[str]


class Templates:
    """The templates of an inventory; `users` has the first target that uses each."""

    def __init__(self) -> None:
        self.users: dict[str, Where] = {}
        self._by_name: dict[str, Template] = {}
        self._flat: dict[str, Merged | None] = {}
        self._left = MOST_INHERITED

    def add(self, name: str, template: Template) -> Problem | None:
        """Adds a template; the problem of one whose name is taken."""
        first = self._by_name.setdefault(name, template)
        if first is template:
            return None
        where = first.root.where(first.path)
        again = template.root.where(template.path)
        return Problem(again, f"the template {name!r} stands at {where}")

    def merged(
        self,
        names: tuple[str, ...],
        item: Mapping,
        root: Root,
        path: Path,
        problems: list[Problem],
    ) -> Merged | None:
        """The fields of a target (at `path` of `root`) with those of the templates `names`.

        None, with a problem, if a template is not there, or can't be used.
        """
        into = Merged(Mapping(item.line), {})
        into.item.texts = {}
        dropped: frozenset[str] = frozenset()
        for position, name in enumerate(names):
            where = root.where((*path, "extends", position))
            found = self._flattened(name, where, problems, ())
            if found is None:
                return None
            self._mark(name, root.where(path))
            if not self._can_pay(found.item.size, where, problems):
                return None
            _put_all(into, found)
            dropped |= found.dropped
        for field, value in item.items():
            if field != "extends":
                _put(into, field, value, item, None)
        return Merged(into.item, into.places, dropped - item.keys())

    def _mark(self, name: str, where: Where) -> None:
        """Remembers who uses a template, and those that it extends, first."""
        if name in self.users:
            return
        self.users[name] = where
        for parent in self._by_name[name].parents:
            self._mark(parent, where)

    def _can_pay(self, size: int, where: Where, problems: list[Problem]) -> bool:
        self._left -= size
        if self._left < 0:
            text = (
                f"expected templates that stand for at most {MOST_INHERITED:,} values, found more"
            )
            problems.append(Problem(where, text))
        return self._left >= 0

    def _flattened(
        self, name: str, where: Where, problems: list[Problem], above: tuple[str, ...]
    ) -> Merged | None:
        """A template with the fields of those that it extends; None: the problem is told."""
        if name in above:
            chain = " → ".join((*above[above.index(name) :], name))
            problems.append(Problem(where, f"templates extend each other in a circle: {chain}"))
            return None
        if name in self._flat:
            return self._flat[name]
        template = self._by_name.get(name)
        if template is None:
            problems.append(Problem(where, self._unknown(name)))
            return None
        if len(above) >= MOST_DEPTH:
            text = f"expected templates that extend each other over at most {MOST_DEPTH} levels"
            problems.append(Problem(where, f"{text}, found {' → '.join((*above, name))}"))
            return None
        into = Merged(Mapping(template.item.line), {})
        into.item.texts = {}
        dropped = template.dropped
        for position, parent in enumerate(template.parents):
            there = template.root.where((*template.path, "extends", position))
            found = self._flattened(parent, there, problems, (*above, name))
            if found is None:
                self._flat[name] = None
                return None
            _put_all(into, found)
            dropped |= found.dropped
        for field, value in template.item.items():
            _put(into, field, value, template.item, (template.root, (*template.path, field)))
        flat = Merged(into.item, into.places, dropped)
        self._flat[name] = flat
        return flat

    def _unknown(self, name: str) -> str:
        if not self._by_name:
            return f"expected a template {NOT_DEFINED} (there is none), found {name!r}"
        known = sorted(self._by_name)
        some = ", ".join(known[:_LISTED]) + (", …" if len(known) > _LISTED else "")
        hint = did_you_mean(name, known)
        return f"expected a template {NOT_DEFINED} ({some}), found {name!r}{hint}"


def _put_all(into: Merged, found: Merged) -> None:
    """Puts the fields of a template over what is there."""
    if not into.item:
        into.item.update(found.item)
        into.item.lines = dict(found.item.lines)
        into.item.texts = dict(found.item.texts or {})
        into.item.size = found.item.size
        into.places.update(found.places)
        return
    for field, value in found.item.items():
        _put(into, field, value, found.item, found.places.get((field,)))
    into.places.update((path, place) for path, place in found.places.items() if len(path) > 1)


def _put(into: Merged, field: str, value: object, source: Mapping, place: Place | None) -> None:
    """Puts one field over what is there: `probe` and `latency` key by key; null takes it away.

    `place`: where it stands in a template; None: the field is the target's own.
    """
    if value is None:
        _take(into, field)
        return
    item = into.item
    before = item.get(field)
    if field in BY_KEY and isinstance(before, Mapping) and isinstance(value, Mapping):
        _place_keys(into.places, field, before, value, place)
        item[field] = _by_key(before, value)
    else:
        _take(into, field)
        item[field] = value
    if place is not None:
        into.places[field,] = place
    item.lines[field] = source.lines.get(field, source.line)
    item.size += size_of(value)
    if source.texts and item.texts is not None and field in source.texts:
        item.texts[field] = source.texts[field]
    other = _INSTEAD.get(field, "")
    if other in item and other not in source:
        _take(into, other)


def _take(into: Merged, field: str) -> None:
    """Takes a field away, with what is known of it."""
    if into.item.pop(field, None) is None:
        return
    if into.item.texts:
        into.item.texts.pop(field, None)
    for path in [one for one in into.places if one[0] == field]:
        into.places.pop(path)


def _place_keys(
    places: Places, field: str, before: Mapping, value: Mapping, place: Place | None
) -> None:
    """Notes where each key of a field stands, before those of `value` go over those of `before`."""
    whole = places.pop((field,), None)
    if whole is not None:
        for key in before:
            places.setdefault((field, key), (whole[0], (*whole[1], key)))
    for key in value:
        if place is None:
            places.pop((field, key), None)
        else:
            places[field, key] = (place[0], (*place[1], key))


def _by_key(before: Mapping, value: Mapping) -> Mapping:
    made = Mapping(value.line)
    made.update(before)
    made.size = before.size + value.size
    made.lines = {**before.lines, **value.lines}
    made.texts = {**(before.texts or {})}
    for key, one in value.items():
        made.texts.pop(key, None)
        if one is None and key in before:
            made.pop(key)
            continue
        made[key] = one
        if value.texts and key in value.texts:
            made.texts[key] = value.texts[key]
    return made
