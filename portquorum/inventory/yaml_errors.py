"""What is wrong with a text that is no YAML, in a sentence that says how to write it.

The parser says where it could not go on, which is often not where the mistake is: the lines around
that place tell more.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from portquorum.inventory.yaml_place import (
    FIELD,
    Place,
    Wrong,
    names_secret,
    quoted,
    quoted_in_line,
    short,
    wrong_indentation,
)

_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_GLUED: Final = re.compile(r"\s*(?:- +)*([A-Za-z_]+):([^\s/].*)\Z")
_GLUED_DASH: Final = re.compile(r"\s*-([A-Za-z_{\"'][^-].*)\Z")
_CONFLICT: Final = re.compile(r"(<{7}|>{7})( |\Z)|={7}\Z")
_ODD_BLANK: Final = re.compile("[ \t]*([\u00a0\u2000-\u200b\u202f\u3000\ufeff])")

_VALUE: Final = re.compile(r"^([ \t]*(?:-[ \t]+)*(?:[A-Za-z_][\w.-]*[ \t]*:)?)(.*)$", re.MULTILINE)
_NAMED: Final = re.compile(r"(?<=&)\S+(?= above)|(?<=the tag )\S+(?=;|$)")

_MARKS: Final = {
    "while scanning an alias": "*",
    "while scanning an anchor": "&",
    "while scanning a block scalar": "",
    "while scanning a directive": "%",
}


def lines_of(text: str) -> list[str]:
    """The lines of a text, as YAML counts them."""
    return _BREAK.split(text)


def masked(text: str) -> str:
    """The text with `x` for each letter and digit but those of fields: nothing is repeated of it.

    Lines and columns stay.
    """
    return _VALUE.sub(lambda one: one[1] + re.sub(r"\w", "x", one[2]), text)


def without_names(message: str) -> str:
    """A sentence of `of_content` without the name of an anchor or a tag."""
    return _NAMED.sub("…", message)


def of_parser(error: Any, text: str) -> Wrong:
    """The mistake behind an error of the parser (`yaml.MarkedYAMLError`)."""
    mark = error.problem_mark or error.context_mark
    begin = error.context_mark or mark
    said = ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return Wrong(0, 0, f"expected YAML: {said}")
    place = Place(lines_of(text), mark.line + 1, mark.column, begin.line + 1, begin.column, said)
    for look in _LOOKS:
        found = look(place)
        if found is not None:
            return found
    return Wrong(place.line, place.column + 1, f"expected YAML: {said}")


def of_content(message: str, line: int, text: str) -> Wrong:
    """The mistake behind what is YAML, but nothing that an inventory may have."""
    lines = lines_of(text)
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    if names_secret(here):
        message = without_names(message)
    if "{{" in here and "as a key" in message:
        return Wrong(line, here.index("{{") + 1, _TEMPLATE)
    if "expected an anchor" in message:
        message += f"; a text that begins with * needs quotes{quoted(here)}"
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
    line = len(lines_of(text[:at])) if at >= 0 else 0
    what = "a control character" if code < 0x20 or 0x7F <= code < 0xA0 else "a character"
    return Wrong(line, 0, f"expected text, found {what} (U+{code:04X}): take it out")


_TEMPLATE: Final = (
    "a text with {{ }} needs quotes; if it is a template (Jinja, Helm, Ansible), fill it in before"
)


def _conflict(place: Place) -> Wrong | None:
    for line in range(max(1, place.line - 3), place.line + 4):
        if _CONFLICT.match(place.text(line)):
            mark = place.text(line)[:7]
            return Wrong(
                line, 1, f"a conflict of git stands here ({mark}): keep one side, remove the marks"
            )
    return None


def _tab(place: Place) -> Wrong | None:
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


def _odd_blank(place: Place) -> Wrong | None:
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


def _open_quote(place: Place) -> Wrong | None:
    if "quoted scalar" not in place.said or "unexpected" not in place.said:
        return None
    quote = place.text(place.begin)[place.begin_column : place.begin_column + 1] or '"'
    return Wrong(
        place.begin,
        place.begin_column + 1,
        f"the quote {quote} that begins here has no end: write {quote} after the text",
    )


def _escape(place: Place) -> Wrong | None:
    if "unknown escape" not in place.said:
        return None
    return Wrong(
        place.line,
        place.column,
        "within double quotes \\ begins an escape, and this is none: write the text in single "
        "quotes, where a backslash is one",
    )


def _flow(place: Place) -> Wrong | None:
    if "while parsing a flow" not in place.said and "node content" not in place.said:
        return None
    begin = place.text(place.begin)
    opened = begin[place.begin_column : place.begin_column + 1]
    if "{{" in begin:
        return Wrong(place.begin, begin.index("{{") + 1, _TEMPLATE)
    if opened in {"{", "["} and _is_open(begin[place.begin_column :]):
        return _no_end(place.begin, place.begin_column, opened)
    above = place.text(place.above(place.line)).rstrip()
    if not begin.strip() and _is_open(above):  # the file ends within it
        column = max(above.rfind("{"), above.rfind("["))
        return _no_end(place.above(place.line), column, above[column])
    return Wrong(
        place.line,
        place.column + 1,
        f"within {{ }} and [ ] a text that has one of {{ }} [ ] , needs quotes{quoted(begin)}",
    )


def _no_end(line: int, column: int, opened: str) -> Wrong:
    end = "}" if opened == "{" else "]"
    message = f"the {opened} that begins here has no end: write {end} after what it holds"
    return Wrong(line, column + 1, message)


def _is_open(text: str) -> bool:
    """True if a line opens more brackets than it closes."""
    return sum(text.count(one) for one in "{[") > sum(text.count(one) for one in "}]")


def _start(place: Place) -> Wrong | None:
    """A character that begins no text: `@`, `%`, `*`, `&`, `|`."""
    known = next((mark for said, mark in _MARKS.items() if said in place.said), None)
    if known is None and "cannot start any token" not in place.said:
        return None
    at, column = (place.line, place.column) if known is None else (place.begin, place.begin_column)
    text = place.text(at)
    mark = text[column : column + 1] or known
    shown = quoted(text) or ("" if names_secret(text) else quoted_in_line(text[column:]))
    what = f"a text that begins with {mark} needs quotes{shown}"
    return Wrong(at, column + 1, what)


def _glued(place: Place) -> Wrong | None:
    """`-host: x` and `host:x`, in the line or the one above."""
    for line in (place.line, place.begin, place.above(place.line)):
        text = place.text(line)
        dash = _GLUED_DASH.match(text)
        if dash is not None:
            shown = short(dash[1])
            wanted = "behind the -" if names_secret(text) else f"write `- {shown}`"
            return Wrong(line, text.index("-") + 1, f"a blank is missing: {wanted}")
        colon = _GLUED.match(text)
        if colon is not None and "://" not in text:
            value = "…" if names_secret(colon[1]) else colon[2]
            shown = short(f"{colon[1]}: {value}")
            return Wrong(line, text.index(":") + 1, f"a blank is missing: write `{shown}`")
    return None


def _colon_in_text(place: Place) -> Wrong | None:
    if "mapping values are not allowed" not in place.said:
        return None
    text = place.text(place.line)
    field = FIELD.match(text)
    if field is None or not field[2] or field[2][0] in "\"'{[&*!|>":
        return None
    if place.column <= text.index(":"):
        return None
    return Wrong(
        place.line, place.column + 1, f"a text with a colon in it needs quotes{quoted(text)}"
    )


def _no_colon(place: Place) -> Wrong | None:
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
    wanted = f"{name}: {value}" if value and not names_secret(name) else f"{name}: …"
    return Wrong(line, 0, f"a colon is missing: write `{short(wanted)}`")


def _other_colon(place: Place) -> Wrong | None:
    """What is left of errors about colons."""
    if "unexpected ':'" in place.said:
        return Wrong(place.line, place.column + 1, "a text with a colon in it needs quotes here")
    if "expected ':'" in place.said:
        return Wrong(place.begin, place.begin_column + 1, "expected `field: value` in this line")
    return None


def _after_quote(place: Place) -> Wrong | None:
    text = place.text(place.line)
    field = FIELD.match(text)
    rest = field[2] if field is not None else None
    if not rest or rest[0] not in "\"'" or place.column <= text.index(rest):
        return None
    if "expected key" not in place.said and "'-' indicator" not in place.said:
        return None
    within = "a ' within is written twice ('')" if rest[0] == "'" else 'a " within is written \\"'
    message = f"behind the closing quote stands more text: put all of it in quotes; {within}"
    return Wrong(place.line, place.column + 1, message)


def _template(place: Place) -> Wrong | None:
    text = place.text(place.line)
    return Wrong(place.line, text.index("{{") + 1, _TEMPLATE) if ": {{" in text else None


def _comma(place: Place) -> Wrong | None:
    text = place.text(place.line)
    if text[place.column : place.column + 1] != ",":
        return None
    return Wrong(
        place.line, place.column + 1, "a comma stands between items of [ ] and { } alone: remove it"
    )


def _list_in_line(place: Place) -> Wrong | None:
    if "block sequence entries" not in place.said:
        return None
    return Wrong(
        place.line,
        place.column + 1,
        "the items of a list stand on lines of their own, each after `- `, or in brackets: [a, b]",
    )


def _document(place: Place) -> Wrong | None:
    if "incompatible YAML document" in place.said:
        text = "YAML is read by version 1.2: take the line with %YAML out"
    elif "<document start>" in place.said:
        text = "behind the end of a document (...) the next one begins with ---"
    else:
        return None
    return Wrong(place.line, place.column + 1, text)


def _question(place: Place) -> Wrong | None:
    if "mapping keys are not allowed" not in place.said:
        return None
    text = place.text(place.line)
    return Wrong(
        place.line, place.column + 1, f"a text that begins with ? needs quotes{quoted(text)}"
    )


_LOOKS: Final[tuple[Callable[[Place], Wrong | None], ...]] = (
    *(_conflict, _tab, _odd_blank, _open_quote, _escape, _flow, _start, _glued, _after_quote),
    *(
        _document,
        _template,
        _comma,
        _list_in_line,
        _question,
        _colon_in_text,
        _no_colon,
        wrong_indentation,
        _other_colon,
    ),
)
"""What is looked for, the surer first."""
