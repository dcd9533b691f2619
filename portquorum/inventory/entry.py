"""One entry of an inventory: its fields as a Struct, and the place of each."""

import re
from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from portquorum.inventory.document import (
    DefaultsEntry,
    DrillEntry,
    FileTargetEntry,
    MaintenanceEntry,
    RegionEntry,
    RouteEntry,
    TargetEntry,
    TeamEntry,
)
from portquorum.inventory.errors import Path, Problem, Where
from portquorum.inventory.explain import explain, fields_meant, misplaced_fields, told
from portquorum.inventory.inherit import Merged, Templates
from portquorum.inventory.shorthand import spelled_out
from portquorum.inventory.tree import Mapping, Root, Sequence
from schemas.plain_text import unsafe_in

E = TypeVar("E", bound=Struct)

_OF_MANY_LINES: Final = frozenset({"purpose", "rrule", "templates"})
_PROBE: Final = ("probe",)  # what is sent to servers, and what they must answer: any character


class Entry(Struct, Generic[E], frozen=True):
    """One entry of the inventory, and its place.

    `dropped` names the fields with a problem: they count as not written. `merged`: the fields with
    those of templates. Of a target that is one of several by its ports `whole` is the entry without
    a port, and `part` the number of those before it.
    """

    value: E
    root: Root
    path: Path
    dropped: frozenset[str] = frozenset()
    merged: Merged | None = None
    whole: E | None = None
    part: int = 0

    @property
    def name(self) -> str:
        """The key of a region, team or route."""
        return str(self.path[-1])

    def where(self, *more: str | int) -> Where:
        """The place of the entry, or of one of its fields."""
        return _place(self.root, self.path, self.merged, more)

    def tree(self, field: str) -> Any:
        """The value of a field as the file has it; None if there is none."""
        if self.merged is not None:
            return self.merged.item.get(field)
        return self.root.at((*self.path, field))


class Entries(Struct):
    """All entries of all documents, in the order in which they were written.

    `broken`: sections of which not all names are known, since something there could not be read.
    """

    regions: list[Entry[RegionEntry]] = []
    teams: list[Entry[TeamEntry]] = []
    routes: list[Entry[RouteEntry]] = []
    defaults: list[Entry[DefaultsEntry]] = []
    targets: list[Entry[TargetEntry]] = []
    maintenance: list[Entry[MaintenanceEntry]] = []
    drills: list[Entry[DrillEntry]] = []
    templates: Templates = msgspec.field(default_factory=Templates)
    broken: set[str] = set()
    by_ports: int = 0


def one_entry(
    root: Root,
    path: Path,
    item: object,
    kind: type[E],
    problems: list[Problem],
    *,
    merged: Merged | None = None,
    shown_as: type[Struct] | None = None,
) -> Iterator[Entry[E]]:
    """The entry at `path`; with problems, its valid fields; none if it is not a mapping.

    `merged`: the places of fields that are of templates. `shown_as`: the Struct whose fields are
    named where one is unknown.
    """
    if item is None:
        item = Mapping(root.where(path).line)
    for inner, message in _unsafe(item, ()):
        problems.append(Problem(_place(root, path, merged, inner), message))
    dropped = frozenset[str]() if merged is None else merged.dropped
    try:
        yield Entry(msgspec.convert(item, kind), root, path, dropped, merged)
    except msgspec.ValidationError:
        if not isinstance(item, Mapping):
            problems.append(Problem(root.where(path), _no_mapping(item)))
            return
        rest = spelled_out(item, kind)
        gone: set[str] = set()
        strange = misplaced_fields(item, shown_as or kind)
        if strange is not None:
            problems.append(Problem(root.where((*path, strange[0])), strange[1], is_fatal=True))
            rest = {
                name: value for name, value in rest.items() if name in kind.__struct_encode_fields__
            }
        while True:
            try:
                value = msgspec.convert(rest, kind)
            except msgspec.ValidationError as error:
                # It stops at the first problem: that is taken out, and the rest is tried again.
                inner, message = explain(str(error), rest, shown_as or kind)
                problems.append(Problem(_place(root, path, merged, inner), message))
                rest.pop(str(inner[0]))
                gone.add(str(inner[0]))
                gone |= fields_meant(str(error), shown_as or kind)
            else:
                break
        yield Entry(value, root, path, dropped | (gone - rest.keys()), merged)


def _place(root: Root, path: Path, merged: Merged | None, inner: Path) -> Where:
    """The place of `inner` within the entry at `path`, or within the template that has it."""
    if merged is not None:
        for length in (2, 1):
            found = merged.places.get(inner[:length])
            if found is not None and len(inner) >= length:
                return found[0].where((*found[1], *inner[length:]))
    return root.where((*path, *inner))


def _no_mapping(item: object) -> str:
    text = "expected a mapping (`field: value`)"
    if isinstance(item, str):
        glued = re.match(r"([a-z_]+):(\S+)", item)
        if glued is not None and glued[1] in FileTargetEntry.__struct_encode_fields__:
            return f"{text}, found {told(item)}: a blank is missing, write `{glued[1]}: {glued[2]}`"
    return f"{text}, found {told(item)}"


def _unsafe(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Texts that are not readable as they stand; see `schemas.plain_text`."""
    if isinstance(value, str):
        but = "\n\t" if path and path[0] in _OF_MANY_LINES else ""
        found = unsafe_in(value, but=but)
        if found is not None:
            text = f"expected text that shows as it is written, found {found}; leave it out"
            yield path, text
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if (*path, name) != _PROBE:
                yield from _unsafe(inner, (*path, name))
    elif isinstance(value, Sequence):
        for position, inner in enumerate(value):
            yield from _unsafe(inner, (*path, position))
