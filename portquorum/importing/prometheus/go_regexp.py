"""Regular expressions as Go's programs have them (RE2), and their templates (`${1}`)."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import re2

_MOST_CHARACTERS: Final = 4_096
_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20
_IN_LINE: Final = {
    "[^": "[^\\n",
    ".": "[^\\n]",
    "\\s": "[\\t\\f\\r ]",
    "\\D": "[^0-9\\n]",
    "\\W": "[^\\w\\n]",
    "$": "\\r?$",
    "\\z": "\\r?$",
    "\\A": "^",
}
"""Parts that could leave their line, and what they are within one."""

_IN_CLASS: Final = {"\\s": "\\t\\f\\r "}

# Letters and digits of any script, and `_`: what Go takes for the name of a group.
_REFERENCE: Final = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


@lru_cache(maxsize=1024)
def compiled(text: str) -> Any:
    """The expression, which matches anywhere in a text.

    Raises:
        ValueError: it is none.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"expected a regular expression of at most {_MOST_CHARACTERS} characters")
    try:
        return re2.compile(text, _OPTIONS)
    except (re2.error, UnicodeError) as error:
        raise ValueError(f"expected a regular expression (RE2), found {text[:80]!r}") from error


def anchored(text: str) -> Any:
    """As Prometheus compiles those of relabelling and of selectors: the whole text must match.

    Raises:
        ValueError: it is none.
    """
    compiled(text)  # what is unbalanced must not become balanced by the group around it
    return compiled(f"^(?s:{text})$")


def expand(template: str, match: Any) -> str:
    """`template` with the groups of a match, as `Regexp.Expand` of Go does it.

    An unknown group is empty, `$$` is `$`, and a `$` without a name stays.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name is None:
            return "$"
        groups = match.re.groups
        try:
            if name.isascii() and name.isdecimal():
                number = int(name)
                known = number <= groups and (name[0] != "0" or name == "0")
                return (match.group(number) or "") if known else ""
            return match.group(name) or ""
        except (IndexError, KeyError):
            return ""

    return _REFERENCE.sub(value, template)


def has_references(template: str) -> bool:
    """Whether `expand` would look up a group for this template."""
    return any(found[0] != "$$" for found in _REFERENCE.finditer(template))


def unescaped_dollars(template: str) -> str:
    """`template` without references, as `expand` leaves it: `$$` is `$`."""
    return template.replace("$$", "$")


def each_part(text: str, change: Callable[[str, bool], str]) -> str:
    """`text` with each part changed: an escape, a class's beginning or one character.

    `change` gets the part and whether it stands in a class (`[…]`), of which `[` and `[^` come as
    parts of their own with False.
    """
    result: list[str] = []
    in_class, at = False, 0
    while at < len(text):
        if text.startswith("\\Q", at):
            end = text.find("\\E", at)
            end = len(text) if end < 0 else end + 2
            result.append(text[at:end])
            at = end
            continue
        size = 2 if text[at] == "\\" else 1
        if not in_class and text[at] == "[":
            size = 2 if text.startswith("[^", at) else 1
            result.append(change(text[at : at + size], False))
            at += size
            in_class = True
            if text.startswith("]", at):  # the first one in a class is a character
                result.append("]")
                at += 1
            continue
        part = text[at : at + size]
        if in_class and part == "[" and text.startswith("[:", at):
            end = text.find(":]", at)
            size = len(text) - at if end < 0 else end + 2 - at
            part = text[at : at + size]
        elif in_class and part == "]":
            in_class = False
            result.append(part)
            at += 1
            continue
        result.append(change(part, in_class))
        at += size
    return "".join(result)


def has_dot(text: str) -> bool:
    """Whether `.` stands for any character somewhere in the expression."""
    found = False

    def look(part: str, in_class: bool) -> str:
        nonlocal found
        found = found or (part == "." and not in_class)
        return part

    each_part(text, look)
    return found


def dot_without_line_end(text: str) -> str:
    """The same for a reader whose `.` is a line end too, as ours is (docs/kinds.md)."""
    return f"(?-s){text}" if has_dot(text) else text


def in_a_line(text: str) -> str:
    """An expression that is tried on each line by itself, for a reader that sees all lines.

    It takes its line to the end, so that the next one begins with another line.

    Raises:
        ValueError: it is no regular expression.
    """
    compiled(text)

    def change(part: str, in_class: bool) -> str:
        return (_IN_CLASS if in_class else _IN_LINE).get(part, part)

    lines = each_part(text, change)
    grouped = f"(?:{lines})" if "|" in lines or lines.startswith("(?") else lines
    return f"(?m){grouped}[^\\n]*\\n"
