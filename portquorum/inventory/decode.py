"""Converts plain values to the document's Structs, and collects every problem."""

import re
import reprlib
from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct, inspect

from portquorum.inventory.document import (
    DURATION_TEXT,
    PATTERN_TEXT,
    DefaultsEntry,
    DrillEntry,
    MaintenanceEntry,
    RegionEntry,
    RouteEntry,
    TargetEntry,
    TeamEntry,
)
from portquorum.inventory.errors import Path, Problem, Where
from portquorum.inventory.tree import Mapping, Root, Sequence
from schemas.plain_text import unsafe_in

E = TypeVar("E", bound=Struct)

MOST_PROBLEMS: Final = 1_000
"""Problems after which the rest of a section is skipped: a file may have millions."""

SECTIONS: Final = ("regions", "teams", "routes", "defaults", "targets", "maintenance", "drill")

_NAMES: Final = {
    "regions": re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z"),
    "teams": re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"),
    "routes": re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"),
}
_AT: Final = re.compile(r"(.*) - at (`key` in )?`\$(.*)`\Z", re.DOTALL)
_PATH_PART: Final = re.compile(r"\.([^.\[]+)|\[([0-9]+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`\Z", re.DOTALL)
_PATTERN: Final = re.compile(r"Expected `str` matching regex (['\"])(.*)\1\Z", re.DOTALL)
_UNION: Final = re.compile(r"`([a-z]+)(?: \\| [a-z | ]+)?`")
_TYPE_TEXT: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_OF_MANY_LINES: Final = frozenset({"purpose", "rrule", "templates"})
_PROBE: Final = ("probe",)  # what is sent to servers, and what they must answer: any character

_FIELD_TEXT: Final = {
    "port": "a port from 1 to 65535",
    "status": "statuses from 100 to 599 and ranges, such as [200-299, 401, 403]",
    "conditions": "up to 50 conditions, such as [{json: $.state, equals: up}]",
    "criticality": "critical, important or normal",
    "consensus": "quorum, unanimous or a fraction above 0 and up to 1",
    "severities": "some of critical, warning, info",
    "limit": "a limit such as 20 in 1h",
    "schedule": "five fields of crontab(5) such as 0 3 * * *",
    "unless": "some of critical, warning, info",
    "incident_types": "some of unreachable, slow, flapping, expiring",
    "criticalities": "some of critical, important, normal",
    "slo": "a percentage from 50 to 100 such as 99.9",
    "downtime_cost_per_hour": "a price of 0 or more an hour",
    **dict.fromkeys(
        (
            *("interval", "timeout", "retry_delay", "open_after", "abandon_after", "duration"),
            *("every", "after", "fallback_after", "group_interval", "remind_every"),
            *("grace", "max_runtime"),
        ),
        DURATION_TEXT,
    ),
}
"""The expected value of a field in words, where msgspec's own text would not help."""
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80
_short.maxlist = _short.maxdict = 3
_short.maxlevel = 2


