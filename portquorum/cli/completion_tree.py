"""`python -m portquorum.cli.completion_tree [--check]`: writes the tree of the commands.

It is made from Typer's own. With `--check` nothing is written; the exit code is 1 if the file
differs from the generated one.
"""

import json
import sys
import typing
from typing import Any, Final

import typer

from portquorum.cli.app import app
from portquorum.cli.completion.answer import TREE
from portquorum.inventory.heartbeats import KIND as HEARTBEAT
from producers.kinds.registry import KINDS

Node = dict[str, Any]

_BY_NAME: Final = {
    "target": "target",
    "targets": "target",
    "job": "target",
    "team": "team",
    "tag": "tag",
    "region": "region",
    "route": "route",
    "kind": "kind",
}
"""Parameter → what its values are, whatever the command; see `_OF_COMMAND` for others."""

_OF_COMMAND: Final = {
    ("ack", "ids"): "incident",
    ("resolve", "ids"): "incident",
    ("target remove", "ids"): "target",
    ("notify why", "what"): "incident",
    ("import", "region"): "text",
}
_FILES: Final = ("FILE", "DIR")


def tree() -> Node:
    """The whole tree, as `commands.json` has it; `kinds` has the usual port of each kind."""
    ports = {kind: known.port for kind, known in KINDS.items()}
    return {**_node(typer.main.get_command(app), ""), "kinds": {**ports, HEARTBEAT: None}}


def _node(command: Any, path: str) -> Node:
    options: Node = {}
    arguments: list[Node] = []
    for one in command.params:
        if getattr(one, "hidden", False):
            continue
        if one.param_type_name == "argument":
            arguments.append(_value(one, path))
        else:
            found = {"help": _line(one.help), **({} if one.is_flag else _value(one, path))}
            options |= dict.fromkeys((*one.opts, *one.secondary_opts), found)
    options["--help"] = {"help": "Show this message and exit."}
    node: Node = {"help": _line(command.help), "options": options, "arguments": arguments}
    below = getattr(command, "commands", {})
    node["commands"] = {
        name: _node(one, f"{path} {name}".strip()) for name, one in below.items() if not one.hidden
    }
    return {key: value for key, value in node.items() if value or key == "help"}


def _value(one: Any, path: str) -> Node:
    many = {"many": True} if one.multiple or one.nargs == -1 else {}
    listed = _choices(one.type_descriptor.annotation)
    if listed:
        return {"value": "text", "choices": listed, **many}
    metavar = (one.metavar or "").strip("[]…")
    kind = _OF_COMMAND.get((path, one.name)) or _BY_NAME.get(one.name)
    if path.startswith("import") and one.name == "kind":
        kind = "text"
    return {"value": kind or ("file" if metavar in _FILES else "text"), **many}


def _choices(annotation: Any) -> list[str]:
    """The values of a `Literal`, also of one in a list or beside None."""
    if typing.get_origin(annotation) is typing.Literal:
        return [str(one) for one in typing.get_args(annotation)]
    return [value for inner in typing.get_args(annotation) for value in _choices(inner)]


def _line(text: str | None) -> str:
    """The first sentence of a help, without the marks of its colours."""
    first = " ".join((text or "").split("\n\n")[0].split())
    return first if len(first) <= _MOST else f"{first[: _MOST - 1]}…"


_MOST: Final = 70


def text() -> str:
    """The file as it should be: a line for each parameter, so that changes do not meet."""
    return json.dumps(tree(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Writes the file, or compares it; returns the exit code."""
    if TREE.is_file() and TREE.read_text(encoding="utf-8") == text():
        return 0
    check = "--check" in arguments
    if not check:
        TREE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{'differs' if check else 'written'}: {TREE.name}\n")
    return 1 if check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
