"""`portquorum sql`: any question to ClickHouse."""

import os
import re
import sys
import uuid
from functools import partial
from typing import Annotated, Final

import typer

from portquorum.cli.options import Json, chosen_format, examples
from portquorum.presentation.streams import is_utf8

_TABLES: Final = "SELECT name, comment FROM system.tables WHERE database = currentDatabase()"
HELP = examples(
    f'portquorum sql "{_TABLES}"',
    'portquorum sql "DESCRIBE uptime_daily" --format vertical',
    'portquorum sql "SELECT target, region, count() FROM results GROUP BY ALL"',
    'portquorum sql "SELECT * FROM incidents_current" --format json',
    'portquorum sql "SELECT * FROM results" --format parquet > results.parquet',
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
    "parquet": "Parquet",
}
_BINARY: Final = re.compile(
    r"Parquet|Arrow|ORC|Avro|Native|RowBinary|MsgPack|Protobuf", re.IGNORECASE
)
_FORMAT: Final = re.compile(r"\bFORMAT\s+(\w+)\s*(SETTINGS\b.*)?$", re.IGNORECASE | re.DOTALL)
# A question may take as long as ClickHouse lets it; Ctrl-C ends it.
_PATIENCE_S: Final = 24 * 3600


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
    json: Json = False,
) -> None:
    """Ask ClickHouse anything; it may only read. Ctrl-C ends the query at the server.

    The first two examples say what there is: each table, view and column has a comment.
    docs/analytics.md answers twenty questions.
    """
    from foundation import clickhouse
    from foundation.settings import load
    from portquorum.cli import query_progress

    text = (_standard_input() if query == "-" else _text_of(query)).strip().rstrip(";").strip()
    if not text:
        raise typer.BadParameter("expected a query, found nothing", param_hint="QUERY")
    terminal = sys.stdout.isatty()
    named = _FORMAT.search(text)
    chosen = chosen_format(format_ or "", "", json=json) or ("table" if terminal else "tsv")
    form = named[1] if named else FORMATS.get(chosen, chosen)
    if terminal and _BINARY.match(form):
        raise typer.BadParameter(
            f"{form} is not for a terminal; write it to a file: … > FILE", param_hint="--format"
        )
    options: dict[str, object] = {"output_format_pretty_row_numbers": 0}
    if not terminal:
        options |= {"output_format_pretty_color": 0}
    elif not is_utf8(sys.stdout):
        options |= {"output_format_pretty_grid_charset": "ASCII"}
    connect = partial(clickhouse.connect, load(), send_receive_timeout=_PATIENCE_S)
    asked = query_progress.QueryProgress(connect, str(uuid.uuid4()))
    asked.ask(text, None if named else form, options, sys.stdout.buffer)


def _standard_input() -> str:
    """The text of a file of SQL: UTF-8, in every locale.

    Raises:
        typer.BadParameter: it is not.
    """
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"expected UTF-8 on standard input: {error}") from error


def _text_of(argument: str) -> str:
    """An argument of the command line, whose bytes are UTF-8 also where the locale is not."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return os.fsencode(argument).decode(errors="replace")
    return argument
