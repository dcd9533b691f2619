"""Files that a named file leads to: within its folder alone, and not by a symbolic link out."""

from collections.abc import Iterable
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final

_MOST_FILES: Final = 1_000
_ENDS: Final = frozenset({".yml", ".yaml", ".json", ".rules"})


def is_inside(pattern: str) -> bool:
    """Whether a pattern is one within the folder of its file."""
    parts = PurePosixPath(pattern)
    return not parts.is_absolute() and ".." not in parts.parts and bool(parts.name)


def inside(pattern: str, base: Path) -> tuple[Path, ...]:
    """The files of a pattern (`rules/*.yml`) that stands in a file of the folder `base`."""
    try:
        root = base.resolve()
        found = sorted(islice(base.glob(pattern), _MOST_FILES))
        return tuple(one for one in found if one.is_file() and one.resolve().is_relative_to(root))
    except (OSError, ValueError, NotImplementedError, RecursionError):
        return ()


def named(pattern: str, files: Iterable[Path]) -> tuple[Path, ...]:
    """Those of `files` that the last part of a pattern means, wherever they are."""
    last = PurePosixPath(pattern).name
    return tuple(one for one in files if fnmatch(one.name, last))


def files_of(path: Path) -> tuple[Path, ...]:
    """The file itself, or the files of a folder and of those in it that may hold something.

    Without hidden ones, and without those that a symbolic link leads out to.
    """
    if not path.is_dir():
        return (path,)
    root = path.resolve()
    found = sorted(
        one
        for one in islice(path.rglob("*"), 100 * _MOST_FILES)
        if one.suffix in _ENDS
        and not any(part.startswith(".") for part in one.relative_to(path).parts)
        and one.is_file()
        and one.resolve().is_relative_to(root)
    )
    return tuple(found[:_MOST_FILES])
