"""Loads inventory files into entries: reads, parses, decodes, and collects every problem."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from portquorum.inventory import tree
from portquorum.inventory.decode import Entries, decode
from portquorum.inventory.errors import InventoryError, Problem, Where

SUFFIXES: Final = (".yaml", ".yml")
_TOO_LONG: Final = (
    f"expected at most {tree.MAX_BYTES // 1024 // 1024} MB in all files of an inventory, found "
    "more; split it into inventories with a --source each"
)


def files(paths: Iterable[Path]) -> list[Path]:
    """The files of `paths`: a folder stands for its YAML files, sorted by name.

    Raises:
        InventoryError: a path does not exist, or a folder has no YAML file.
    """
    found: list[Path] = []
    problems: list[Problem] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES and p.is_file())
            if not inside:
                expected = f"expected files that end in {' or '.join(SUFFIXES)}, found none"
                problems.append(Problem(Where(str(path), 0), expected))
            found += inside
        else:
            found.append(path)
    if problems or not found:
        raise InventoryError(problems or [Problem(Where("inventory", 0), "no file was named")])
    return found


def load(paths: Iterable[Path]) -> tuple[Entries, list[Problem]]:
    """All entries of all documents of all files, and the problems of those left out.

    Raises:
        InventoryError: there is no file to read.
    """
    entries = Entries()
    problems: list[Problem] = []
    left_bytes = tree.MAX_BYTES
    for path in files(paths):
        text, failed = read_text(path, left_bytes)
        problems += failed
        left_bytes -= len(text.encode())
        roots, unreadable = tree.read(text, str(path))
        problems += unreadable
        for root in roots:
            problems += decode(root, entries)
    return entries, problems


def read_text(path: Path, most_bytes: int = tree.MAX_BYTES) -> tuple[str, list[Problem]]:
    """The text of a file (UTF-8, with its own line ends), or the reason why it can't be read.

    A file longer than `most_bytes` (the rest of the limit for an inventory) is not parsed.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)  # not by its size: a pipe has none
        if len(data) > most_bytes:
            return "", [Problem(Where(str(path), 0), _TOO_LONG)]
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        return "", [Problem(Where(str(path), 0), f"expected UTF-8 text: {error}")]
    except OSError as error:
        return "", [Problem(Where(str(path), 0), f"can't be read: {error.strerror}")]
