"""Where the parser of YAML stopped, and the words of the lines there. Pure."""

import re
from typing import Final

from msgspec import Struct

_KEY: Final = r"[A-Za-z_][A-Za-z0-9_ .-]*?"
FIELD: Final = re.compile(rf"\s*(?:- +)*({_KEY}):(?:\s+(.*))?\Z")
_SECRET: Final = re.compile("pass|secret|token|bearer|url|key|auth|community|proxy")
"""Fields whose values no message repeats."""

_LONGEST: Final = 80
_NEAR: Final = 8
"""Lines around the place that are looked at."""


class Wrong(Struct, frozen=True):
    """A mistake: its line and column (from 1, 0 if unknown), and the sentence."""

    line: int
    column: int
    message: str


class Place(Struct, frozen=True):
    """Where the parser stopped (`line` from 1, `column` from 0), and where it began."""

    lines: list[str]
    line: int
    column: int
    begin: int
    begin_column: int
    said: str

    def text(self, line: int) -> str:
        """The text of a line from 1; empty beyond the ends."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""

    def above(self, line: int) -> int:
        """The next line above with more than a comment; 0 if there is none."""
        for at in range(line - 1, max(0, line - 1 - _NEAR), -1):
            text = self.text(at).strip()
            if text and not text.startswith("#"):
                return at
        return 0


def names_secret(line: str) -> bool:
    """True if a line may have a secret in it, so that no message repeats it."""
    return _SECRET.search(line) is not None


def wrong_indentation(place: Place) -> Wrong | None:
    """A line in another column than those that it belongs to."""
    signs = ("mapping values are not allowed", "expected key", "'-' indicator")
    if not any(sign in place.said for sign in signs):
        return None
    text, above = place.text(place.line), place.above(place.line)
    if not text.strip() or not above:
        return None
    own, before = _column(text), place.text(above)
    if text.lstrip().startswith("-"):
        item = _item_above(place)
        if item:
            column = len(place.text(item)) - len(place.text(item).lstrip()) + 1
            message = f"expected `-` in column {column} as in line {item}, found it in {own}"
            return Wrong(place.line, own, f"{message}: indent both alike")
        message = (
            "an item of a list (`- `) stands among fields: expected a field in column "
            f"{_column(before, past_dash=True)}, or `- ` before the first one"
        )
        return Wrong(place.line, own, message)
    column = _column(before, past_dash=True)
    field = FIELD.match(text)
    name = f"`{field[1]}`" if field is not None else "the line"
    return Wrong(
        place.line,
        own,
        f"expected {name} in column {column}, below `{_name(before)}`, found it in column {own}: "
        "fields of one entry are indented alike",
    )


def _item_above(place: Place) -> int:
    """The nearest line above that begins with `- `; 0 if there is none."""
    at = place.above(place.line)
    while at and not place.text(at).lstrip().startswith("- "):
        at = place.above(at)
    return at


def _column(text: str, *, past_dash: bool = False) -> int:
    found = re.match(r"\s*(?:- +)*" if past_dash else r"\s*", text)
    return (found.end() if found is not None else 0) + 1


def _name(text: str) -> str:
    field = FIELD.match(text)
    return field[1] if field is not None else short(text.strip(), 20)


def quoted(line: str) -> str:
    """`: name: "Mail: SMTP"`, the field of a line with its text in quotes; empty if unclear."""
    field = FIELD.match(line)
    if field is None or not field[2]:
        return ""
    value = re.sub(r"\s+#.*\Z", "", field[2]).strip()
    if not value or value[0] in "\"'{[" or len(value) > _LONGEST or names_secret(field[1]):
        return ""
    quote = "'" if '"' in value or "\\" in value else '"'
    return f": {field[1]}: {quote}{value}{quote}" if quote not in value else ""


def quoted_in_line(rest: str) -> str:
    """`: "*/5 * * * *"`, a text within brackets in quotes; empty if it is long or has quotes."""
    value = re.split(r"[,\]}]|\s#", rest)[0].strip()
    return f': "{value}"' if value and len(value) <= _LONGEST and '"' not in value else ""


def short(text: str, most: int = _LONGEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
