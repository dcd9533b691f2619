"""Variables in the files of others, and the files that have their values."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from portquorum.importing.model import MOST_BYTES
from portquorum.inventory.plain_file import read_bytes

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_BRACED: Final = re.compile(rf"({_NAME})(?:(:?[-=])(.*))?\Z", re.DOTALL)
_BARE: Final = re.compile(_NAME)
_MOST_DEPTH: Final = 10
_LONGEST: Final = 4096
MOST_CHARACTERS: Final = 20_000
_LINE: Final = re.compile(rf"(?:export\s+)?({_NAME})\s*=\s*(.*)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


class MissingVariableError(ValueError):
    """Variables without a value; `names` are their names, `name` is the first one."""

    def __init__(self, name: str, *others: str) -> None:
        one = f"the variable {name} has no value; --env-file gives it one"
        all_names = f"{', '.join((name, *others[:-1]))} and {others[-1]}" if others else name
        several = f"the variables {all_names} have no value; --env-file gives them one"
        super().__init__(several if others else one)
        self.name = name
        self.names = (name, *others)


class Variable(Struct, frozen=True):
    """A variable in a text: its name, and its default, None without one.

    `if_empty`: the default is also for a variable with an empty value (`:-`).
    """

    name: str
    default: str | None = None
    if_empty: bool = False


def parts(text: str, *, dollar_escape: str = "$$") -> list[str | Variable]:
    """`text` as what stands there and its variables: `$X`, `${X}`, `${X:-d}`, `${X-d}`, `${X:=d}`.

    `dollar_escape` is one `$`; empty: there is none. A `$` that no name follows stays.

    Raises:
        ValueError: the text is too long.
    """
    if "$" not in text:
        return [text] if text else []
    if len(text) > MOST_CHARACTERS:
        raise ValueError(
            f"expected a text with variables of at most {MOST_CHARACTERS:,} characters, found a "
            "longer one"
        )
    found: list[str | Variable] = []
    plain, at = "", 0
    while at < len(text):
        if dollar_escape and text.startswith(dollar_escape, at):
            plain, at = plain + "$", at + len(dollar_escape)
            continue
        variable, end = _variable(text, at) if text[at] == "$" else (None, at)
        if variable is None:
            plain, at = plain + text[at], at + 1
            continue
        found += [plain] if plain else []
        found.append(variable)
        plain, at = "", end
    return [*found, plain] if plain else found


def expand(text: str, variables: Mapping[str, str], *, dollar_escape: str = "$$") -> str:
    """`text` with the values of its variables. See `parts`.

    Raises:
        MissingVariableError: a variable has neither a value nor a default; all of these.
    """
    there = [one for one in parts(text, dollar_escape=dollar_escape) if isinstance(one, Variable)]
    missing = [one.name for one in there if value_of(one, variables) is None]
    if missing:
        raise MissingVariableError(*dict.fromkeys(missing))
    return _expanded(text, variables, dollar_escape, 0)


def names_in(text: str, *, dollar_escape: str = "$$") -> tuple[str, ...]:
    """The names of the variables in `text`, each once, in their order."""
    found = (one for one in parts(text, dollar_escape=dollar_escape) if isinstance(one, Variable))
    return tuple(dict.fromkeys(one.name for one in found))


def value_of(variable: Variable, variables: Mapping[str, str]) -> str | None:
    """The value of a variable, or its default with the variables in it; None if there is none."""
    try:
        return _value_of(variable, variables, "$$", 0)
    except MissingVariableError:
        return None


def _expanded(text: str, variables: Mapping[str, str], dollar_escape: str, depth: int) -> str:
    return "".join(
        one if isinstance(one, str) else _value_of(one, variables, dollar_escape, depth)
        for one in parts(text, dollar_escape=dollar_escape)
    )


def _value_of(
    variable: Variable, variables: Mapping[str, str], dollar_escape: str, depth: int
) -> str:
    given = variables.get(variable.name)
    if given or (given is not None and not variable.if_empty):
        return given
    if variable.default is None or depth > _MOST_DEPTH:
        raise MissingVariableError(variable.name)
    return _expanded(variable.default, variables, dollar_escape, depth + 1)


def _variable(text: str, at: int) -> tuple[Variable | None, int]:
    """The variable whose `$` stands at `at`, and where it ends."""
    if not text.startswith("${", at):
        bare = _BARE.match(text, at + 1)
        return (Variable(bare[0]), bare.end()) if bare else (None, at)
    depth, end = 1, at + 2
    last = min(len(text), at + _LONGEST)
    while end < last and 0 < depth <= _MOST_DEPTH:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    found = _BRACED.match(text[at + 2 : end - 1]) if depth == 0 else None
    if found is None:
        return None, at
    return Variable(found[1], found[3], (found[2] or "").startswith(":")), end


def read_env_file(path: Path) -> dict[str, str]:
    r"""The variables of a dotenv file: `NAME=value`, `export`, quotes, comments.

    In double quotes `\n` and the like are escapes, and a value may have several lines; in single
    quotes all is as it stands. Variables within values are not replaced.

    Raises:
        ValueError: a line is not of that form, or the file is too long or no UTF-8.
        OSError: it can't be read.
    """
    data = read_bytes(path, MOST_BYTES + 1)
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
