"""The files that somebody named, and those in the folders that somebody named."""

from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from portquorum.importing.model import Place, Unreadable

MOST_FILES: Final = 1_000


def files_of(
    named: Sequence[Path], suffixes: Collection[str]
) -> tuple[list[Path], list[Unreadable]]:
    """Each named file, whatever its suffix is, and of each folder its own files with a suffix.

    Hidden files and links out of a folder are left out; a folder without any file is told.
    """
    found: list[Path] = []
    unreadable: list[Unreadable] = []
    for path in named:
        if not path.is_dir():
            found.append(path)
            continue
        try:
            inside = sorted(
                one
                for one in islice(path.iterdir(), 100 * MOST_FILES)
                if one.suffix.lower() in suffixes
                and not one.name.startswith(".")
                and one.is_file()
                and one.resolve().is_relative_to(path.resolve())
            )
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
