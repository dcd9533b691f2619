"""A chart: the drawing, and the same as a table."""

from collections.abc import Callable
from typing import Final, NamedTuple

from markupsafe import Markup
from msgspec import Struct

MOST_CELLS: Final = 1_200
"""Cells of a table on a page; the JSON twin has all."""


class Table(NamedTuple):
    """What a drawing shows, as plain texts; the first cell of a row names it."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def cut(self) -> "tuple[Table, int]":
        """The first rows, as many as a page has room for, and the number of the others."""
        most = max(1, MOST_CELLS // max(1, len(self.head)))
        return Table(self.head, self.rows[:most]), max(0, len(self.rows) - most)


class Chart(Struct, frozen=True, kw_only=True):
    """A drawing, and how its table is made, since few ask for it.

    `svg` is markup of ours, in which every text is escaped; `name` is unique on a page.
    """

    name: str
    title: str
    svg: Markup
    table: Callable[[], Table]
