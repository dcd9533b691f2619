"""The `portquorum …` lines of the pages and of the help texts, as words."""

import re
import shlex
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.text import Text
from typer.main import get_command

from portquorum.cli.app import app

ROOT: Final = Path(__file__).parents[3]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
PROGRAM: Final = get_command(app)
_STARTS: Final = re.compile(r"(?:^|[\s(])(?:\S*/bin/)?portquorum (?=[a-z-])")
_NO_SHELL: Final = ("yaml", "python", "sql", "json", "js", "java", "go", "toml", "ini", "text")
_ENDS: Final = frozenset("|;&<>()")


class Line(NamedTuple):
    """A command: where it stands, and the words after `portquorum`."""

    where: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.where}: portquorum {shlex.join(self.words)}"


def lines_of_pages() -> list[Line]:
    """The commands in fenced blocks of the shell, in the order of the pages."""
    return [
        Line(page.name, words)
        for page in PAGES
        for block in re.findall(r"^ *```(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)
        for words in _commands(*block.split("\n", 1))
    ]


def lines_of_help() -> list[Line]:
    """The examples at the end of every `--help`."""
    found = []
    for path, command in walk(PROGRAM):
        shown = Text.from_markup(command.epilog or "").plain
        examples = "\n".join(re.findall(r"^ *\$ (.*)$", shown, re.MULTILINE))
        found += [Line(f"{path} --help", words) for words in _commands("", examples)]
    return found


def walk(command: Any, path: str = "portquorum") -> list[tuple[str, Any]]:
    """The command and all below it, each with its whole name."""
    below = getattr(command, "commands", {}).items()
    return [(path, command), *(one for name, sub in below for one in walk(sub, f"{path} {name}"))]


def _commands(language: str, block: str) -> list[tuple[str, ...]]:
    if language.strip() in _NO_SHELL:
        return []
    whole = re.sub(r"\\\n\s*", " ", block)
    return [
        tuple(_words(line[start.end() :]))
        for line in whole.splitlines()
        for start in _STARTS.finditer(line.split("   #")[0])
    ]


def _words(rest: str) -> list[str]:
    """What the shell would give the program: up to a pipe, a redirection or a comment."""
    lexer = shlex.shlex(rest, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    for word in lexer:
        if set(word) <= _ENDS:
            break
        words.append(word)
    return words
