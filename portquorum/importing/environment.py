"""Variables in the files of others, and the files that have their values."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from portquorum.importing.model import MOST_BYTES

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_VARIABLE: Final = re.compile(
    rf"\$(?:\{{(?P<braced>{_NAME})(?P<default>:?-[^}}]*)?\}}|(?P<bare>{_NAME}))"
)
_LINE: Final = re.compile(rf"(?:export\s+)?({_NAME})\s*=\s*(.*)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
_MARK: Final = "\0"


class MissingVariableError(ValueError):
    """A variable without a value; `name` is its name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the variable {name} has no value; --env-file gives it one")
        self.name = name


def expand(text: str, variables: Mapping[str, str], *, dollar_escape: str = "$$") -> str:
    """`text` with the values of `${X}`, `${X:-default}` and `$X`; `dollar_escape` is one `$`.

    A `$` that no name follows stays. An empty `dollar_escape`: there is none.

    Raises:
        MissingVariableError: a variable has neither a value nor a default.
    """

    def value(found: re.Match[str]) -> str:
        name = found["braced"] or found["bare"]
        default = found["default"]
        given = variables.get(name)
        if given or (given is not None and not (default or "").startswith(":")):
            return given
        if default is None:
            raise MissingVariableError(name)
        return default.removeprefix(":").removeprefix("-")

    held = text.replace(dollar_escape, _MARK) if dollar_escape else text
    return _VARIABLE.sub(value, held).replace(_MARK, "$")


def names_in(text: str, *, dollar_escape: str = "$$") -> tuple[str, ...]:
    """The names of the variables in `text`, each once, in their order."""
    held = text.replace(dollar_escape, _MARK) if dollar_escape else text
    found = (one["braced"] or one["bare"] for one in _VARIABLE.finditer(held))
    return tuple(dict.fromkeys(found))


def read_env_file(path: Path) -> dict[str, str]:
    r"""The variables of a dotenv file: `NAME=value`, `export`, quotes, comments.

    In double quotes `\n` and the like are escapes, and a value may have several lines; in single
    quotes all is as it stands. Variables within values are not replaced.

    Raises:
        ValueError: a line is not of that form, or the file is too long or no UTF-8.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"{path}: expected at most {MOST_BYTES // 2**20} MB, found more")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8 text: {error.reason}") from None
    found: dict[str, str] = {}
    at = 0
    while at < len(lines):
        line, number = lines[at].strip(), at + 1
        at += 1
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{path}:{number}: expected NAME=value, found another line")
        name, rest = match[1], match[2]
        while rest[:1] in {'"', "'"} and _end(rest) is None and at < len(lines):
            rest += "\n" + lines[at]
            at += 1
        found[name] = _value(rest, f"{path}:{number}")
    return found


def _end(text: str) -> int | None:
    """The position of the quote that ends the value that begins with one."""
    quote, at = text[0], 1
    while at < len(text):
        if text[at] == "\\" and quote == '"':
            at += 1
        elif text[at] == quote:
            return at
        at += 1
    return None


def _value(text: str, where: str) -> str:
    if text[:1] not in {'"', "'"}:
        return re.split(r"\s+#", text, maxsplit=1)[0].strip() if not text.startswith("#") else ""
    end = _end(text)
    if end is None:
        raise ValueError(f"{where}: expected a quote at the end of the value, found none")
    inner = text[1:end]
    if text[0] == "'":
        return inner
    return re.sub(r"\\(.)", lambda one: _ESCAPES.get(one[1], one[0]), inner)
