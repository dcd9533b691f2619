"""`portquorum health`: whether the monitor itself works."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from portquorum.cli.options import Json, duration_s, examples
from portquorum.presentation.output import out, print_json
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from portquorum.health.verdict import HealthReport

HELP = examples(
    "portquorum health",
    "portquorum health --watch 5s",
    "portquorum health --json | jq -r '.lines[] | select(.level == \"trouble\") | .text'",
)

_STYLE: Final = {"ok": "green", "unknown": "dim", "warning": "yellow", "trouble": "bold red"}
_WIDE: Final = 7
"""Letters of the longest level."""


def health(
    watch: Annotated[
        str | None,
        typer.Option("--watch", metavar="EVERY", help="Look again after so long, until Ctrl-C."),
    ] = None,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="Longest time for one look.")
    ] = "15s",
    json: Json = False,
) -> None:
    """Say whether the monitor itself works: Kafka, ClickHouse, every region and role.

    The first line is the summary. It asks Kafka and ClickHouse alone, no role, and writes nothing.
    Exit code 1 if there is trouble, 0 otherwise, warnings included.
    """
    from foundation.settings import load
    from portquorum.health.gather import look

    timeout_s = duration_s(timeout)
    every_s = None if watch is None else duration_s(watch)
    settings = load()
    while True:
        report = asyncio.run(look(settings, timeout_s))
        if every_s is not None and not json and out().is_terminal:
            out().clear()
        if json:
            print_json(report)
        else:
            _show(report)
        if every_s is None:
            break
        try:
            time.sleep(every_s)
        except KeyboardInterrupt:
            break
    raise typer.Exit(1 if report.level == "trouble" else 0)


def _show(report: "HealthReport") -> None:
    style = _STYLE[report.level]
    first = Text.assemble((f"{report.level.upper()}: ", style), one_line(report.summary))
    out().print(first, soft_wrap=not out().is_terminal)
    wide = max(len(line.title) for line in report.lines)
    rows = [
        (Text(line.level, style=_STYLE[line.level]), Text(line.title, style="bold"), line)
        for line in report.lines
    ]
    if not out().is_terminal:
        for level, title, line in rows:
            level.pad_right(_WIDE - len(level))
            title.pad_right(wide - len(title))
            out().print(
                Text.assemble(level, "  ", title, "  ", one_line(line.text)), soft_wrap=True
            )
        return
    shown = Table.grid(padding=(0, 2))
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold", max_width=24)
    shown.add_column(overflow="fold")
    for level, title, line in rows:
        shown.add_row(level, title, Text(one_line(line.text)))
    out().print(shown)
