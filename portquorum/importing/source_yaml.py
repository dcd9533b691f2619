"""YAML of others: documents with lines, and mappings that know which of their keys were used."""

from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import Any, Final

from portquorum.importing.model import MOST_BYTES, Ignored, Place, Unreadable
from portquorum.inventory import tree
from portquorum.inventory.plain_file import read_bytes
from portquorum.inventory.tree import Mapping, Root, Sequence
from schemas.plain_text import one_line

NOT_USED: Final = "portquorum has nothing like it"
_YES: Final = frozenset({"true", "yes", "on", "y"})
_NO: Final = frozenset({"false", "no", "off", "n"})
_SHOWN: Final = 60


class WrongValueError(ValueError):
    """A value at the source is not what its reader takes; `place` is where it stands."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def file_text(path: Path) -> str | Unreadable:
    """The text of a file in UTF-8, at most `MOST_BYTES` of it, or why it can't be read."""
    place = Place(str(path))
    try:
        data = read_bytes(path, MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            return Unreadable(place, f"expected at most {MOST_BYTES // 2**20} MB, found more")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Unreadable(place, f"expected UTF-8 text: {error.reason}")
    except OSError as error:
        return Unreadable(place, f"it can't be read: {error.strerror}")


def documents(path: Path) -> tuple[list[Root], list[Unreadable]]:
    """All documents of a file, and what of it could not be read. Never raises for its content."""
    text = file_text(path)
    if isinstance(text, Unreadable):
        return [], [text]
    return documents_of(text, str(path))


def documents_of(text: str, file: str, line: int = 0) -> tuple[list[Root], list[Unreadable]]:
    """As `documents`; `line` is that of a block string within `file` before which it begins."""
    roots, problems = tree.read(text, file, is_quoted=False)
    if line:
        for root in roots:
            _shift(root.value, line)
    moved = [Root(root.file, root.value, root.line + line) for root in roots]
    return moved, [
        Unreadable(Place(file, one.where.line + line if one.where.line else 0), one.message)
        for one in problems
    ]


def _shift(value: object, by: int) -> None:
    seen: set[int] = set()
    todo = [value]
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Mapping):
            one.line += by
            one.lines = {name: line + by for name, line in one.lines.items()}
            todo += one.values()
        elif isinstance(one, Sequence):
            one.line += by
            one.lines = [line + by for line in one.lines]
            todo += one


class Fields:
    """A mapping of the source with memory: what was asked for counts as used.

    `unused()` names the rest, so that nothing is lost silently. `path` is the way to it, in words.
    """

    def __init__(self, value: AnyMapping[str, Any], file: str, path: str = "") -> None:
        self.value = value
        self.file = file
        self.path = path
        self._used: set[str] = set()
        self._inner: list[Fields] = []
        self._said: list[Ignored] = []

    def __contains__(self, name: str) -> bool:
        return name in self.value

    def place(self, name: str = "") -> Place:
        """Where a key stands, or the mapping itself."""
        if not isinstance(self.value, Mapping):
            return Place(self.file)
        return Place(self.file, self.value.lines.get(name, self.value.line))

    def named(self, name: str) -> str:
        """The way to a key in words: `client.timeout`."""
        return f"{self.path}.{name}" if self.path else name

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a key, which counts as used; `default` if it is not there, or null."""
        self._used.add(name)
        found = self.value.get(name)
        return default if found is None else found

    def text(self, name: str, default: str = "") -> str:
        """A scalar as text.

        Raises:
            WrongValueError: a list or a mapping.
        """
        found = self.get(name)
        if found is None:
            return default
        if isinstance(found, bool):
            return str(found).lower()
        if isinstance(found, str | int | float):
            return str(found)
        raise self.wrong(name, "a text")

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """True or false, also by the words of YAML 1.1 (`yes`, `on`).

        Raises:
            WrongValueError: something else.
        """
        found = self.get(name)
        word = str(found).lower()
        if found is None:
            return default
        if word in _YES or word in _NO:
            return word in _YES
        raise self.wrong(name, "true or false")

    def number(self, name: str, default: float = 0) -> float:
        """A number, in quotes too.

        Raises:
            WrongValueError: something else.
        """
        found = self.get(name)
        if found is None:
            return default
        try:
            if isinstance(found, str | int | float) and not isinstance(found, bool):
                return float(found)
        except (ValueError, OverflowError):
            pass
        raise self.wrong(name, "a number")

    def child(self, name: str) -> "Fields":
        """The mapping under a key, empty if there is none; its unused keys are this one's too.

        Raises:
            WrongValueError: something else stands there.
        """
        found = self.get(name)
        if found is None:
            return self._keep(Fields({}, self.file, self.named(name)))
        if not isinstance(found, AnyMapping):
            raise self.wrong(name, "a mapping")
        return self._keep(Fields(found, self.file, self.named(name)))

    def children(self, name: str) -> "list[Fields]":
        """The mappings of a list, as `child`.

        Raises:
            WrongValueError: it is no list, or one of its items no mapping.
        """
        found = self.listed(name)
        if not all(isinstance(one, AnyMapping) for one in found):
            raise self.wrong(name, "a list of mappings")
        return [
            self._keep(Fields(one, self.file, f"{self.named(name)}[{position}]"))
            for position, one in enumerate(found)
        ]

    def listed(self, name: str) -> list[Any]:
        """The items of a list; a value that is none is a list of one.

        Raises:
            WrongValueError: a mapping.
        """
        found = self.get(name)
        if found is None:
            return []
        if isinstance(found, AnyMapping):
            raise self.wrong(name, "a list")
        return list(found) if isinstance(found, list | tuple) else [found]

    def skip(self, name: str, why: str) -> None:
        """Names a key as ignored, with the reason, if it is there."""
        if name in self.value and name not in self._used:
            self._used.add(name)
            self._said.append(Ignored(self.place(name), self.named(name), why))

    def unused(self, why: str = NOT_USED) -> list[Ignored]:
        """All keys here and below that nobody asked for, with `why`, and those of `skip`."""
        found = list(self._said)
        found += [
            Ignored(self.place(name), self.named(one_line(name)), why)
            for name in self.value
            if name not in self._used
        ]
        for inner in self._inner:
            found += inner.unused(why)
        return found

    def wrong(self, name: str, expected: str) -> WrongValueError:
        """What to raise for a value that is not `expected`; it shows no value."""
        kind = type(self.value.get(name)).__name__.lower()
        what = {"mapping": "a mapping", "sequence": "a list", "str": "another text"}.get(kind, kind)
        return WrongValueError(
            self.place(name), f"{self.named(name)[:_SHOWN]}: expected {expected}, found {what}"
        )

    def _keep(self, inner: "Fields") -> "Fields":
        self._inner.append(inner)
        return inner
