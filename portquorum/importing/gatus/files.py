"""Gatus' configuration out of files: folders, wrapped in Kubernetes' manifests, merged."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from portquorum.importing.folders import files_of
from portquorum.importing.model import Place, Unreadable
from portquorum.importing.source_yaml import documents, documents_of
from portquorum.inventory.tree import Mapping, Root
from portquorum.inventory.tree import Sequence as Items

LISTS: Final = ("endpoints", "external-endpoints", "suites", "announcements")
"""Lists of which Gatus has those of all files of a folder."""

_OURS: Final = frozenset({"endpoints", "external-endpoints", "suites", "alerting"})
_SUFFIXES: Final = frozenset({".yaml", ".yml"})
_MOST_DEPTH: Final = 4
_RELEASE: Final = re.compile(r"\{\{-?\s*\.Release\.Name\s*-?\}\}")


class Item(Struct, frozen=True):
    """One item of a list, or the value of a section: the file, the value and its line."""

    file: str
    value: Any
    line: int


class Configuration(Struct):
    """The lists and other sections of all files, merged as Gatus merges a folder."""

    lists: dict[str, list[Item]] = field(default_factory=dict)
    sections: dict[str, Item] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    found_any: bool = False


def read_files(paths: Sequence[Path]) -> Configuration:
    """All of Gatus' configuration in these files and folders. Never raises for their content."""
    found = Configuration()
    # Hidden ones are `..data` of Kubernetes.
    files, found.unreadable = files_of(paths, _SUFFIXES, deep=True)
    for file in files:
        _add_file(file, found)
    return found


def _add_file(path: Path, found: Configuration) -> None:
    roots, unreadable = documents(path)
    found.unreadable += unreadable
    any_here = False
    for root in roots:
        for part in _parts(root, found.unreadable, 0):
            any_here = True
            _merge(part, found)
    if not any_here and not unreadable:
        why = "it has no configuration of Gatus (endpoints, external-endpoints, suites, alerting)"
        found.unreadable.append(Unreadable(Place(str(path)), why))


def _parts(root: Root, unreadable: list[Unreadable], depth: int) -> Iterator[Root]:
    """The configurations in a document: itself, or what a manifest of Kubernetes has within."""
    if isinstance(root.value, Mapping) and not _OURS.isdisjoint(root.value):
        yield root
        return
    if isinstance(root.value, Mapping) and not _is_wrapper(root.value):
        if depth == 0 and root.value:
            yield root
        return
    yield from _within(root.value, root.file, unreadable, depth)


def _is_wrapper(value: Mapping) -> bool:
    return "apiVersion" in value or "kind" in value or "data" in value or "config" in value


def _within(value: object, file: str, unreadable: list[Unreadable], depth: int) -> Iterator[Root]:
    """Configurations in a manifest: as values (a Helm chart's), in texts (a ConfigMap's)."""
    release = _release(value)
    for name, one, line in _all_of(value):
        if isinstance(one, Mapping):
            yield Root(file, one, one.line)
        elif isinstance(one, str) and depth < _MOST_DEPTH:
            text = _RELEASE.sub(release, one) if release else one
            roots, wrong = documents_of(text, file, line)
            if "gatus" in name and len(roots) == 1 and _is_endpoint(roots[0].value):
                yield _annotation(roots[0], release)
            elif _has_endpoints(text):
                unreadable += wrong
                for root in roots:
                    yield from _parts(root, unreadable, depth + 1)


def _all_of(value: object) -> Iterator[tuple[str, object, int]]:
    """Mappings with endpoints, and texts that may have some, with key and line, in their order."""
    todo: list[tuple[str, object, int]] = [("", value, 0)]
    seen: set[int] = set()
    while todo:
        name, one, line = todo.pop()
        if isinstance(one, str) and ("gatus" in name or ("\n" in one and _has_endpoints(one))):
            yield name, one, line
        if not isinstance(one, Mapping | Items) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Items):
            todo += [("", *pair) for pair in zip(reversed(one), reversed(one.lines), strict=False)]
        elif isinstance(one.get("endpoints"), Items) and _are_endpoints(one["endpoints"]):
            yield name, one, line
        else:
            todo += [(k, inner, one.lines.get(k, 0)) for k, inner in reversed(one.items())]


def _release(manifest: object) -> str:
    """The name of a HelmRelease, which `{{ .Release.Name }}` stands for in it."""
    metadata = manifest.get("metadata") if isinstance(manifest, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) and "{{" not in name else ""


def _is_endpoint(value: object) -> bool:
    return isinstance(value, Mapping) and not {"conditions", "url"}.isdisjoint(value)


def _annotation(root: Root, name: str) -> Root:
    """An endpoint in an annotation (`gatus.home-operations.com/endpoint`), as a configuration."""
    if name and "name" not in root.value:
        root.value["name"] = name
    items = Items(root.line)
    items.append(root.value)
    items.lines = [root.line]
    top = Mapping(root.line)
    top["endpoints"] = items
    return Root(root.file, top, root.line)


def _are_endpoints(items: Items) -> bool:
    """Kubernetes has endpoints of its own (of a Service, a ServiceMonitor)."""
    return any(isinstance(one, Mapping) and "conditions" in one for one in items)


def _has_endpoints(text: str) -> bool:
    return any(f"{name}:" in text for name in _OURS)


def _merge(root: Root, into: Configuration) -> None:
    into.found_any = True
    for name, value in root.value.items():
        line = root.value.lines.get(name, root.line)
        if name in LISTS and isinstance(value, Items):
            lines = value.lines or [line] * len(value)
            items = [Item(root.file, one, at) for one, at in zip(value, lines, strict=False)]
            into.lists.setdefault(name, []).extend(items)
        elif name in LISTS:
            if value is not None:
                why = f"{name}: expected a list (each item begins with `- `), found none"
                into.unreadable.append(Unreadable(Place(root.file, line), why))
        elif name in into.sections:
            first = into.sections[name].value
            if isinstance(first, Mapping) and isinstance(value, Mapping):
                _deepen(first, value, Place(root.file, line), into.unreadable)
            else:
                why = f"{name} stands in several files; Gatus refuses that, the first one counts"
                into.unreadable.append(Unreadable(Place(root.file, line), why))
        else:
            into.sections[name] = Item(root.file, value, line)


def _deepen(
    first: Mapping, more: Mapping, place: Place, unreadable: list[Unreadable], depth: int = 0
) -> None:
    for name, value in more.items():
        there = first.get(name)
        if there is None:
            first[name] = value
            first.lines[name] = more.lines.get(name, 0)
        elif isinstance(there, Mapping) and isinstance(value, Mapping) and depth < 16:
            _deepen(there, value, place, unreadable, depth + 1)
        elif isinstance(there, Items) and isinstance(value, Items):
            there += value
            there.lines += value.lines
        elif there != value:
            why = f"{name} stands in several files; Gatus refuses that, the first one counts"
            unreadable.append(Unreadable(place, why))
