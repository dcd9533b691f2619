"""Parses YAML text to plain values that remember their lines.

Built from the parser's events: it creates only text, numbers, truth values, lists and mappings, an
alias costs nothing (no expansion: a "billion laughs" document is as small here as on disk), and the
depth is limited. It counts the values behind aliases, because later readers read each of them once
for each alias. Plain scalars follow YAML 1.2's core schema (section 10.3.2): `no`, `on` and `1:30`
are text.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml
from msgspec import Struct

from portquorum.inventory import yaml_errors
from portquorum.inventory.errors import Path, Problem, Where
from portquorum.inventory.yaml_place import Wrong

MAX_BYTES: Final = 16 * 1024 * 1024
"""Most bytes of all files of an inventory together. 100,000 full targets have some 13 MB."""

MAX_DEPTH: Final = 16
MAX_ALIASED: Final = 2_000_000
"""Most values (numbers, texts, lists, mappings) behind the aliases and merge keys of a file."""

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # libyaml's is 20 times faster
_INT: Final = re.compile(r"[-+]?[0-9]{1,300}\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")
_WORDS: Final[dict[str, object]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Mapping(dict[str, Any]):
    """A YAML mapping; `lines` has the line (from 1) of each key; `size` counts all values in it.

    `texts`: how a number or truth value was written that Python writes otherwise (`1.50`).
    """

    __slots__ = ("line", "lines", "size", "texts")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.size = 1
        self.lines: dict[str, int] = {}
        self.texts: dict[str | int, str] | None = None


class Sequence(list[Any]):
    """A YAML sequence; `lines` has the line (from 1) of each item; the rest as of a mapping."""

    __slots__ = ("line", "lines", "size", "texts")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.size = 1
        self.lines: list[int] = []
        self.texts: dict[str | int, str] | None = None


class Root(Struct, frozen=True):
    """One YAML document of a file, with any `value`."""

    file: str
    value: Any
    line: int

    def where(self, path: Path) -> Where:
        """The place of `path`: the line of its deepest part that exists.

        A position in what is no list (a scalar that stands for a list of one) is left out.
        """
        line, value = self.line, self.value
        shown: list[str | int] = []
        for place, part in enumerate(path):
            if isinstance(value, Mapping) and isinstance(part, str):
                line = value.lines.get(part, line)
                value = value.get(part)
            elif isinstance(value, Sequence) and isinstance(part, int) and part < len(value):
                line, value = value.lines[part], value[part]
            elif part == 0 and value is not None and not isinstance(value, Sequence):
                continue
            else:
                return Where(self.file, line, (*shown, *path[place:]))
            shown.append(part)
        return Where(self.file, line, tuple(shown))

    def at(self, path: Path) -> Any:
        """The value at `path`; None if there is none."""
        value = self.value
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def planted(value: object) -> Any:
    """Plain values (JSON, a form) as if they had been read from a document; no place has a line."""
    if isinstance(value, dict):
        mapping = Mapping(0)
        for name, inner in value.items():
            mapping[str(name)] = planted(inner)
        return mapping
    if isinstance(value, list | tuple):
        sequence = Sequence(0)
        sequence += map(planted, value)
        sequence.lines = [0] * len(sequence)
        return sequence
    return value


class _Stop(Exception):  # noqa: N818 - ends the reading, is no error of the program
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class _Open:
    """A mapping or sequence before its end event."""

    __slots__ = ("anchor", "key", "merges", "value")

    def __init__(self, value: Mapping | Sequence, anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: str | None = None
        self.merges: list[tuple[Any, int]] = []


def read(text: str, file: str, *, is_quoted: bool = True) -> tuple[list[Root], list[Problem]]:
    """All documents of `text` except empty ones.

    `is_quoted`: problems of what is no YAML may repeat some of the text, to say how it is written.
    Never raises for the text's content: unreadable parts are problems (`is_fatal`), and the
    documents before them are returned. Duplicate keys are problems too (the first one stays).
    """
    builder = _Builder(file)
    roots: list[Root] = []

    def shown() -> str:
        return text if is_quoted else yaml_errors.masked(text)

    try:
        for root in builder.documents(text):
            if root.value is not None:
                roots.append(root)  # noqa: PERF401 - those before an error are kept
    except _Stop as stop:
        message = str(stop) if is_quoted else yaml_errors.without_names(str(stop))
        builder.problems.append(_fatal(file, yaml_errors.of_content(message, stop.line, shown())))
    except yaml.MarkedYAMLError as error:
        builder.problems.append(_fatal(file, yaml_errors.of_parser(error, shown())))
    except (yaml.YAMLError, ValueError) as error:
        builder.problems.append(_fatal(file, yaml_errors.of_reader(error, text)))
    return roots, builder.problems


def _fatal(file: str, wrong: Wrong) -> Problem:
    where = Where(file, wrong.line)
    return Problem(where, wrong.message, column=wrong.column, is_fatal=True)


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, Any] = {}
        self.anchored_texts: dict[str, str] = {}
        self.aliased = 0

    def documents(self, text: str) -> Iterator[Root]:
        stack: list[_Open] = []
        root, line = None, 1
        events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        for event in events:
            at = event.start_mark.line + 1
            written = None
            if isinstance(event, yaml.ScalarEvent):
                value = _scalar(event, at)
                if value.__class__ is not str and value is not None:
                    written = event.value if _written(value) != event.value else None
                self._anchor(event.anchor, value, written)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                stack.append(_opened(event, at, len(stack)))
                continue
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                done = stack.pop()
                self._merge(done)
                self._anchor(done.anchor, done.value)
                value, at = done.value, done.value.line
            elif isinstance(event, yaml.AliasEvent):
                value = self._aliased(event.anchor, at)
                written = self.anchored_texts.get(event.anchor or "")
            elif isinstance(event, yaml.DocumentStartEvent):
                root, line = None, at
                self.anchors, self.anchored_texts = {}, {}
                continue
            elif isinstance(event, yaml.DocumentEndEvent):
                yield Root(self.file, root, line)
                continue
            else:
                continue
            if stack:
                self._put(stack[-1], value, at, written)
            else:
                root = value

    def _aliased(self, name: str | None, at: int) -> object:
        if name is None or name not in self.anchors:
            raise _Stop(at, f"expected an anchor &{name} above, found none")
        value = self.anchors[name]
        self._count_aliased(size_of(value), at)
        return value

    def _count_aliased(self, count: int, at: int) -> None:
        self.aliased += count
        if self.aliased > MAX_ALIASED:
            text = f"expected aliases that stand for at most {MAX_ALIASED:,} values, found more"
            raise _Stop(at, f"{text}; write out less, or split the inventory")

    def _anchor(self, name: str | None, value: object, written: str | None = None) -> None:
        if name is None:
            return
        self.anchors[name] = value
        self.anchored_texts.pop(name, None)
        if written is not None:
            self.anchored_texts[name] = written

    def _put(self, into: _Open, value: object, at: int, written: str | None) -> None:
        if isinstance(into.value, Sequence):
            if written is not None:
                _keep(into.value, len(into.value), written)
            into.value.size += size_of(value)
            into.value.append(value)
            into.value.lines.append(at)
        elif into.key is None:
            into.key = self._key(into.value, value, at)
        else:
            if into.key == "<<":
                into.merges.append((value, at))
            elif into.key in into.value:
                text = f"the key {into.key!r} stands here twice in one mapping"
                first = into.value.lines[into.key]
                self.problems.append(
                    Problem(
                        Where(self.file, at),
                        f"{text}; the first one is in line {first}",
                        # A whole section is not read then: names that are missing may be in it.
                        is_fatal=isinstance(value, Mapping | Sequence),
                    )
                )
            else:
                if written is not None:
                    _keep(into.value, into.key, written)
                into.value.size += size_of(value)
                into.value[into.key] = value
            into.key = None

    def _key(self, mapping: Mapping, value: object, at: int) -> str:
        if isinstance(value, Mapping | Sequence):
            raise _Stop(at, "expected a name as a key, found a list or a mapping")
        name = value if isinstance(value, str) else _written(value)
        mapping.lines.setdefault(name, at)
        return name

    def _merge(self, done: _Open) -> None:
        # https://yaml.org/type/merge.html: what the mapping has itself wins, then the earlier.
        for value, at in done.merges:
            sources = value if isinstance(value, Sequence) else [value]
            for source in sources:
                if not isinstance(source, Mapping) or not isinstance(done.value, Mapping):
                    raise _Stop(at, "expected a mapping (or a list of them) after `<<:`")
                self._count_aliased(len(source), at)
                for name, merged in source.items():
                    if name not in done.value and source.texts and name in source.texts:
                        _keep(done.value, name, source.texts[name])
                    done.value.setdefault(name, merged)
                    done.value.lines.setdefault(name, at)


def _opened(event: Any, at: int, depth: int) -> _Open:
    if depth >= MAX_DEPTH:
        raise _Stop(at, f"expected at most {MAX_DEPTH} levels, found a deeper one")
    _no_tag(event.tag, at)
    is_mapping = isinstance(event, yaml.MappingStartEvent)
    return _Open(Mapping(at) if is_mapping else Sequence(at), event.anchor)


def _keep(value: Mapping | Sequence, place: str | int, written: str) -> None:
    """Remembers how the value at `place` was written."""
    if value.texts is None:
        value.texts = {}
    value.texts[place] = written


def size_of(value: object) -> int:
    """The number of values in a value, itself included."""
    return value.size if isinstance(value, Mapping | Sequence) else 1


def _no_tag(tag: str | None, at: int) -> None:
    if tag is not None:
        raise _Stop(at, f"expected a plain value, found the tag {tag}; leave it out")


def _written(value: object) -> str:
    """A scalar as YAML has it most often."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _scalar(event: Any, at: int) -> object:
    _no_tag(event.tag, at)
    text: str = event.value
    if not event.implicit[0]:  # quoted or a block: text as it stands
        return text
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first.isdigit() or first in "+-.":
        if _INT.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
    return text
