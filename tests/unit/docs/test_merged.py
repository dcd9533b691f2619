"""No page has both sides of a merge: a paragraph begins two of its lines alike by accident only."""

from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
PAGES: Final = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md"))
)
ALIKE: Final = 40
"""Characters at the beginning of two lines that make them the same line."""


def paragraphs(text: str) -> list[list[str]]:
    """The lines of each paragraph or list; no code."""
    found: list[list[str]] = [[]]
    is_code = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            is_code = not is_code
        if is_code or not line.strip():
            found.append([])
        else:
            found[-1].append(line)
    return found


def twice(lines: list[str]) -> list[str]:
    """The lines that begin as another one; rows of tables, if they are whole neighbours."""
    beginnings = [line[:ALIKE] for line in lines if len(line) >= ALIKE and line[0] not in "| "]
    found = [one for one in set(beginnings) if beginnings.count(one) > 1]
    rows = [line for line in lines if line.startswith("|")]
    return found + [one for one, other in pairwise(rows) if one == other]


@pytest.mark.parametrize("page", PAGES)
def test_no_line_is_there_twice(page: str) -> None:
    for lines in paragraphs((ROOT / page).read_text(encoding="utf-8")):
        assert twice(lines) == [], f"{page}: both sides of a merge?"


def test_both_sides_of_a_merge_are_found() -> None:
    lines = [
        "A long sentence that both of the sides begin with, one.",
        "- And",
        "A long sentence that both of the sides begin with; two.",
    ]
    assert twice(lines) == [lines[0][:ALIKE]]
    assert twice(["| a | b |", "| a | b |"]) == ["| a | b |"]
    assert twice(["| a | b |", "| c | d |"]) == []
