"""What the options and helps of several commands have in common."""

import typer
from typer.testing import CliRunner

from portquorum.cli.options import unwrap_help


def test_the_width_of_the_terminal_alone_breaks_the_lines_of_a_help() -> None:
    app, inner = typer.Typer(rich_markup_mode="rich"), typer.Typer(rich_markup_mode="rich")

    @inner.command()
    def look() -> None:
        """Look.

        The first line of this paragraph is longer than others,
        so that a narrow terminal
        breaks it.

        Another paragraph.
        """

    @inner.command(help="Of its own.\n\nIn two\nlines.")
    def other() -> None: ...

    app.add_typer(inner, name="inner")
    unwrap_help(app)
    shown = CliRunner().invoke(app, ["inner", "look", "--help"], env={"COLUMNS": "50"}).stdout
    lines = [line.strip() for line in shown.splitlines()]
    assert lines[5:9] == [
        "The first line of this paragraph is longer than",
        "others, so that a narrow terminal breaks it.",
        "",
        "Another paragraph.",
    ]
    shown = CliRunner().invoke(app, ["inner", "other", "--help"], env={"COLUMNS": "50"}).stdout
    assert "In two lines." in shown
