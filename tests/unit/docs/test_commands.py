"""Every command that a page or a help text shows is one: its options, arguments, choices exist."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from portquorum.cli.app import app
from tests.unit.docs.command_lines import PROGRAM, Line, lines_of_help, lines_of_pages

LINES = [*lines_of_pages(), *lines_of_help()]
FILES = ("calmer.yaml", "inventory.yaml")
"""Those that must be there before a command begins."""


def what_is_wrong(line: Line) -> str:
    """What the command line's parser says of it: nothing, if it is right.

    What follows `--` is another program's, for `portquorum beat`, which takes it off first.
    """
    words = list(line.words)
    if "--" in words:
        words = words[: words.index("--")]
    command, name = PROGRAM, "portquorum"
    while words and words[0] in getattr(command, "commands", {}):
        name = words.pop(0)
        command = command.commands[name]  # type: ignore[attr-defined]
    if hasattr(command, "commands") and words and not words[0].startswith("-"):
        return f"there is no command {words[0]}"
    try:
        command.make_context(name, words)
    except SystemExit as end:
        return "" if not end.code else f"it ends with {end.code}"
    except Exception as error:  # noqa: BLE001 - the parser's own classes are typer's private ones
        return str(getattr(error, "message", "") or error)
    return ""


def test_each_is_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FILES:
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    wrong = [f"{line}: {said}" for line in LINES if (said := what_is_wrong(line))]
    assert wrong == []


def test_pages_and_help_texts_are_read() -> None:
    pages = {line.where for line in LINES}
    assert {"README.md", "quick-start.md", "import.md", "portquorum target add --help"} <= pages
    assert len(LINES) > 300


@pytest.mark.parametrize(
    "words",
    [
        ("stauts",),
        ("status", "--no-such-option"),
        ("check", "db1.example.com", "5432"),
        ("report", "uptime", "--format", "papyrus"),
        ("notify", "tset", "me"),
    ],
    ids=" ".join,
)
def test_a_wrong_one_is_found(words: tuple[str, ...]) -> None:
    assert what_is_wrong(Line("here", words))
    assert CliRunner().invoke(app, list(words)).exit_code == 2
