"""A report as CSV (RFC 4180): the complete table of its targets, for a spreadsheet."""

import csv
from collections.abc import Sequence
from typing import IO

from portquorum.report.result import Report, Value
from schemas.plain_text import one_line


def write(report: Report, out: IO[str]) -> None:
    """Writes column names first; numbers without units: percent, seconds."""
    writer = csv.writer(out)
    tables = {table.name: table for table in report.tables}
    if "targets" in tables:
        writer.writerow([column.name for column in tables["targets"].columns])
        writer.writerows(map(_plain, tables["targets"].rows))


def _plain(row: Sequence[Value]) -> list[Value]:
    return [one_line(value) if isinstance(value, str) else value for value in row]
