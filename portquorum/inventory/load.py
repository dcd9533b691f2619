"""Loads inventory files into entries: reads, parses, decodes, and collects every problem."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from portquorum.inventory import tree
from portquorum.inventory.decode import Entries, decode_all
from portquorum.inventory.errors import InventoryError, Problem, Where
from portquorum.inventory.explain import LINE_MISSING
from portquorum.inventory.inherit import NOT_DEFINED
from portquorum.inventory.plain_file import read_bytes

SUFFIXES: Final = (".yaml", ".yml")
_TOO_LONG: Final = (
    f"expected at most {tree.MAX_BYTES // 1024 // 1024} MB in all files of an inventory, found "
    "more; split it into inventories with a --source each"
)


MOST_FILES: Final = 10_000
"""Most files of a folder: whoever names more has named the wrong one."""


def files(paths: Iterable[Path]) -> list[Path]:
    """The files of `paths`: a folder stands for its YAML files, and those of folders in it, sorted.

    Hidden ones are left out (`.git`, `..data` of a ConfigMap). A folder that is reached twice, by a
    symbolic link, is read once.

    Raises:
        InventoryError: a path does not exist, or a folder has no YAML file.
    """
    found: list[Path] = []
    problems: list[Problem] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(islice(_inside(path, set()), MOST_FILES + 1))
            if not inside:
                expected = f"expected files that end in {' or '.join(SUFFIXES)}, found none"
                problems.append(Problem(Where(str(path), 0), expected))
            if len(inside) > MOST_FILES:
                expected = f"expected at most {MOST_FILES:,} files in a folder, found more"
                problems.append(Problem(Where(str(path), 0), expected))
            found += inside
        else:
            found.append(path)
    if problems or not found:
        raise InventoryError(problems or [Problem(Where("inventory", 0), "no file was named")])
    return found


def _inside(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """The YAML files within a folder, in any order; folders that can't be read have none."""
    real = folder.resolve()
    if real in seen:
        return
    seen.add(real)
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _inside(entry, seen)
        elif entry.suffix in SUFFIXES and entry.is_file():
            yield entry


def load(paths: Iterable[Path]) -> tuple[Entries, list[Problem]]:
    """All entries of all documents of all files, and the problems of those left out.

    Raises:
        InventoryError: there is no file to read, or one could not be read to its end: then nothing
            can be said of names that are not there.
    """
    entries = Entries()
    problems: list[Problem] = []
    roots: list[tree.Root] = []
    left_bytes = tree.MAX_BYTES
    for path in files(paths):
        text, failed = read_text(path, left_bytes)
        problems += failed
        left_bytes -= len(text.encode())
        found, unreadable = tree.read(text, str(path))
        problems += unreadable
        roots += found
    problems += decode_all(roots, entries)
    if any(problem.is_fatal for problem in problems):
        raise InventoryError(_without_names(problems))
    return entries, problems


def _without_names(problems: list[Problem]) -> list[Problem]:
    """The problems without those of names that may stand where nothing could be read.

    Of a section whose line is missing the first one says it for all of its entries.
    """
    sections: set[str | int] = set()
    found: list[Problem] = []
    for problem in problems:
        if NOT_DEFINED in problem.message and not problem.is_fatal:
            continue
        if problem.message.endswith(LINE_MISSING):
            if problem.where.path[0] in sections:
                continue
            sections.add(problem.where.path[0])
        found.append(problem)
    return found


def read_text(path: Path, most_bytes: int = tree.MAX_BYTES) -> tuple[str, list[Problem]]:
    """The text of a file (UTF-8, with its own line ends), or the reason why it can't be read.

    A file longer than `most_bytes` (the rest of the limit for an inventory) is not parsed.
    """
    try:
        data = read_bytes(path, most_bytes + 1)  # not by its size: a pipe of the shell has none
        if len(data) > most_bytes:
            return "", [Problem(Where(str(path), 0), _TOO_LONG, is_fatal=True)]
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return "", [Problem(Where(str(path), line), _no_utf_8(data, error.start), is_fatal=True)]
    except OSError as error:
        message = f"can't be read: {error.strerror}"
        return "", [Problem(Where(str(path), 0), message, is_fatal=True)]


def _no_utf_8(data: bytes, at: int) -> str:
    """What a file is that is not in UTF-8."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return 'expected UTF-8 text, found UTF-16 (an editor\'s "Unicode"): save the file as UTF-8'
    if b"\0" in data[:1000]:
        return "expected UTF-8 text, found bytes that are no text"
    byte = f"0x{data[at]:02x}"
    return (
        f"expected UTF-8 text, found the byte {byte}, as ISO-8859-1 and Windows have it: save the "
        "file as UTF-8"
    )
