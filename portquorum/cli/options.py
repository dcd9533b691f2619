"""Options and arguments of more than one command."""

import getpass
import inspect
from pathlib import Path
from typing import Annotated, Final

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Where the embedded services keep their data; default: PORTQUORUM_DATA_DIR, "
        "else ~/.local/share/portquorum.",
        file_okay=False,
    ),
]

FEW_TARGETS: Final = 25
"""The most targets that `status` shows without being asked for all."""

_UNITS: Final = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("", 1.0))


def duration_s(text: str) -> float:
    """Seconds of `3s`, `500ms`, `1m`, or of a bare number of seconds.

    Raises:
        typer.BadParameter: not of that form, or not above 0.
    """
    number = text.strip().lower()
    unit, factor = next((unit, factor) for unit, factor in _UNITS if number.endswith(unit))
    try:
        value = float(number.removesuffix(unit)) * factor
    except ValueError:
        value = 0
    if 0 < value < float("inf"):
        return value
    raise typer.BadParameter(f"expected a duration such as 3s, 500ms or 1m, found {text!r}")


def chosen_format(given: str, default: str, *, json: bool) -> str:
    """The format of `--format`, or of its short form `--json`.

    Raises:
        typer.BadParameter: both, and they differ.
    """
    if json and given not in {default, "json"}:
        raise typer.BadParameter(f"expected --json or --format {given}, found both")
    return "json" if json else given


def unwrap_help(app: typer.Typer) -> None:
    """Lets the terminal's width alone break the lines of each command's help.

    Typer keeps the line breaks of a docstring, except in its first paragraph.
    """
    for command in app.registered_commands:
        if command.callback is not None:
            text = command.help or inspect.getdoc(command.callback) or ""
            command.help = "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            unwrap_help(group.typer_instance)


def examples(*lines: str) -> str:
    """The examples at the end of a command's help, one for each line."""
    escaped = (line.replace("[", r"\[") for line in lines)
    shown = (f"  [dim]$[/dim] {line}" for line in escaped)
    return "\n".join(("[bold]Examples[/bold]", *shown))


def user_name() -> str:
    """The name of who runs the command, `unknown` if the system does not know it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
