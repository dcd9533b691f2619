"""Problems with the lines of the files that they are of, for a terminal."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from portquorum.inventory.errors import SHOWN, Problem, lines
from portquorum.inventory.yaml_errors import lines_of
from portquorum.inventory.yaml_place import names_secret
from schemas.plain_text import one_line

_WIDTH: Final = 100
_MOST_BYTES: Final = 16 * 1024 * 1024


def with_lines(problems: Sequence[Problem]) -> list[str]:
    """The first 50 problems, each with its line and a mark below the place, as far as it is known.

    Lines that may have a secret in them are left out, and those of files that can't be read.
    """
    found: list[str] = []
    text_of = cache(_lines)
    shown = lines(problems)
    for problem, said in zip(problems[:SHOWN], shown, strict=False):
        found.append(said)
        of_file = text_of(problem.where.file)
        if 0 < problem.where.line <= len(of_file):
            found += _excerpt(problem, of_file[problem.where.line - 1])
    return found + shown[SHOWN:]


def _lines(file: str) -> list[str]:
    try:
        path = Path(file)
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return []
        return lines_of(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return []


def _excerpt(problem: Problem, line: str) -> list[str]:
    column = problem.column or _column(problem, line)
    if not column or names_secret(line):
        return []
    begin = max(0, column - _WIDTH // 2) if len(line) > _WIDTH else 0
    part = line[begin : begin + _WIDTH]
    text = "".join(one_line(character) or " " for character in part).rstrip()
    lead = f"  {problem.where.line} | "
    return [f"{lead}{text}", f"{' ' * (len(lead) - 2)}| {' ' * (column - 1 - begin)}^"]


def _column(problem: Problem, line: str) -> int:
    """The column (from 1) of the field in its line; that of the first text if it is not there."""
    name = next((part for part in reversed(problem.where.path) if isinstance(part, str)), None)
    found = None if name is None else re.search(rf"(?<![\w-]){re.escape(name)}[\"']?\s*:", line)
    if found is not None:
        return found.start() + 1
    return len(line) - len(line.lstrip()) + 1 if line.strip() else 0
