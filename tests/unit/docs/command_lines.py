"""The commands of the pages and of the help texts, as words."""

import re
import shlex
from collections.abc import Sequence
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
_FENCED: Final = re.compile(r"^ *```(.*?)^ *```", re.DOTALL | re.MULTILINE)
_CODE: Final = re.compile(r"`([^`]+)`")
_ENDS: Final = frozenset("|;&<>()")


class Line(NamedTuple):
    """A command: where it stands, and the words after `portquorum`."""

    where: str
    words: tuple[str, ...]

    @property
    def own_words(self) -> list[str]:
        """Those before `--`: what follows is another program's, and `beat` takes it off first."""
        words = list(self.words)
        return words[: words.index("--")] if "--" in words else words

    def __str__(self) -> str:
        return f"{self.where}: portquorum {shlex.join(self.words)}"


def lines_of_pages() -> list[Line]:
    """The commands in fenced blocks of the shell, in the order of the pages."""
    return [
        Line(page.name, words)
        for page in PAGES
        for block in _FENCED.findall(page.read_text())
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


def lines_of_text() -> list[Line]:
    """The commands in backticks within the running text; `a|b` is two of them.

    A name alone may be meant (`portquorum inventory check`): those that lack an argument are here,
    too, and so are groups.
    """
    return [
        Line(f"{page.name} (text)", words)
        for page in PAGES
        for code in _CODE.findall(_FENCED.sub("", page.read_text()))
        for one in _alternatives(" ".join(code.split()))
        for words in _commands("", one)
    ]


def called_by(words: Sequence[str]) -> tuple[str, Any, list[str]]:
    """The whole name of the command that these words call, the command, and the other words."""
    command, path, left = PROGRAM, "portquorum", list(words)
    while left and left[0] in getattr(command, "commands", {}):
        command = getattr(command, "commands")[left[0]]  # noqa: B009 - typer's class is private
        path = f"{path} {left.pop(0)}"
    return path, command, left


def what_the_parser_says(line: Line) -> str:
    """Its error; nothing, if the line can begin."""
    path, command, words = called_by(line.own_words)
    try:
        command.make_context(path.rpartition(" ")[2], words)
    except SystemExit as end:
        return "" if not end.code else f"it ends with {end.code}"
    except Exception as error:  # noqa: BLE001 - the parser's own classes are typer's private ones
        return str(getattr(error, "message", "") or error)
    return ""


def is_a_mention(line: Line) -> bool:
    """Whether a text means the command as such (`inventory check`), without what it needs to run.

    Also with the names of options alone (`check --resolver`). Those are not given to the parser,
    which may obey at once (`--install-completion`).
    """
    _, command, words = called_by(line.own_words)
    names = {name for one in command.params for name in one.opts}
    named = all(word in names for word in words)
    return named or "Missing parameter" in what_the_parser_says(line)


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


def _alternatives(code: str) -> list[str]:
    found = re.search(r"(?<= )[a-z-]+(\|[a-z-]+)+$", code)
    return [code[: found.start()] + one for one in found[0].split("|")] if found else [code]


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
