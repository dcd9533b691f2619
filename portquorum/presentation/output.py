"""The output of commands: tables for people, JSON for programs."""

import errno
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.text import Text

from portquorum.presentation.fitted_table import FittedTable, TableColumn
from portquorum.presentation.plain_console import PlainConsole
from portquorum.presentation.streams import printable_json
from schemas.plain_text import escaped_json, one_line, plain

STATUS_STYLE: Final[Mapping[str, str]] = {
    "up": "green",
    "down": "bold red",
    "flapping": "bold red",
    "failing": "red",
    "late": "yellow",
    "slow": "yellow",
    "stale": "magenta",
    "unknown": "magenta",
    "unwatched": "bold magenta",
    "pending": "dim",
    "paused": "cyan",
    "missed": "magenta",
    "blocked": "yellow",
    "open": "bold red",
    "opened": "bold red",
    "updated": "yellow",
    "improved": "yellow",
    "worsened": "bold red",
    "closed": "green",
    "critical": "bold red",
    "warning": "yellow",
}


OF_CLOSED: Final[Mapping[str, str]] = {"up": "closed", "down": "open"}
"""What a port is that must be closed (`expect: closed`), by its status."""


_JOBS: Final[Mapping[str | None, str]] = {
    "heartbeat_missed": "missed",
    "job_failed": "failed",
    "job_overran": "ran too long",
}


def job_word(reasons: Iterable[str | None]) -> str:
    """What is wrong with a job that is down, by the first reason that says it.

    Nobody tries to reach a job: of it `unreachable` and `down` say nothing.
    """
    return next((_JOBS[why] for why in reasons if why in _JOBS), "in trouble")


class _Console(PlainConsole):
    """Raises an error when the reader of the output is gone, like any other error.

    Rich would end the program at once, without stopping what it has started.
    """

    def on_broken_pipe(self) -> None:
        self.quiet = True
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, self.file.fileno())
        os.close(devnull)
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


@cache
def out() -> PlainConsole:
    """The console on standard output."""
    return _Console()


@cache
def err() -> Console:
    """The console on standard error."""
    return PlainConsole(stderr=True)


def print_notes(notes: Iterable[str]) -> None:
    """Prints remarks for people on standard error, when nothing has failed."""
    for note in map(plain, notes):
        text = Text(f"note: {note}", style="yellow")
        err().print(text, soft_wrap=not err().is_terminal)


def print_json(value: Any) -> None:
    """One JSON document, indented on a terminal, on one line otherwise.

    Escapes characters that a terminal would interpret as commands.
    """
    encoded = msgspec.json.encode(value, enc_hook=_plain)
    if sys.stdout.isatty():
        encoded = msgspec.json.format(encoded, indent=2)
    sys.stdout.write(printable_json(escaped_json(encoded.decode()), sys.stdout) + "\n")


def _plain(value: Any) -> Any:
    return str(value)


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    title: str = "",
    fold: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> FittedTable:
    """A table; cells with a known status are coloured. See `FittedTable` for how it is made to fit.

    Args:
        columns: titles. The first column is the head of a row where rows become lines.
        rows: a value for each column, see `cell`.
        title: the line above.
        fold: columns whose text may wrap between words.
        drop: columns that a narrow terminal leaves out, the first of these first.
    """
    return FittedTable(
        [
            TableColumn(
                title=column,
                justify="right" if _numeric(rows, index) else "left",
                fold=column in fold,
                drop=len(drop) - drop.index(column) if column in drop else 0,
            )
            for index, column in enumerate(columns)
        ],
        [[cell(value) for value in row] for row in rows],
        title=one_line(title),
    )


def _numeric(rows: Sequence[Sequence[object]], index: int) -> bool:
    """True if a column has numbers, and nothing else."""
    values = [row[index] for row in rows if row[index] is not None]
    return bool(values) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


def cell(value: object) -> Text:
    """A value in the form of a table cell."""
    match value:
        case Text():
            return value
        case None:
            return Text("–", style="dim")
        case float():
            text = f"{value:,.2f}".rstrip("0").rstrip(".")
        case datetime():
            text = clock(value)
        case bytes():
            text = value.decode(errors="replace")
        case list() | tuple() | set():
            text = ", ".join(str(item) for item in value)
        case _:
            text = str(value)
    return Text(one_line(text), style=STATUS_STYLE.get(text, ""))


def clock(at: datetime | int) -> str:
    """A time in people's notation, UTC, to the second: from a datetime or UTC milliseconds."""
    if isinstance(at, int):
        at = datetime.fromtimestamp(at / 1000, tz=UTC)
    if at.tzinfo is not None:
        at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S")
