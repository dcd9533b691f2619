"""Nagios' files: objects, the main file that names others, and the file of `$USERn$`.

Source: https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/ (configmain, objects).
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from portquorum.importing.folders import files_of
from portquorum.importing.model import MOST_BYTES, Place, Unreadable
from portquorum.importing.source_yaml import file_text
from portquorum.inventory.plain_file import read_bytes

_BEGIN: Final = re.compile(r"\s*define\s+([A-Za-z]+)\s*\{?\s*(.*)$")
_DIRECTIVE: Final = re.compile(r"\s*([A-Za-z_]+)\s*=\s*(.*?)\s*$")
_USER: Final = re.compile(r"\s*\$(USER[0-9]+)\$\s*=\s*(.*?)\s*$")
_MOST_FILES: Final = 5_000
_MOST_OBJECTS: Final = 200_000


class Written(Struct):
    """One `define TYPE { … }`: its directives as they are written."""

    kind: str
    values: dict[str, str]
    place: Place


class Source(Struct):
    """All that the files hold. `seconds` is `interval_length`: what a unit of intervals is."""

    objects: list[Written] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)
    seconds: float = 60.0
    unreadable: list[Unreadable] = field(default_factory=list)


def source(files: Sequence[Path]) -> Source:
    """The objects of the files, of folders with `*.cfg`, and of what main files name.

    Only files within the folders of those that were named are opened.
    """
    found = Source()
    todo = [(path, path if path.is_dir() else path.parent) for path in files]
    seen: set[Path] = set()
    while todo and len(seen) < _MOST_FILES:
        path, within = todo.pop(0)
        try:
            real = path.resolve()
        except OSError:
            continue
        if real in seen:
            continue
        seen.add(real)
        if path.is_dir():
            inside, unreadable = files_of([path], {".cfg"}, deep=True)
            todo += [(one, within) for one in inside if _is_within(one, within)]
            found.unreadable += unreadable
            continue
        text = file_text(path)
        if isinstance(text, Unreadable):
            text = _latin(path, text, found)
        if text:
            todo += [(one, within) for one in _read(text, path, within, found)]
    return found


def _is_within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _latin(path: Path, wrong: Unreadable, found: Source) -> str:
    """Files of old installations are in Latin-1."""
    if "UTF-8" in wrong.why:
        try:
            return read_bytes(path, MOST_BYTES).decode("latin-1")
        except OSError:
            pass
    found.unreadable.append(wrong)
    return ""


def _read(text: str, path: Path, within: Path, found: Source) -> list[Path]:
    """Adds the objects of a text; gives the files that it names."""
    more: list[Path] = []
    current: Written | None = None
    number = 0
    for number, line in enumerate(_joined(text), 1):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        if current is not None:
            if bare.startswith("}"):
                found.objects.append(current)
                current = None
            else:
                _directive(bare, current.values)
            continue
        begun = _BEGIN.match(line)
        if begun is not None and len(found.objects) < _MOST_OBJECTS:
            current = Written(begun[1].lower(), {}, Place(str(path), number))
            rest = begun[2].strip()
            if rest.endswith("}"):
                _directive(rest[:-1].strip(), current.values)
                found.objects.append(current)
                current = None
            continue
        more += _main(line, path, within, found, number)
    if current is not None:
        why = f"expected a }} for the {current.kind} that begins here, found the end of the file"
        found.unreadable.append(Unreadable(current.place, why))
    return more


def _joined(text: str) -> Iterable[str]:
    """Lines; one that ends in a backslash is empty, and the beginning of the next."""
    held = ""
    for line in text.splitlines():
        whole = held + line
        if line.endswith("\\") and not line.endswith("\\\\"):
            held = whole[:-1]
            yield ""
        else:
            held = ""
            yield whole
    if held:
        yield held


def _directive(line: str, values: dict[str, str]) -> None:
    """`name value ; comment`; with a backslash before it, a semicolon is one of the value."""
    name, _, rest = line.replace("\t", " ").partition(" ")
    value = re.split(r"(?<!\\);", rest, maxsplit=1)[0].replace("\\;", ";").strip()
    if name and not name.startswith("{"):
        values[name.lower() if not name.startswith("_") else name.upper()] = value


def _main(line: str, path: Path, within: Path, found: Source, number: int) -> list[Path]:
    """A line of the main file, or of the file of resources."""
    user = _USER.match(line)
    if user is not None:
        found.users[user[1]] = user[2]
        return []
    directive = _DIRECTIVE.match(line)
    if directive is None:
        return []
    name, value = directive[1].lower(), directive[2]
    if name == "interval_length" and value.isdecimal() and int(value) > 0:
        found.seconds = float(value)
    if name not in {"cfg_file", "cfg_dir", "resource_file"}:
        return []
    known = _within(value, path, within)
    if known is None:
        why = f"{name} leads out of the folder of this file, or to nothing: name it beside this one"
        found.unreadable.append(Unreadable(Place(str(path), number), f"{value}: {why}"))
        return []
    return [known]


def _within(value: str, path: Path, within: Path) -> Path | None:
    """The file of the folder that is meant: a relative path, or the end of an absolute one."""
    parts = Path(value).parts
    ends = [parts] if not Path(value).is_absolute() else []
    ends += [parts[at:] for at in range(1, len(parts))]
    for end in ends:
        one = path.parent.joinpath(*end)
        try:
            if one.exists() and one.resolve().is_relative_to(within.resolve()):
                return one
        except OSError:
            continue
    return None
