"""The files that somebody named, and those in the folders that somebody named."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from portquorum.importing.model import Place, Unreadable

MOST_FILES: Final = 1_000
_MOST_LOOKED_AT: Final = 100 * MOST_FILES


def files_of(
    named: Sequence[Path], suffixes: Collection[str], *, deep: bool = False
) -> tuple[list[Path], list[Unreadable]]:
    """Each named file, whatever its suffix is, and of each folder its own files with a suffix.

    `deep`: those of folders within it, too. Hidden files and links out of a folder are left out;
    a folder without any file is told.
    """
    found: list[Path] = []
    unreadable: list[Unreadable] = []
    for path in named:
        if not path.is_dir():
            found.append(path)
            continue
        try:
            inside = sorted(_inside(path, suffixes, deep=deep))
        except OSError as error:
            unreadable.append(Unreadable(Place(str(path)), f"it can't be read: {error.strerror}"))
            continue
        if not inside:
            shown = ", ".join(sorted(suffixes))
            unreadable.append(Unreadable(Place(str(path)), f"it has no file with {shown}"))
        elif len(inside) > MOST_FILES:
            why = f"expected at most {MOST_FILES:,} files in a folder, found more"
            unreadable.append(Unreadable(Place(str(path)), why))
        found += inside[:MOST_FILES]
    return found, unreadable


def _inside(folder: Path, suffixes: Collection[str], *, deep: bool) -> Iterator[Path]:
    root = folder.resolve()
    for one in islice(folder.rglob("*") if deep else folder.iterdir(), _MOST_LOOKED_AT):
        if one.suffix.lower() not in suffixes:
            continue
        if any(part.startswith(".") for part in one.relative_to(folder).parts):
            continue
        if one.is_file() and one.resolve().is_relative_to(root):
            yield one
