"""A policy file: an inventory, or a short document with only the differences.

The short document names no hosts. Its sections are `defaults:` (every target), `teams:` and `tags:`
(by name), `targets:` (by id), each with policy fields in the form of an inventory. A later section
overrides an earlier one; of two tags the later one in the file wins.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from msgspec.structs import replace

from portquorum.inventory import duration, latency, tree
from portquorum.inventory.decode import Entry, one_entry
from portquorum.inventory.document import Consensus, Duration, LatencyEntry, Regions
from portquorum.inventory.errors import InventoryError, Problem, Where
from portquorum.inventory.load import read_text
from schemas._types import TargetId
from schemas.target import LatencyLimit, Target

SECTIONS: Final = ("defaults", "teams", "tags", "targets")


class Change(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The policy fields that stored history can judge; None means unchanged."""

    retries: Annotated[int, Meta(ge=0, le=10)] | None = None
    retry_delay: Duration | None = None
    consensus: Consensus | None = None
    open_after: Duration | None = None
    recover_after: Annotated[int, Meta(ge=1, le=100)] | None = None
    abandon_after: Duration | None = None
    latency: LatencyEntry | None = None
    regions: Regions | None = None


class TargetChange(Change, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `targets:`."""

    id: TargetId


class Changes(Struct, frozen=True):
    """A short document: the changes and their targets, in the order of application."""

    defaults: list[Entry[Change]]
    teams: list[Entry[Change]]
    tags: list[Entry[Change]]
    targets: list[Entry[TargetChange]]


def is_inventory(path: Path) -> bool:
    """True if the file is an inventory: it names regions, or the host of a target.

    Raises:
        InventoryError: it can't be read.
    """
    for root in _roots(path):
        if not isinstance(root.value, tree.Mapping):
            continue
        targets = root.value.get("targets")
        listed = targets if isinstance(targets, tree.Sequence) else ()
        if "regions" in root.value or any(
            isinstance(one, tree.Mapping) and "host" in one for one in listed
        ):
            return True
    return False


def read(path: Path) -> Changes:
    """The changes of a short document.

    Raises:
        InventoryError: with every problem.
    """
    problems: list[Problem] = []
    found = Changes([], [], [], [])
    for root in _roots(path):
        if not isinstance(root.value, tree.Mapping):
            problems.append(Problem(root.where(()), f"expected {', '.join(SECTIONS)}"))
            continue
        for section, value in root.value.items():
            _section(root, section, value, found, problems)
    if not any((found.defaults, found.teams, found.tags, found.targets)) and not problems:
        problems.append(
            Problem(Where(str(path), 0), f"expected one of {', '.join(SECTIONS)}, found none")
        )
    if problems:
        raise InventoryError(problems)
    return found


def apply(changes: Changes, present: dict[str, Target]) -> dict[str, Target]:
    """The targets after the changes.

    Raises:
        InventoryError: a team, tag, target or region that no target has.
    """
    problems: list[Problem] = []
    chosen: dict[str, list[Entry[Any]]] = {one: [] for one in present}
    for entry in changes.defaults:
        for entries in chosen.values():
            entries.append(entry)
    for what, some in (("team", changes.teams), ("tag", changes.tags)):
        for entry in some:
            of_it = [
                one.id
                for one in present.values()
                if (one.team == entry.name if what == "team" else entry.name in one.tags)
            ]
            if not of_it:
                problems.append(Problem(entry.where(), f"no target has the {what} {entry.name!r}"))
            for target_id in of_it:
                chosen[target_id].append(entry)
    for own in changes.targets:
        if own.value.id in chosen:
            chosen[own.value.id].append(own)
        else:
            problems.append(Problem(own.where("id"), f"no target has the id {own.value.id!r}"))
    proposed = {one.id: _changed(one, chosen[one.id], problems) for one in present.values()}
    if problems:
        raise InventoryError(problems)
    return proposed


def _changed(target: Target, entries: list[Entry[Any]], problems: list[Problem]) -> Target:
    fields: dict[str, Any] = {}
    for entry in entries:
        value = entry.value
        for name in ("retries", "consensus", "recover_after"):
            if getattr(value, name) is not None:
                fields[name] = getattr(value, name)
        for name in ("retry_delay", "open_after", "abandon_after"):
            if getattr(value, name) is not None:
                fields[f"{name}_ms"] = duration.parse_ms(getattr(value, name))
        if value.latency is not None:
            fields["latency"] = _limit(entry, target.kind, problems)
        if value.regions is not None:
            kept = tuple(one for one in target.regions if one in value.regions)
            if not kept:
                problems.append(
                    Problem(
                        entry.where("regions"),
                        f"expected a region that has checked {target.id!r} "
                        f"({', '.join(target.regions)}), found none",
                    )
                )
            else:
                fields["regions"] = kept
    return replace(target, **fields)


def _limit(entry: Entry[Any], kind: str, problems: list[Problem]) -> LatencyLimit | None:
    """The limit; None and a problem (the same for all affected targets) if it is wrong."""
    try:
        return latency.limit(entry.value.latency, kind)
    except ValueError as error:
        problem = Problem(entry.where("latency"), str(error))
        if problem not in problems:
            problems.append(problem)
    return None


def _section(
    root: tree.Root, section: str, value: object, into: Changes, problems: list[Problem]
) -> None:
    if section == "defaults":
        into.defaults.extend(one_entry(root, (section,), value, Change, problems))
    elif section in {"teams", "tags"} and isinstance(value, tree.Mapping):
        some = into.teams if section == "teams" else into.tags
        for name, item in value.items():
            some += one_entry(root, (section, name), item, Change, problems)
    elif section == "targets" and isinstance(value, tree.Sequence):
        for position, item in enumerate(value):
            if isinstance(item, tree.Mapping) and "id" not in item:
                problems.append(Problem(root.where((section, position)), "expected an `id:`"))
            else:
                path = (section, position)
                into.targets.extend(one_entry(root, path, item, TargetChange, problems))
    else:
        expected = "a list" if section == "targets" else "names, each with its policy"
        if section not in SECTIONS:
            expected = f"one of {', '.join(SECTIONS)} (or an inventory, with hosts)"
        problems.append(Problem(root.where((section,)), f"expected {expected}"))


def _roots(path: Path) -> Iterator[tree.Root]:
    text, problems = read_text(path)
    roots, unreadable = tree.read(text, str(path)) if not problems else ([], problems)
    if unreadable:
        raise InventoryError(unreadable)
    yield from roots
