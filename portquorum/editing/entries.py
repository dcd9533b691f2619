"""Entries of the page's own inventory: as JSON, merged, checked, resolved. Pure.

The words of every problem are those of an inventory file; a field takes the place of the line.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from portquorum.changing.errors import FieldError
from portquorum.editing.typed_secrets import typed_secrets
from portquorum.inventory.decode import Entries, Entry, one_entry
from portquorum.inventory.document import Tags, TargetEntry
from portquorum.inventory.errors import InventoryError, Path, Problem, path_text
from portquorum.inventory.order import find_circle
from portquorum.inventory.resolve import Known, resolve
from portquorum.inventory.targets import TargetResolver
from portquorum.inventory.tree import Root, planted
from schemas.policy import WEB
from schemas.target import Target

MAX_DEPTH: Final = 14
"""Levels of an entry: what is deeper no file could say."""

_ROOT: Final = Root(WEB, None, 0)
_SECTION: Final = "targets"
_UNWRITTEN: Final = {"kind": "tcp", "expect": "open", "enabled": True}
"""Values that an entry has without a word."""


class EntryError(ValueError):
    """An entry that is wrong; `errors` name its fields by their paths (`probe.path`)."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{one.field}: {one.message}" for one in self.errors))


def decoded(values: object) -> TargetEntry:
    """The entry of values as JSON has them.

    Raises:
        EntryError: with every problem that can be seen without knowing other names.
    """
    if not isinstance(values, Mapping):
        raise EntryError([FieldError(field="", message="expected an object with the fields of it")])
    if _depth(values) > MAX_DEPTH:
        text = f"expected at most {MAX_DEPTH} levels, found more"
        raise EntryError([FieldError(field="", message=text)])
    problems: list[Problem] = []
    entry = next(one_entry(_ROOT, (), planted(dict(values)), TargetEntry, problems), None)
    if entry is None:
        raise EntryError(_errors(problems))
    if problems:
        alone(entry, problems)
        raise EntryError(_errors(problems))
    return entry.value


def alone(entry: Entry[TargetEntry], problems: list[Problem]) -> Target | None:
    """The target of an entry by itself; names that it uses are not looked up."""
    resolver = TargetResolver(WEB, None, problems)
    resolver.regions = ("any",)
    return resolver.resolve(entry)


def by_itself(entry: TargetEntry) -> Target | None:
    """The target of an entry as far as it says it itself; None if it is wrong."""
    return alone(Entry(entry, _ROOT, ()), [])


def id_of(entry: TargetEntry) -> str:
    """The id of an entry: its own, or made from the name or place; empty if none can be made."""
    return TargetResolver(WEB, None, []).id_of(Entry(entry, _ROOT, ()))


def written(entry: TargetEntry) -> dict[str, Any]:
    """The fields that an entry has, as JSON and YAML have them; `kind` always."""
    plain: dict[str, Any] = msgspec.to_builtins(entry)
    return {
        name: value
        for name, value in plain.items()
        if value is not None
        and (name == "kind" or (value not in ([], ()) and value != _UNWRITTEN.get(name)))
    }


def encoded(entry: TargetEntry) -> str:
    """An entry as [web] has it."""
    return msgspec.json.encode(written(entry)).decode()


def stored(text: str) -> TargetEntry | None:
    """The entry of a text of [web]; None if it is none (somebody else wrote it)."""
    try:
        return msgspec.json.decode(text, type=TargetEntry)
    except msgspec.DecodeError:
        return None


def merged(entry: TargetEntry, merge: Mapping[str, Any]) -> TargetEntry:
    """An entry with a merge patch (RFC 7396).

    Raises:
        EntryError: what comes of it is wrong.
    """
    return decoded(merge_patch(written(entry), merge))


def with_tags(entry: TargetEntry, add: Iterable[str], remove: Iterable[str]) -> TargetEntry:
    """An entry with other tags, each once, in their order.

    Raises:
        EntryError: one of them can't be a tag, or they are too many.
    """
    gone = frozenset(remove)
    tags = dict.fromkeys((*(one for one in entry.tags or () if one not in gone), *add))
    try:
        return structs.replace(entry, tags=msgspec.convert(tuple(tags), Tags) or None)
    except msgspec.ValidationError as error:
        raise EntryError([FieldError(field="tags", message=_lower(f"{error}"))]) from error


class Resolved(Struct, frozen=True):
    """Targets of entries by id (`version` is 0), and of the others what is wrong."""

    targets: dict[str, Target]
    errors: dict[str, tuple[FieldError, ...]]


def resolved(wanted: Mapping[str, TargetEntry], known: Known) -> Resolved:
    """Resolves entries by id, each for itself: what is wrong with one does not touch the others.

    `known` are the names of everybody else: of other sources, and other targets of the page.
    """
    left = dict(wanted)
    errors: dict[str, tuple[FieldError, ...]] = {}
    while left:
        names = tuple(left)
        entries = Entries()
        entries.targets += [
            Entry(left[name], _ROOT, (_SECTION, position)) for position, name in enumerate(names)
        ]
        # Of targets that are wrong the others need the names only.
        others = structs.replace(
            known, targets=known.targets | dict.fromkeys(errors.keys() - left.keys(), WEB)
        )
        try:
            found = resolve(entries, WEB, (), others)
        except InventoryError as error:
            wrong = _by_target(error.problems, names)
            errors |= wrong
            left = {name: one for name, one in left.items() if name not in wrong}
        else:
            return Resolved({one.id: one for one in found.targets}, errors)
    return Resolved({}, errors)


def circle(depends_on: Mapping[str, Iterable[str]]) -> FieldError | None:
    """The problem of targets that depend on each other in a circle; None: there is none."""
    found = find_circle(depends_on)
    if not found:
        return None
    chain = " → ".join(found)
    return FieldError(field="depends_on", message=f"targets depend in a circle: {chain}")


def secret_errors(target: Target) -> list[FieldError]:
    """The problems of secrets that were typed as they are: everybody who reads would see them."""
    return [FieldError(field=path_text(path), message=text) for path, text in typed_secrets(target)]


def _by_target(
    problems: Iterable[Problem], names: tuple[str, ...]
) -> dict[str, tuple[FieldError, ...]]:
    found: dict[str, list[FieldError]] = {}
    for problem in problems:
        path = problem.where.path
        if path[:1] == (_SECTION,) and len(path) > 1 and isinstance(path[1], int):
            found.setdefault(names[path[1]], []).append(_error(path[2:], problem.message))
        else:  # of all of them: there is no region
            for name in names:
                found.setdefault(name, []).append(_error(path, problem.message))
    return {name: tuple(errors) for name, errors in found.items()}


def _errors(problems: Iterable[Problem]) -> list[FieldError]:
    return [_error(one.where.path, one.message) for one in dict.fromkeys(problems)]


def _error(path: Path, message: str) -> FieldError:
    return FieldError(field=path_text(path), message=message)


def merge_patch(value: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    result = dict(value) if isinstance(value, Mapping) else {}
    for name, one in patch.items():
        if one is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), one)
    return result


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _depth(value: object) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        deepest = max(deepest, depth)
        if depth > MAX_DEPTH:
            break
        inner = one.values() if isinstance(one, Mapping) else one if isinstance(one, list) else ()
        waiting += [(each, depth + 1) for each in inner]
    return deepest
