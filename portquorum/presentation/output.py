"""The output of commands: tables for people, JSON for programs."""

import errno
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from portquorum.presentation.plain_console import PlainConsole
from schemas.plain_text import escaped_json, one_line, plain

STATUS_STYLE: Final[Mapping[str, str]] = {
    "up": "green",
    "down": "bold red",
    "slow": "yellow",
    "stale": "magenta",
    "unknown": "magenta",
    "unwatched": "bold magenta",
    "pending": "dim",
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
def out() -> Console:
    """The console on standard output."""
    return _Console()


@cache
def err() -> Console:
    """The console on standard error."""
    return PlainConsole(stderr=True)


def print_notes(notes: Iterable[str]) -> None:
    """Prints remarks for people on standard error, when nothing has failed."""
    for note in map(plain, notes):
        err().print(Text(f"note: {note}", style="yellow"), soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document, indented on a terminal, on one line otherwise.

    Escapes characters that a terminal would interpret as commands.
    """
    encoded = msgspec.json.encode(value, enc_hook=_plain)
    if sys.stdout.isatty():
        encoded = msgspec.json.format(encoded, indent=2)
    sys.stdout.write(escaped_json(encoded.decode()) + "\n")


def _plain(value: Any) -> Any:
    return str(value)


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    title: str = "",
    fold: Sequence[str] = (),
) -> Table:
    """A table; cells with a known status are coloured. Only the columns `fold` may wrap."""
    shown = Table(
        box=SIMPLE_HEAD,
        title=Text(one_line(title)) if title else None,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(
            isinstance(row[index], int | float) and not isinstance(row[index], bool)
            for row in rows
            if row[index] is not None
        )
        justify: Literal["right", "left"] = "right" if numeric else "left"
        shown.add_column(
            column,
            justify=justify,
            overflow="fold",
            no_wrap=bool(fold) and column not in fold,
        )
    for row in rows:
        shown.add_row(*(cell(value) for value in row))
    return shown


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
