"""A report as CSV (RFC 4180): its table of targets, all of them, for a sheet."""

import csv
from typing import IO

from portquorum.report.result import Report


def write(report: Report, out: IO[str]) -> None:
    """Column names first; numbers bare: percent, seconds."""
    writer = csv.writer(out)
    tables = {table.name: table for table in report.tables}
    if "targets" in tables:
        writer.writerow([column.name for column in tables["targets"].columns])
        writer.writerows(tables["targets"].rows)
