"""Names with `*` as regular expressions, and back as far as they say the same. Pure."""

from collections.abc import Sequence
from typing import Final

_ANY: Final = ".*"
_SPECIAL: Final = frozenset(r"\.+*?()|[]{}^$")


def regex_of(names: Sequence[str]) -> str:
    """A regular expression that matches what one of `names` does; `*` is any characters."""
    return "|".join("".join(_written(char) for char in name) for name in names)


def names_of(regex: str) -> tuple[str, ...] | None:
    """The names, with `*` for any characters, of which one must fit if `regex` matches all of it.

    None: it says something else, which names can't.
    """
    inner = _unwrapped(regex)
    names = [""]
    at = 0
    while at < len(inner):
        if inner.startswith(_ANY, at):
            names[-1] += "*"
            at += len(_ANY)
        elif inner[at] == "|":
            names.append("")
            at += 1
        elif inner[at] == "\\":
            char = inner[at + 1 : at + 2]
            if not char or char.isalnum() or char in "*_" or not char.isascii():
                return None  # a class of characters, or a star itself
            names[-1] += char
            at += 2
        elif inner[at] in _SPECIAL:
            return None
        else:
            names[-1] += inner[at]
            at += 1
    return tuple(dict.fromkeys(names)) if all(names) else None


def _written(char: str) -> str:
    if char == "*":
        return _ANY
    return f"\\{char}" if char in _SPECIAL else char


def _unwrapped(regex: str) -> str:
    """Without the anchors and the one group around all of it, which change nothing."""
    inner = regex.removeprefix("^")
    if inner.endswith("$") and not inner.endswith("\\$"):
        inner = inner[:-1]
    begin = "(?:" if inner.startswith("(?:") else "("
    if inner.startswith(begin) and inner.endswith(")") and not inner.endswith("\\)"):
        return inner[len(begin) : -1]
    # An anchor is of the first or last name alone where there are several.
    return inner if inner == regex or "|" not in inner else regex
