"""Reads the rows of a table, whatever its encoding, delimiter and quotes are."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from portquorum.importing.model import MOST_BYTES, Place, Unreadable
from portquorum.inventory.plain_file import read_bytes

_DELIMITERS: Final = (",", ";", "\t", "|")
_LOOKED_AT: Final = 50
_MOST_ROWS: Final = 100_000
_MOST_CELLS: Final = 200
_LONGEST_CELL: Final = 65_536


class Row(Struct, frozen=True):
    """A row: its first line in the file, and its cells without blanks around them."""

    line: int
    cells: tuple[str, ...]


class Table(Struct):
    """All rows with something in them, without comments. `delimiter`: empty for plain lines."""

    rows: list[Row] = field(default_factory=list)
    delimiter: str = ""
    unreadable: list[Unreadable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was guessed about the file, in sentences."""


def read(path: Path) -> Table:
    """The table of a file. Never raises for its content."""
    table, place = Table(), Place(str(path))
    try:
        data = read_bytes(path, MOST_BYTES + 1)
    except OSError as error:
        table.unreadable.append(Unreadable(place, f"it can't be read: {error.strerror}"))
        return table
    if len(data) > MOST_BYTES:
        why = f"expected at most {MOST_BYTES // 2**20} MB, found more"
        table.unreadable.append(Unreadable(place, why))
        return table
    text = _text(data, table)
    if text is None or "\0" in text:
        why = "expected text (UTF-8, UTF-16 or Windows-1252), found other bytes"
        table.unreadable.append(Unreadable(place, why))
        return table
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    skipped = 0
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=x"):
        table.delimiter, text, skipped = first.strip()[-1], rest, 1
    else:
        table.delimiter = _delimiter(text)
    _rows(text, skipped, str(path), table)
    return table


def _text(data: bytes, table: Table) -> str | None:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        table.notes.append("it is no UTF-8, and was read as Windows-1252")
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return None


def _delimiter(text: str) -> str:
    """The delimiter by which most of the first lines have the same number of cells above one."""
    lines = [line for line in text.split("\n", _LOOKED_AT * 4)[: _LOOKED_AT * 4] if _counts(line)]
    best, found = 0, ""
    for delimiter in _DELIMITERS:
        counts = [_outside_quotes(line, delimiter) for line in lines[:_LOOKED_AT]]
        usual = max(set(counts), key=counts.count, default=0)
        first = counts[0] if counts else 0
        score = counts.count(usual) * 1000 + usual if usual > 0 else 0
        if first == usual:
            score *= 2
        if score == 0 and first > 0:
            score = first
        if score > best:
            best, found = score, delimiter
    return found


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _outside_quotes(line: str, delimiter: str) -> int:
    count, inside = 0, False
    for letter in line:
        if letter == '"':
            inside = not inside
        elif letter == delimiter and not inside:
            count += 1
    return count


def _rows(text: str, skipped: int, file: str, table: Table) -> None:
    if not table.delimiter:
        for at, line in enumerate(text.split("\n"), start=skipped + 1):
            bare = line.strip().strip('"').strip()
            if _counts(bare):
                table.rows.append(Row(at, (bare,)))
        return
    for row in _parsed(text, skipped, file, table):
        if len(table.rows) >= _MOST_ROWS:
            why = f"expected at most {_MOST_ROWS:,} rows, found more"
            table.unreadable.append(Unreadable(Place(file, row.line), why))
            return
        table.rows.append(row)


def _parsed(text: str, skipped: int, file: str, table: Table) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=table.delimiter, strict=True, skipinitialspace=True
    )
    line = skipped + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            why = f"this row and those after it: {_words(str(error))}"
            table.unreadable.append(Unreadable(Place(file, line), why))
            return
        begun, line = line, skipped + reader.line_num + 1
        stripped = tuple(cell.strip() for cell in cells)
        if not any(stripped) or stripped[0].startswith("#"):
            continue
        if len(stripped) > _MOST_CELLS:
            why = f"expected at most {_MOST_CELLS} cells in a row, found {len(stripped)}"
            table.unreadable.append(Unreadable(Place(file, begun), why))
            continue
        yield Row(begun, stripped)


def _words(error: str) -> str:
    if "expected after" in error:
        return 'expected the delimiter after a quote (a quote within a cell is written "")'
    if "unexpected end" in error:
        return 'expected a quote (") at the end of the cell, found the end of the file'
    if "field larger" in error:
        return f"expected cells of at most {_LONGEST_CELL} characters, found a longer one"
    return "expected rows of CSV"
