"""Converts plain values to the document's Structs, and collects every problem."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from portquorum.inventory import peer_words, shared_targets
from portquorum.inventory.document import (
    PATTERN_TEXT,
    DefaultsEntry,
    DrillEntry,
    FileTargetEntry,
    MaintenanceEntry,
    RegionEntry,
    RouteEntry,
    TargetEntry,
    TargetTemplateEntry,
    TeamEntry,
)
from portquorum.inventory.entry import Entries, Entry, one_entry
from portquorum.inventory.errors import Path, Problem
from portquorum.inventory.explain import placeholder, told
from portquorum.inventory.inherit import NOT_DEFINED, Template
from portquorum.inventory.tree import Mapping, Root, Sequence
from portquorum.inventory.yaml_errors import odd_blank

__all__ = ["MOST_PROBLEMS", "SECTIONS", "Entries", "Entry", "decode", "decode_all", "one_entry"]

E = TypeVar("E", bound=Struct)

MOST_PROBLEMS: Final = 1_000
"""Problems after which the rest of a section is skipped: a file may have millions."""

SECTIONS: Final = (
    *("regions", "teams", "routes", "defaults", "templates", "targets", "maintenance", "drill"),
)

_NAMES: Final = {
    "regions": re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z"),
    "teams": re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"),
    "routes": re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"),
    "templates": re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"),
}
_IDENTITY: Final = frozenset({"id", "name", "host", "port", "ports", "extends"})
"""Fields without which nobody knows the id of a target."""

_LISTS: Final = frozenset({"targets", "maintenance"})
_EXAMPLE: Final = {
    "regions": "local: {internal: true}",
    "teams": "database: {routes: [mail]}",
    "routes": 'mail: {urls: ["mailtos://${MAIL}"]}',
    "templates": "web: {kind: http}",
}


def decode(root: Root, into: Entries) -> list[Problem]:
    """Adds the entries of one document to `into`; of an entry with problems, the valid fields."""
    return decode_all([root], into)


def decode_all(roots: Iterable[Root], into: Entries) -> list[Problem]:
    """Adds the entries of the documents of an inventory; a template may be in another one."""
    problems: list[Problem] = []
    documents = list(roots)
    for root in documents:
        if isinstance(root.value, Mapping) and "templates" in root.value:
            _templates(root, root.value["templates"], into, problems)
    for root in documents:
        _document(root, into, problems)
    if "templates" in into.broken:  # those that are not found may be there
        problems = [one for one in problems if f"template {NOT_DEFINED}" not in one.message]
    return problems


def _document(root: Root, into: Entries, problems: list[Problem]) -> None:
    foreign = peer_words.foreign(root.value)
    if foreign is not None or not isinstance(root.value, Mapping):
        expected = f"expected a mapping with {', '.join(SECTIONS)}; found {told(root.value)}"
        problems.append(Problem(root.where(()), foreign or expected, is_fatal=True))
        into.broken.update(SECTIONS)
        return
    for section, value in root.value.items():
        if section not in SECTIONS:
            problems.append(Problem(root.where((section,)), _no_section(section, into)))
        elif section in _LISTS:
            for position, item in _listed(root, section, value, into, problems):
                path = (section, position)
                if section == "targets":
                    into.targets += _targets(root, path, item, into, problems)
                else:
                    into.maintenance += one_entry(root, path, item, MaintenanceEntry, problems)
        else:
            _names_and_single(root, section, value, into, problems)


def _names_and_single(
    root: Root, section: str, value: object, into: Entries, problems: list[Problem]
) -> None:
    """The sections that are no lists; templates were read before."""
    if section == "regions":
        into.regions += _named(root, section, value, RegionEntry, into, problems=problems)
    elif section == "teams":
        into.teams += _named(root, section, value, TeamEntry, into, problems=problems)
    elif section == "routes":
        into.routes += _named(root, section, value, RouteEntry, into, problems=problems)
    elif section == "defaults":
        into.defaults += one_entry(root, (section,), value, DefaultsEntry, problems)
    elif section == "drill":
        into.drills += one_entry(root, (section,), value, DrillEntry, problems)


def _no_section(section: str, into: Entries) -> str:
    odd = odd_blank(section)
    meant = peer_words.section_meant(section, SECTIONS)
    # Nobody knows what stands in it: names that are not found may be there.
    into.broken.update((meant,) if meant is not None else SECTIONS if odd is not None else ())
    name = re.sub(r"\A\W+", "", section)
    if name in FileTargetEntry.__struct_encode_fields__ and into.targets:
        last = into.targets[-1]  # it is not missing there
        into.targets[-1] = replace(last, dropped=last.dropped | {name})
    if odd is not None:
        return odd
    if meant is not None:
        return f"no such section; did you mean `{meant}`?"
    if section in FileTargetEntry.__struct_encode_fields__:
        return "no such section: a field of a target stands below `targets:`, after `- `"
    return f"no such section; there are {', '.join(SECTIONS)}"


def _named(
    root: Root,
    section: str,
    value: object,
    kind: type[E],
    into: Entries,
    *,
    problems: list[Problem],
) -> Iterator[Entry[E]]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        expected = f"expected names, each with its entry (`{_EXAMPLE[section]}`)"
        problems.append(Problem(root.where((section,)), f"{expected}; found {told(value)}"))
        into.broken.add(section)
        return
    for name, item in value.items():
        path = (section, name)
        if not _NAMES[section].match(name):
            expected = PATTERN_TEXT[rf"^{_NAMES[section].pattern}"]
            odd = odd_blank(name)
            message = odd or f"expected {expected}, found {told(name)}{placeholder(name)}"
            problems.append(Problem(root.where(path), message))
            into.broken.add(section)
        yield from one_entry(root, path, item, kind, problems)


def _listed(
    root: Root, section: str, value: object, into: Entries, problems: list[Problem]
) -> Iterator[tuple[int, object]]:
    if value is None:
        return
    if not isinstance(value, Sequence):
        expected = f"expected a list (each item begins with `- `); found {told(value)}"
        problems.append(Problem(root.where((section,)), f"{expected}{_as_list(value)}"))
        into.broken.add(section)
        return
    for position, item in enumerate(value):
        if len(problems) >= MOST_PROBLEMS:
            text = f"so many problems ({MOST_PROBLEMS:,}) that what comes from here on was not read"
            problems.append(Problem(root.where((section, position)), text))
            into.broken.add(section)
            return
        yield position, item


def _as_list(value: object) -> str:
    """How what was written where a list is meant becomes one; empty if that is unclear."""
    if not isinstance(value, Mapping):
        return ""
    first = next(iter(value), "")
    if first.startswith("-") and first[1:2].isalpha():
        return f"; a blank is missing: write `- {first[1:]}: …`"
    if first in FileTargetEntry.__struct_encode_fields__:
        return f"; write `- ` before the first field of each: `- {first}: …`"
    if isinstance(value.get(first), Mapping):
        return f"; the name is a field as others: `- name: {first[:80]}`"
    return ""


def _templates(root: Root, value: object, into: Entries, problems: list[Problem]) -> None:
    for entry in _named(root, "templates", value, TargetTemplateEntry, into, problems=problems):
        written = root.at(entry.path)
        item = Mapping(entry.where().line)
        if isinstance(written, Mapping):
            item.update({k: v for k, v in written.items() if k not in {"extends", *entry.dropped}})
            item.lines, item.texts, item.size = written.lines, written.texts, written.size
        template = Template(root, entry.path, item, entry.value.extends or (), entry.dropped)
        taken = into.templates.add(entry.name, template)
        problems += [taken] if taken is not None else []


def _targets(
    root: Root, path: Path, item: object, into: Entries, problems: list[Problem]
) -> Iterator[Entry[TargetEntry]]:
    """The target of an item of `targets:`, or those of its ports."""
    if isinstance(item, Mapping) and ("extends" in item or "ports" in item):
        found = shared_targets.targets(root, path, item, into, problems)
    else:
        found = one_entry(root, path, item, TargetEntry, problems, shown_as=FileTargetEntry)
    any_found = False
    for entry in found:
        any_found = True
        if entry.dropped and not entry.dropped.isdisjoint(_IDENTITY) and entry.value.id is None:
            into.broken.add("targets")
        yield entry
    if not any_found:
        into.broken.add("targets")
