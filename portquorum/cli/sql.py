"""`portquorum sql`: any question to ClickHouse."""

import contextlib
import re
import shutil
import sys
from typing import IO, Annotated, Final, cast

import typer

from portquorum.cli.options import examples

HELP = examples(
    'portquorum sql "SELECT target, region, count() FROM results GROUP BY ALL"',
    'portquorum sql "SELECT * FROM incidents_current" --format json',
    "portquorum sql --format csv - < report.sql",
)

FORMATS: Final = {
    "table": "PrettyCompactMonoBlock",
    "vertical": "Vertical",
    "csv": "CSVWithNames",
    "tsv": "TSVWithNames",
    "json": "JSON",
    "jsonl": "JSONEachRow",
    "markdown": "Markdown",
}
_FORMAT: Final = re.compile(r"\bFORMAT\s+\w+\s*(SETTINGS\b.*)?$", re.IGNORECASE | re.DOTALL)


def sql(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="A SELECT; `-` reads it from standard input.")
    ],
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="F",
            help=f"{', '.join(FORMATS)}, or any format of ClickHouse by its own name. "
            "Default: table on a terminal, tsv otherwise.",
        ),
    ] = None,
) -> None:
    """Ask ClickHouse anything; it may only read.

    Tables and views: results, results_hourly, incidents, incidents_current, notifications,
    targets, deadletter (`SHOW TABLES`).
    """
    from portquorum import clickhouse
    from portquorum.settings import load

    text = (sys.stdin.read() if query == "-" else query).strip().rstrip(";").strip()
    if not text:
        raise typer.BadParameter("expected a query, found nothing", param_hint="QUERY")
    chosen = format_ or ("table" if sys.stdout.isatty() else "tsv")
    options: dict[str, object] = {"readonly": 2, "output_format_pretty_row_numbers": 0}
    if not sys.stdout.isatty():
        options |= {"output_format_pretty_color": 0}
    client = clickhouse.connect(load())
    own_format = _FORMAT.search(text) is not None
    fmt = None if own_format else FORMATS.get(chosen, chosen)
    answer = cast("IO[bytes]", client.raw_stream(text, fmt=fmt, settings=options))
    with contextlib.closing(answer):
        shutil.copyfileobj(answer, sys.stdout.buffer)
    sys.stdout.flush()
