"""Every command that a page or a help text shows is one: its options, arguments, choices exist."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from portquorum.cli.app import app
from tests.unit.docs.command_lines import (
    Line,
    called_by,
    is_a_mention,
    lines_of_help,
    lines_of_pages,
    lines_of_text,
    what_the_parser_says,
)

LINES = [*lines_of_pages(), *lines_of_help()]
TEXT = lines_of_text()
FILES = ("FILE", "calmer.yaml", "inventory.yaml")
"""Those that must be there before a command begins."""


def what_is_wrong(line: Line) -> str:
    """What the command line's parser says of it: nothing, if it is right."""
    _, command, words = called_by(line.own_words)
    if hasattr(command, "commands") and words and not words[0].startswith("-"):
        return f"there is no command {words[0]}"
    if twice := said_twice(command, words):
        return f"{twice} is taken once, here it is written twice"
    return what_the_parser_says(line)


def said_twice(command: Any, words: Sequence[str]) -> str:
    """An option that is there more than once and counts once: the parser takes the last one."""
    once = [one.opts for one in command.params if not getattr(one, "multiple", True)]
    return next((opts[0] for opts in once if sum(word in opts for word in words) > 1), "")


def test_each_is_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FILES:
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    wrong = [f"{line}: {said}" for line in LINES if (said := what_is_wrong(line))]
    assert wrong == []


def test_each_in_the_running_text_is_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "FILE").touch()
    monkeypatch.chdir(tmp_path)
    whole = [line for line in TEXT if not is_a_mention(line)]
    wrong = [f"{line}: {said}" for line in whole if (said := what_is_wrong(line))]
    assert wrong == []
    assert len(TEXT) > 150
    assert len(whole) > 40


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
        ("up", "-i", "targets.yaml", "-i", "routes.yaml"),
    ],
    ids=" ".join,
)
def test_a_wrong_one_is_found(words: tuple[str, ...]) -> None:
    assert what_is_wrong(Line("here", words))
    assert CliRunner().invoke(app, list(words)).exit_code == 2
