"""Answers a shell that asks how the typed words may go on; as Typer's scripts ask and read it."""

import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

TREE: Final = Path(__file__).with_name("commands.json")
_ARGUMENTS: Final = "_TYPER_COMPLETE_ARGS"
_FISH_ACTION: Final = "_TYPER_COMPLETE_FISH_ACTION"

Choice = tuple[str, str]
"""A word, and what it means (may be empty)."""

Node = dict[str, Any]


def main(shell: str) -> int:
    """Prints the choices for `shell` (`bash`, `zsh`, `fish`); returns the exit code.

    Whatever goes wrong, nothing is printed: an error would stand in the line that is typed.
    """
    try:
        words, begun = _typed(shell, os.environ)
        found = choices(words, begun)
        return _WRITERS[shell](found)
    except Exception:  # noqa: BLE001 - see above
        return 1


def choices(words: list[str], begun: str) -> list[Choice]:
    """How the word that was `begun` may go on behind the `words` of a command line."""
    tree: Node = json.loads(TREE.read_text(encoding="utf-8"))
    node, rest, pending = _command(tree, words)
    if begun.startswith("-") and pending is None:
        return _options(node, rest, begun)
    if pending is None and node.get("commands"):
        names = () if any(not word.startswith("-") for word in rest) else node["commands"].items()
        return [(name, one["help"]) for name, one in names if name.startswith(begun)]
    value = pending if pending is not None else _argument(node, rest)
    return [(word, "") for word in _values(value, tree, words) if word.startswith(begun)]


def _command(tree: Node, words: list[str]) -> tuple[Node, list[str], Node | None]:
    """The command of the words, those behind it, and the option that waits for its value."""
    node, rest, pending = tree, list[str](), None
    for word in words:
        if pending is not None:
            pending = None
        elif word.startswith("-") and word != "-":
            option = node.get("options", {}).get(word)
            rest.append(word)
            pending = option if option is not None and option.get("value") else None
        elif word in node.get("commands", {}):
            node, rest = node["commands"][word], []
        else:
            rest.append(word)
    return node, rest, pending


def _options(node: Node, rest: list[str], begun: str) -> list[Choice]:
    return [
        (name, option["help"])
        for name, option in node.get("options", {}).items()
        if name.startswith(begun) and (option.get("many") or name not in rest)
    ]


def _argument(node: Node, rest: list[str]) -> Node:
    """The argument that comes next; the last one if it may be there several times."""
    place = sum(not word.startswith("-") for word in rest)
    arguments: list[Node] = node.get("arguments", [])
    if place < len(arguments):
        return arguments[place]
    return arguments[-1] if arguments and arguments[-1].get("many") else {}


def _values(value: Node, tree: Node, words: list[str]) -> list[str]:
    kind = value.get("value")
    if "choices" in value:
        listed: list[str] = value["choices"]
        return listed
    if kind == "kind":
        return list(tree["kinds"])
    if kind in {"target", "team", "tag", "region", "route", "incident"}:
        from portquorum.cli.completion.names import names

        return names(kind, _files(words), tree["kinds"])
    return []


def _files(words: list[str]) -> list[Path]:
    """The inventory that the command line names, else that of the current folder."""
    for option, value in pairwise(words):
        if option in {"-i", "--inventory"}:
            return [Path(value).expanduser()]
    return [Path("inventory.yaml")]


# What each shell hands over, and wants to have


def _typed(shell: str, env: Mapping[str, str]) -> tuple[list[str], str]:
    if shell == "bash":
        words = _split(env["COMP_WORDS"])
        at = int(env["COMP_CWORD"])
        return words[1:at], words[at] if at < len(words) else ""
    line = env.get(_ARGUMENTS, "")
    words = _split(line)[1:]
    if not words or line[-1:].isspace():
        return words, ""
    return words[:-1], words[-1]


def _split(line: str) -> list[str]:
    """The words of a line, of which the last may have a quote without its end."""
    reader = shlex.shlex(line, posix=True)
    reader.whitespace_split, reader.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(reader)
    except ValueError:
        words.append(reader.token or "")
    return words


def _bash(found: list[Choice]) -> int:
    _print("\n".join(_escaped(word) for word, _ in found))
    return 0


def _escaped(word: str) -> str:
    return "".join(f"\\{one}" if one in " \t\"'\\$`()<>|&;*?[]{}!#~" else one for one in word)


def _zsh(found: list[Choice]) -> int:
    def quoted(text: str) -> str:
        for one in ("\\", '"', "'", "$", "`", ":", "(", ")"):
            text = text.replace(one, _IN_ZSH.get(one, one))
        return text

    pairs = [
        f'"{quoted(word)}":"{quoted(text)}"' if text else f'"{quoted(word)}"'
        for word, text in found
    ]
    _print(f"_arguments '*: :(({chr(10).join(pairs)}))'" if pairs else "_files")
    return 0


_IN_ZSH: Final = {
    "\\": "\\\\",
    '"': '""',
    "'": "''",
    "$": "\\$",
    "`": "\\`",
    ":": "\\\\:",
    "(": "\\(",
    ")": "\\)",
}


def _fish(found: list[Choice]) -> int:
    if os.environ.get(_FISH_ACTION) == "is-args":
        return 0 if found else 1
    _print("\n".join(f"{word}\t{text}" if text else word for word, text in found))
    return 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n" if text else "")


_WRITERS: Final[dict[str, Callable[[list[Choice]], int]]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
"""Shell → what writes the choices for it."""

SHELLS: Final = tuple(_WRITERS)
