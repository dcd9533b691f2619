"""A table that fits its terminal: no word of it (id, host, number) is ever broken."""

import os
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from portquorum.presentation.streams import printable

_FOLDED: Final = 20
"""Width down to which a column that may wrap is made narrower, in characters."""

_GAP: Final = 3
"""Blanks between two columns, and 2 at the edges."""

_PAIR_GAP: Final = 2
_INDENT: Final = 2
_NOTHING: Final = frozenset({"", "–"})


class TableColumn(Struct, frozen=True, kw_only=True):
    """A column of a table.

    `fold`: its text may wrap between words. `drop`: 0 is never left out; of the others the
    greatest number is left out first where the terminal is too narrow. `chart`: its cells are
    drawings, which are left out where rows become lines.
    """

    title: str
    justify: Literal["left", "right"] = "left"
    fold: bool = False
    drop: int = 0
    chart: bool = False


class FittedTable:
    """A table, printed in the first of these forms that fits the width without a broken word.

    1. All columns; those with `fold` wrap between words.
    2. Without columns that have a `drop`, and with a line that names what is left out.
    3. A row as lines: its first cell, then `column: value` pairs, all of them. A word that is wider
       than the terminal stands on a line of its own, for the terminal to wrap.

    In a pipe or a file a row is one line, however long, unless COLUMNS is set.
    """

    def __init__(
        self,
        columns: Sequence[TableColumn],
        rows: Sequence[Sequence[Text]],
        *,
        title: Text | str = "",
    ) -> None:
        """A row has a cell for each column."""
        self.columns = columns
        self.rows = [list(row) for row in rows]
        self.title = Text.assemble(title, style="bold", overflow="ignore")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The form that fits."""
        rows = [[_printable(cell, console) for cell in row] for row in self.rows]
        if rows != self.rows:
            yield FittedTable(self.columns, rows, title=self.title)
            return
        width = options.max_width
        everything = range(len(self.columns))
        if self.title:
            yield self.title
        if width == console.width and _unlimited(console):
            width = max(width, self._needs(everything, narrow=False))
            yield from console.render(self._table(everything, width), options.update_width(width))
            return
        shown = self._fitting(width)
        if shown is None:
            yield from self._lines(width)
            return
        yield from console.render(self._table(shown, width), options)
        titles = [self.columns[index].title for index in everything if index not in shown]
        names = ", ".join(title for title in titles if title)
        if names:
            yield Text(f"  too narrow for: {names} (a wider terminal shows them)", style="dim")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """From the width of the widest word to that of the whole table."""
        everything = range(len(self.columns))
        most = self._needs(everything, narrow=False)
        least = min(self._needs(everything, narrow=True), options.max_width)
        return Measurement(least, min(most, options.max_width))

    def _fitting(self, width: int) -> Sequence[int] | None:
        """The columns of the table that fits `width`; None if rows have to become lines."""
        shown = list(range(len(self.columns)))
        while self._needs(shown, narrow=True) > width:
            last = max(shown, key=lambda index: (self.columns[index].drop, index))
            if not self.columns[last].drop:
                return None
            shown.remove(last)
        return shown

    def _needs(self, shown: Sequence[int], *, narrow: bool) -> int:
        widths = (self._narrow(index) if narrow else self._natural(index) for index in shown)
        return sum(widths) + _GAP * len(shown) - 1

    def _natural(self, index: int) -> int:
        """The width of a column whose texts do not wrap."""
        lines = (line for row in self.rows for line in row[index].plain.split("\n"))
        return max(map(cell_len, (self.columns[index].title, *lines)))

    def _narrow(self, index: int) -> int:
        """The least width of a column."""
        column = self.columns[index]
        natural = self._natural(index)
        if not column.fold:
            return natural
        words = (word for row in self.rows for word in row[index].plain.split())
        return max(min(natural, _FOLDED), *map(cell_len, (column.title, *words)))

    def _table(self, shown: Sequence[int], width: int) -> Table:
        """The table of these columns; those that may wrap share what is left of `width`."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        spare = width - self._needs(shown, narrow=True)
        folding = [index for index in shown if self.columns[index].fold]
        widths = {index: self._narrow(index) for index in shown}
        for place, index in enumerate(folding):
            more = min(spare // (len(folding) - place), self._natural(index) - widths[index])
            widths[index] += more
            spare -= more
        for index in folding:  # what another did not need
            more = min(spare, self._natural(index) - widths[index])
            widths[index] += more
            spare -= more
        for index in shown:
            column = self.columns[index]
            table.add_column(
                Text(column.title),
                justify=column.justify,
                overflow="fold",
                no_wrap=not column.fold,
                width=widths[index],
            )
        for row in self.rows:
            table.add_row(*(row[index] for index in shown))
        return table

    def _lines(self, width: int) -> Iterator[Text]:
        shown = [index for index, column in enumerate(self.columns) if not column.chart]
        if not shown or not self.rows:
            yield Text("nothing", style="dim")
            return
        for row in self.rows:
            first, *rest = shown
            yield Text.assemble(_flat(row[first]), overflow="ignore", no_wrap=True, style="bold")
            line = Text(" " * _INDENT, overflow="ignore", no_wrap=True)
            for index in rest:
                if row[index].plain.strip() in _NOTHING:
                    continue
                title = self.columns[index].title
                pair = Text.assemble((f"{title}: " if title else "", "dim"), _flat(row[index]))
                begun = line.cell_len > _INDENT
                if begun and line.cell_len + _PAIR_GAP + pair.cell_len > width:
                    yield line
                    line = Text(" " * _INDENT, overflow="ignore", no_wrap=True)
                elif begun:
                    line.append(" " * _PAIR_GAP)
                yield from _but_last(line, pair, width)
            if line.cell_len > _INDENT:
                yield line


def _but_last(line: Text, pair: Text, width: int) -> Iterator[Text]:
    """Appends `pair` to `line`, word by word; yields the lines that are full."""
    for word in pair.split(" "):
        begun = line.plain.strip() != ""
        if begun and line.cell_len + 1 + word.cell_len > width:
            yield line.copy()
            line.plain = " " * _INDENT
            line.spans.clear()
        elif begun and not line.plain.endswith(" " * _PAIR_GAP):
            line.append(" ")
        line.append_text(word)


def _flat(text: Text) -> Text:
    """`text` on one line."""
    return Text(" ").join(part for part in text.split("\n") if part.plain)


def _printable(text: Text, console: Console) -> Text:
    """The cell with the length that it has on the terminal."""
    shown = printable(text.plain, console.file)
    return text if len(shown) == len(text.plain) else Text(shown, style=text.style)


def _unlimited(console: Console) -> bool:
    """True where a program or a file reads the output, and nobody has set a width."""
    return not console.file.isatty() and not os.environ.get("COLUMNS")
