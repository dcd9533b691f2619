"""The problems of an inventory, each with its place."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from schemas.plain_text import one_line

SHOWN: Final = 50

Path = tuple[str | int, ...]
"""The way to a value in a YAML document: keys and positions (from 0)."""


def path_text(path: Path) -> str:
    """`("targets", 3, "port")` in people's notation: `targets[3].port`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


class Where(Struct, frozen=True, gc=False):
    """A place in a file. `line` counts from 1; 0 when there is none."""

    file: str
    line: int
    path: Path = ()

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {path_text(self.path)}" if self.path else place


class Problem(Struct, frozen=True, gc=False):
    """One problem: its place, and a sentence on what was expected and found.

    `column` counts from 1, 0 when it is not known. `is_fatal`: what follows in the file was not
    read, so that nothing can be said of names that are not there.
    """

    where: Where
    message: str
    column: int = 0
    is_fatal: bool = False

    def __str__(self) -> str:
        return one_line(f"{self.where}: {self.message}")


def lines(problems: Sequence[Problem]) -> list[str]:
    """The first 50 problems, one for each line, and the number of further ones."""
    shown = [str(problem) for problem in problems[:SHOWN]]
    if len(problems) > SHOWN:
        shown.append(f"… and {len(problems) - SHOWN} more")
    return shown


class InventoryError(ValueError):
    """The inventory can't be used; nothing was changed.

    `problems` are all problems, in the order of the files; the text shows the first 50.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        once = dict.fromkeys(problems)
        self.problems = tuple(sorted(once, key=lambda p: (p.where.file, p.where.line)))
        super().__init__("\n".join(lines(self.problems)))


class ApplyError(RuntimeError):
    """An apply failed; the text says why, what has happened, and what to do.

    `again` is True if the cause may be temporary (the cluster, another apply).
    """

    def __init__(self, message: str, *, again: bool = False) -> None:
        super().__init__(message)
        self.again = again
