"""Targets that are written with others: by templates (`extends`), or by several ports."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from portquorum.inventory.document import FileTargetEntry, Ports, TargetEntry, TemplateNames
from portquorum.inventory.entry import Entries, Entry, one_entry
from portquorum.inventory.errors import Path, Problem
from portquorum.inventory.inherit import Merged
from portquorum.inventory.port_list import MOST_IN_ALL, PortListError, for_each, ports_of, too_long
from portquorum.inventory.tree import Mapping, Root

FIELDS: Final = ("extends", "ports")


class Shared(Struct, frozen=True, kw_only=True):
    """The fields of an entry that make one target, or several, of it and others."""

    extends: TemplateNames | None = None
    ports: Ports | None = None


def targets(
    root: Root, path: Path, item: Mapping, into: Entries, problems: list[Problem]
) -> Iterator[Entry[TargetEntry]]:
    """The targets of an entry with `extends` or `ports`."""
    before = len(problems)
    asked = {"extends": item["extends"]} if item.get("extends") is not None else {}
    (shared,) = one_entry(root, path, _part(item, asked), Shared, problems)
    merged = into.templates.merged(shared.value.extends or (), item, root, path, problems)
    if merged is None or "extends" in shared.dropped:
        own = _part(item, {k: v for k, v in item.items() if k not in {"extends", "ports"}})
        for entry in one_entry(root, path, own, TargetEntry, problems, shown_as=FileTargetEntry):
            dropped = entry.dropped | frozenset(TargetEntry.__struct_fields__)
            yield replace(entry, dropped=dropped)
        return
    written = merged.item.pop("ports", None)
    ports: dict[int, int] = {}
    if written is not None:
        if merged.item.get("port") is not None:
            problems.append(
                Problem(root.where((*path, "ports")), "expected port or ports, found both")
            )
        ports = _ports(root, path, merged, written, problems)
    for entry in one_entry(
        root, path, merged.item, TargetEntry, problems, merged=merged, shown_as=FileTargetEntry
    ):
        wrong = too_long(entry.value) if ports else None
        if wrong is not None:
            problems.append(Problem(entry.where(wrong[0]), wrong[1]))
        into.by_ports += len(ports)
        if into.by_ports > MOST_IN_ALL:
            expected = f"expected at most {MOST_IN_ALL:,} targets by ports in an inventory"
            problems.append(Problem(entry.where("ports"), f"{expected}, found more"))
            return
        if written is None:
            yield entry
        elif not ports or len(problems) > before:
            dropped = entry.dropped | {"port", "ports"}
            yield replace(entry, dropped=dropped)
        else:
            yield from _parts(entry, ports, root, path)


def _ports(
    root: Root, path: Path, merged: Merged, written: object, problems: list[Problem]
) -> dict[int, int]:
    """The ports of a list, each with its position; none, with a problem, if it is wrong."""
    item = Mapping(root.where(path).line)
    item["ports"] = written
    found = next(one_entry(root, path, item, Shared, problems, merged=merged), None)
    if found is None or found.value.ports is None:
        return {}
    try:
        return ports_of(found.value.ports)
    except PortListError as error:
        inner = () if error.position is None else (error.position,)
        problems.append(Problem(found.where("ports", *inner), str(error)))
        return {}


def _parts(
    entry: Entry[TargetEntry], ports: dict[int, int], root: Root, path: Path
) -> Iterator[Entry[TargetEntry]]:
    merged = entry.merged or Merged(Mapping(0), {})
    source, at = merged.places.get(("ports",), (root, (*path, "ports")))
    for number, (position, value) in enumerate(for_each(entry.value, ports)):
        places = {**merged.places, ("port",): (source, (*at, position))}
        yield replace(
            entry,
            value=value,
            merged=replace(merged, places=places),
            whole=entry.value,
            part=number,
        )


def _part(item: Mapping, fields: dict[str, Any]) -> Mapping:
    """Some fields of a mapping, with their lines."""
    made = Mapping(item.line)
    made.update(fields)
    made.lines, made.texts = item.lines, item.texts
    return made