class Entry(Struct, Generic[E], frozen=True):
    """One entry of the inventory, and its place.

    `dropped` names the fields with a problem: they count as not written.
    """

    value: E
    root: Root
    path: Path
    dropped: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The key of a region, team or route."""
        return str(self.path[-1])

    def where(self, *more: str | int) -> Where:
        """The place of the entry, or of one of its fields."""
        return self.root.where((*self.path, *more))


class Entries(Struct):
    """All entries of all documents, in the order in which they were written."""

    regions: list[Entry[RegionEntry]] = []
    teams: list[Entry[TeamEntry]] = []
    routes: list[Entry[RouteEntry]] = []
    defaults: list[Entry[DefaultsEntry]] = []
    targets: list[Entry[TargetEntry]] = []
    maintenance: list[Entry[MaintenanceEntry]] = []
    drills: list[Entry[DrillEntry]] = []


def decode(root: Root, into: Entries) -> list[Problem]:
    """Adds the entries of one document to `into`; of an entry with problems, the valid fields."""
    problems: list[Problem] = []
    if not isinstance(root.value, Mapping):
        found = _short.repr(root.value)
        expected = f"expected a mapping with {', '.join(SECTIONS)}; found {found}"
        return [Problem(root.where(()), expected)]
    for section, value in root.value.items():
        if section not in SECTIONS:
            expected = f"no such section; there are {', '.join(SECTIONS)}"
            problems.append(Problem(root.where((section,)), expected))
        elif section == "regions":
            into.regions += _named(root, section, value, RegionEntry, problems)
        elif section == "teams":
            into.teams += _named(root, section, value, TeamEntry, problems)
        elif section == "routes":
            into.routes += _named(root, section, value, RouteEntry, problems)
        elif section == "defaults":
            into.defaults += one_entry(root, (section,), value, DefaultsEntry, problems)
        elif section == "drill":
            into.drills += one_entry(root, (section,), value, DrillEntry, problems)
        elif section == "targets":
            into.targets += _listed(root, section, value, TargetEntry, problems)
        else:
            into.maintenance += _listed(root, section, value, MaintenanceEntry, problems)
    return problems


def _named(
    root: Root, section: str, value: object, kind: type[E], problems: list[Problem]
) -> Iterator[Entry[E]]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        expected = f"expected names, each with its entry; found {_short.repr(value)}"
        problems.append(Problem(root.where((section,)), expected))
        return
    for name, item in value.items():
        path = (section, name)
        if not _NAMES[section].match(name):
            expected = PATTERN_TEXT[rf"^{_NAMES[section].pattern}"]
            message = f"expected {expected}, found {_short.repr(name)}"
            problems.append(Problem(root.where(path), message))
        yield from one_entry(root, path, item, kind, problems)


def _listed(
    root: Root, section: str, value: object, kind: type[E], problems: list[Problem]
) -> Iterator[Entry[E]]:
    if value is None:
        return
    if not isinstance(value, Sequence):
        expected = f"expected a list (each item begins with `- `); found {_short.repr(value)}"
        problems.append(Problem(root.where((section,)), expected))
        return
    for position, item in enumerate(value):
        if len(problems) >= MOST_PROBLEMS:
            text = f"so many problems ({MOST_PROBLEMS:,}) that what comes from here on was not read"
            problems.append(Problem(root.where((section, position)), text))
            return
        yield from one_entry(root, (section, position), item, kind, problems)


def one_entry(
    root: Root, path: Path, item: object, kind: type[E], problems: list[Problem]
) -> Iterator[Entry[E]]:
    """The entry at `path`; with problems, its valid fields; none if it is not a mapping."""
    if item is None:
        item = Mapping(root.where(path).line)
    for inner, message in _unsafe(item, ()):
        problems.append(Problem(root.where((*path, *inner)), message))
    try:
        yield Entry(msgspec.convert(item, kind), root, path)
    except msgspec.ValidationError:
        if isinstance(item, Mapping):
            yield _without_problems(root, path, item, kind, problems)
        else:
            expected = f"expected a mapping (`field: value`), found {_short.repr(item)}"
            problems.append(Problem(root.where(path), expected))


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


def _without_problems(
    root: Root, path: Path, item: Mapping, kind: type[E], problems: list[Problem]
) -> Entry[E]:
    """Collects all problems.

    Msgspec stops at the first problem, so each one found is removed and the rest is tried again.
    """
    rest: dict[str, Any] = dict(item)
    while True:
        try:
            value = msgspec.convert(rest, kind)
        except msgspec.ValidationError as error:
            inner, message = explain(str(error), rest, kind)
            problems.append(Problem(root.where((*path, *inner)), message))
            rest.pop(str(inner[0]))
        else:
            return Entry(value, root, path, frozenset(item.keys() - rest.keys()))


def explain(text: str, item: dict[str, Any], kind: type[Struct] | None = None) -> tuple[Path, str]:
    """The path within `item` and the sentence of a validation error of its conversion to `kind`."""
    at = _AT.match(text)
    message, inner = (at[1], _path(at[3])) if at else (text, ())
    unknown = _UNKNOWN.match(message)
    if unknown:
        here = _kind_at(kind, inner)
        known = () if here is None else here.__struct_encode_fields__
        there_are = f"; there are {', '.join(known)}" if known else ""
        return (*inner, unknown[1]), f"no such field{there_are}"
    missing = _MISSING.match(message)
    if missing:
        return (*inner, missing[1]), "expected a value, for it has no default; found none"
    found: Any = item
    for part in inner:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            break
    field = next((part for part in reversed(inner) if isinstance(part, str)), "")
    expected = _expected(message, field)
    of_text = message.startswith(("Invalid enum value", "Expected `str"))
    if of_text and field not in _FIELD_TEXT:
        choices = _choices(_kind_at(kind, inner[:-1]), field)
        expected = f"expected {choices}" if choices else expected
    numeric = message.startswith("Expected `str") and _is_number(found)
    if numeric and field not in _FIELD_TEXT:
        # YAML reads 1.2, 00 and 200 as numbers.
        expected += " in quotes"
    return inner, f"{expected}, found {_told(found)}"


def _kind_at(kind: type[Struct] | None, path: Path) -> type[Struct] | None:
    """The Struct of what stands at `path` within an entry of `kind`; None if it is none."""
    here: inspect.Type | None = None if kind is None else inspect.type_info(kind)
    for part in path:
        if isinstance(part, int):  # the item of a list stands where its list does
            continue
        fields = here.fields if isinstance(here, inspect.StructType) else ()
        found = next((one.type for one in fields if one.encode_name == part), None)
        among = found.types if isinstance(found, inspect.UnionType) else (found,)
        items = (one.item_type for one in among if isinstance(one, inspect.VarTupleType))
        here = next((one for one in (*among, *items) if isinstance(one, inspect.StructType)), None)
    return here.cls if isinstance(here, inspect.StructType) else None


def _is_number(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _told(found: object) -> str:
    """A value as YAML has it."""
    if found is None:
        return "null"
    return str(found).lower() if isinstance(found, bool) else _short.repr(found)


def _choices(kind: type[Struct] | None, field: str) -> str:
    """The allowed values of a field of `kind` in words; empty if it is not an enumeration."""
    if kind is None:
        return ""
    info = inspect.type_info(kind)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    of_it = next((one.type for one in fields if one.encode_name == field), None)
    among = of_it.types if isinstance(of_it, inspect.UnionType) else (of_it,)
    values = [str(v) for one in among if isinstance(one, inspect.LiteralType) for v in one.values]
    return " or ".join((", ".join(values[:-1]), values[-1])) if len(values) > 1 else "".join(values)


def _expected(message: str, field: str) -> str:
    if field in _FIELD_TEXT:
        return f"expected {_FIELD_TEXT[field]}"
    pattern = _PATTERN.match(message)
    wanted = PATTERN_TEXT.get(pattern[2].replace("\\\\", "\\")) if pattern else None
    if wanted:  # msgspec shows the pattern as Python writes it
        return f"expected {wanted}"
    message = re.sub(r", got `[^`]*`\Z", "", message)
    message = _UNION.sub(lambda union: _TYPE_TEXT.get(union[1], union[1]), message)
    return message[0].lower() + message[1:]


def _path(text: str) -> Path:
    parts: list[str | int] = []
    for name, position in _PATH_PART.findall(text):
        if position == "...":
            break
        parts.append(name or int(position))
    return tuple(parts)
