"""What is wrong with a text that is no YAML, in a sentence that says how to write it.

The parser says where it could not go on, which is often not where the mistake is: the lines around
that place tell more.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_KEY: Final = r"[A-Za-z_][A-Za-z0-9_ .-]*?"
_FIELD: Final = re.compile(rf"\s*(?:- +)*({_KEY}):(?:\s+(.*))?\Z")
_GLUED: Final = re.compile(r"\s*(?:- +)*([A-Za-z_]+):([^\s/].*)\Z")
_GLUED_DASH: Final = re.compile(r"\s*-([A-Za-z_{\"'][^-].*)\Z")
_CONFLICT: Final = re.compile(r"(<{7}|>{7})( |\Z)|={7}\Z")
_ODD_BLANK: Final = re.compile("[ \t]*([\u00a0\u2000-\u200b\u202f\u3000\ufeff])")
_SECRET: Final = re.compile("pass|secret|token|bearer|url|key|auth|community|proxy")
"""Fields whose values no message repeats."""

_LONGEST: Final = 80
_NEAR: Final = 8
"""Lines around the place that are looked at."""

_MARKS: Final = {
    "while scanning an alias": "*",
    "while scanning an anchor": "&",
    "while scanning a block scalar": "",
    "while scanning a directive": "%",
}


class Wrong(Struct, frozen=True):
    """A mistake: its line and column (from 1, 0 if unknown), and the sentence."""

    line: int
    column: int
    message: str


class _Place(Struct, frozen=True):
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


def of_parser(error: Any, text: str) -> Wrong:
    """The mistake behind an error of the parser (`yaml.MarkedYAMLError`)."""
    mark = error.problem_mark or error.context_mark
    begin = error.context_mark or mark
    said = ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return Wrong(0, 0, f"expected YAML: {said}")
    place = _Place(
        _BREAK.split(text), mark.line + 1, mark.column, begin.line + 1, begin.column, said
    )
    for look in _LOOKS:
        found = look(place)
        if found is not None:
            return found
    return Wrong(place.line, place.column + 1, f"expected YAML: {said}")


def of_content(message: str, line: int, text: str) -> Wrong:
    """The mistake behind what is YAML, but nothing that an inventory may have."""
    lines = _BREAK.split(text)
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    if "{{" in here and "as a key" in message:
        return Wrong(line, here.index("{{") + 1, _TEMPLATE)
    if "expected an anchor" in message:
        message += f"; a text that begins with * needs quotes{_quoted(here)}"
    if "found the tag" in message:
        message += ", or put a text that begins with ! in quotes"
    return Wrong(line, 0, message)


def of_reader(error: Exception, text: str) -> Wrong:
    """The mistake behind a character that YAML does not take."""
    position = getattr(error, "position", None)
    code = getattr(error, "character", None)
    if not isinstance(position, int) or not isinstance(code, int):
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Wrong(0, 0, f"expected YAML: {first}")
    at = text.find(chr(code)) if 0 <= code < 0x110000 else -1
    line = len(_BREAK.split(text[:at])) if at >= 0 else 0
    what = "a control character" if code < 0x20 or 0x7F <= code < 0xA0 else "a character"
    return Wrong(line, 0, f"expected text, found {what} (U+{code:04X}): take it out")


_TEMPLATE: Final = (
    "a text with {{ }} needs quotes; if it is a template (Jinja, Helm, Ansible), fill it in before"
)


def _conflict(place: _Place) -> Wrong | None:
    for line in range(max(1, place.line - 3), place.line + 4):
        if _CONFLICT.match(place.text(line)):
            mark = place.text(line)[:7]
            return Wrong(
                line, 1, f"a conflict of git stands here ({mark}): keep one side, remove the marks"
            )
    return None


def _tab(place: _Place) -> Wrong | None:
    text = place.text(place.line)
    lead = text[: len(text) - len(text.lstrip())]
    if "\t" not in lead:
        return None
    return Wrong(
        place.line,
        lead.index("\t") + 1,
        "a tab stands at the beginning of the line, where YAML takes blanks alone: replace it by "
        "two blanks",
    )


def _odd_blank(place: _Place) -> Wrong | None:
    for line in (place.line, place.begin):
        found = odd_blank(place.text(line))
        if found is not None:
            return Wrong(line, 1, found)
    return None


def odd_blank(text: str) -> str | None:
    """The sentence of a line or key that begins with a blank that is none; None if it does not."""
    found = _ODD_BLANK.match(text)
    if found is None:
        return None
    return (
        f"the line begins with the character U+{ord(found[1]):04X}, which looks like a blank (from "
        "a web page or a word processor): replace it by a blank"
    )


def _open_quote(place: _Place) -> Wrong | None:
    if "quoted scalar" not in place.said or "unexpected" not in place.said:
        return None
    quote = place.text(place.begin)[place.begin_column : place.begin_column + 1] or '"'
    return Wrong(
        place.begin,
        place.begin_column + 1,
        f"the quote {quote} that begins here has no end: write {quote} after the text",
    )


def _escape(place: _Place) -> Wrong | None:
    if "unknown escape" not in place.said:
        return None
    return Wrong(
        place.line,
        place.column,
        "within double quotes \\ begins an escape, and this is none: write the text in single "
        "quotes, where a backslash is one",
    )


def _flow(place: _Place) -> Wrong | None:
    if "while parsing a flow" not in place.said and "node content" not in place.said:
        return None
    begin = place.text(place.begin)
    opened = begin[place.begin_column : place.begin_column + 1]
    if "{{" in begin:
        return Wrong(place.begin, begin.index("{{") + 1, _TEMPLATE)
    if opened in {"{", "["} and _is_open(begin[place.begin_column :]):
        end = "}" if opened == "{" else "]"
        message = f"the {opened} that begins here has no end: write {end} after what it holds"
        return Wrong(place.begin, place.begin_column + 1, message)
    return Wrong(
        place.line,
        place.column + 1,
        f"within {{ }} and [ ] a text that has one of {{ }} [ ] , needs quotes{_quoted(begin)}",
    )


def _is_open(text: str) -> bool:
    """True if a line opens more brackets than it closes."""
    return sum(text.count(one) for one in "{[") > sum(text.count(one) for one in "}]")


def _start(place: _Place) -> Wrong | None:
    """A character that begins no text: `@`, `%`, `*`, `&`, `|`."""
    known = next((mark for said, mark in _MARKS.items() if said in place.said), None)
    if known is None and "cannot start any token" not in place.said:
        return None
    at, column = (place.line, place.column) if known is None else (place.begin, place.begin_column)
    text = place.text(at)
    mark = text[column : column + 1] or known
    shown = _quoted(text) or _quoted_in_line(text[column:])
    what = f"a text that begins with {mark} needs quotes{shown}"
    return Wrong(at, column + 1, what)


def _glued(place: _Place) -> Wrong | None:
    """`-host: x` and `host:x`, in the line or the one above."""
    for line in (place.line, place.begin, place.above(place.line)):
        text = place.text(line)
        dash = _GLUED_DASH.match(text)
        if dash is not None:
            shown = _short(dash[1])
            return Wrong(line, text.index("-") + 1, f"a blank is missing: write `- {shown}`")
        colon = _GLUED.match(text)
        if colon is not None and "://" not in text:
            shown = _short(f"{colon[1]}: {colon[2]}")
            return Wrong(line, text.index(":") + 1, f"a blank is missing: write `{shown}`")
    return None


def _colon_in_text(place: _Place) -> Wrong | None:
    if "mapping values are not allowed" not in place.said:
        return None
    text = place.text(place.line)
    field = _FIELD.match(text)
    if field is None or not field[2] or field[2][0] in "\"'{[&*!|>":
        return None
    if place.column <= text.index(":"):
        return None
    return Wrong(
        place.line, place.column + 1, f"a text with a colon in it needs quotes{_quoted(text)}"
    )


def _no_colon(place: _Place) -> Wrong | None:
    if "expected ':'" in place.said:
        line = place.begin
    elif "mapping values are not allowed" in place.said:
        line = place.above(place.line)
    else:
        return None
    text = place.text(line).strip()
    bare = re.sub(r"\A(- +)+", "", text)
    if not bare or ":" in bare or bare[0] in "\"'{[&*!|>#":
        return None
    name, _, value = bare.partition(" ")
    wanted = f"{name}: {value}" if value else f"{name}: …"
    return Wrong(line, 0, f"a colon is missing: write `{_short(wanted)}`")


def _after_quote(place: _Place) -> Wrong | None:
    text = place.text(place.line)
    field = _FIELD.match(text)
    rest = field[2] if field is not None else None
    if not rest or rest[0] not in "\"'" or place.column <= text.index(rest):
        return None
    if "expected key" not in place.said and "'-' indicator" not in place.said:
        return None
    within = "a ' within is written twice ('')" if rest[0] == "'" else 'a " within is written \\"'
    message = f"behind the closing quote stands more text: put all of it in quotes; {within}"
    return Wrong(place.line, place.column + 1, message)


def _template(place: _Place) -> Wrong | None:
    text = place.text(place.line)
    return Wrong(place.line, text.index("{{") + 1, _TEMPLATE) if ": {{" in text else None


def _comma(place: _Place) -> Wrong | None:
    text = place.text(place.line)
    if text[place.column : place.column + 1] != ",":
        return None
    return Wrong(
        place.line, place.column + 1, "a comma stands between items of [ ] and { } alone: remove it"
    )


def _list_in_line(place: _Place) -> Wrong | None:
    if "block sequence entries" not in place.said:
        return None
    return Wrong(
        place.line,
        place.column + 1,
        "the items of a list stand on lines of their own, each after `- `, or in brackets: [a, b]",
    )


def _document(place: _Place) -> Wrong | None:
    if "incompatible YAML document" in place.said:
        text = "YAML is read by version 1.2: take the line with %YAML out"
    elif "<document start>" in place.said:
        text = "behind the end of a document (...) the next one begins with ---"
    else:
        return None
    return Wrong(place.line, place.column + 1, text)


def _question(place: _Place) -> Wrong | None:
    if "mapping keys are not allowed" not in place.said:
        return None
    text = place.text(place.line)
    return Wrong(
        place.line, place.column + 1, f"a text that begins with ? needs quotes{_quoted(text)}"
    )


def _indentation(place: _Place) -> Wrong | None:
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
    field = _FIELD.match(text)
    name = f"`{field[1]}`" if field is not None else "the line"
    return Wrong(
        place.line,
        own,
        f"expected {name} in column {column}, below `{_name(before)}`, found it in column {own}: "
        "fields of one entry are indented alike",
    )


def _item_above(place: _Place) -> int:
    """The nearest line above that begins with `- `; 0 if there is none."""
    at = place.above(place.line)
    while at and not place.text(at).lstrip().startswith("- "):
        at = place.above(at)
    return at


def _column(text: str, *, past_dash: bool = False) -> int:
    found = re.match(r"\s*(?:- +)*" if past_dash else r"\s*", text)
    return (found.end() if found is not None else 0) + 1


def _name(text: str) -> str:
    field = _FIELD.match(text)
    return field[1] if field is not None else _short(text.strip(), 20)


def _quoted(line: str) -> str:
    """`: name: "Mail: SMTP"`, the field of a line with its text in quotes; empty if unclear."""
    field = _FIELD.match(line)
    if field is None or not field[2]:
        return ""
    value = re.sub(r"\s+#.*\Z", "", field[2]).strip()
    if not value or value[0] in "\"'{[" or len(value) > _LONGEST or _SECRET.search(field[1]):
        return ""
    quote = "'" if '"' in value or "\\" in value else '"'
    return f": {field[1]}: {quote}{value}{quote}" if quote not in value else ""


def _quoted_in_line(rest: str) -> str:
    """`: "*/5 * * * *"`, a text within brackets in quotes; empty if it is long or has quotes."""
    value = re.split(r"[,\]}]|\s#", rest)[0].strip()
    return f': "{value}"' if value and len(value) <= _LONGEST and '"' not in value else ""


def _short(text: str, most: int = _LONGEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


_LOOKS: Final[tuple[Callable[[_Place], Wrong | None], ...]] = (
    *(_conflict, _tab, _odd_blank, _open_quote, _escape, _flow, _start, _glued, _after_quote),
    *(
        _document,
        _template,
        _comma,
        _list_in_line,
        _question,
        _colon_in_text,
        _no_colon,
        _indentation,
    ),
)
"""What is looked for, the surer first."""
