"""Text that people wrote or servers sent, made safe for a terminal, a page or one line.

Unsafe characters: control characters (C0, DEL, C1: commands for a terminal), line and paragraph
separators, characters that change the direction of text (Unicode's property Bidi_Control: the
display differs from the content), and lone surrogates (no encoding has them). Zero width joiner and
non-joiner are safe: names in Persian and in Indian languages, and emoji, need them.
"""

import re
import unicodedata
from typing import Final

_UNSAFE: Final = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]"
)
_BUT_LINES: Final = frozenset("\n\t")
_BLANKS: Final = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_NAMES: Final = {
    "\0": "NULL",
    "\a": "BELL",
    "\b": "BACKSPACE",
    "\t": "TAB",
    "\n": "LINE FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
}


def one_line(text: str) -> str:
    """`text` on one line: a blank for each separator, U+FFFD for other unsafe characters."""
    return _UNSAFE.sub(_replaced, text)


def plain(text: str) -> str:
    """`text` with its line feeds and tabs; other unsafe characters as in `one_line`."""
    return _UNSAFE.sub(lambda one: one[0] if one[0] in _BUT_LINES else _replaced(one), text)


def unsafe_in(text: str, *, but: str = "") -> str | None:
    """The first unsafe character of `text` that is not in `but`, in words; None if all are safe.

    For example `U+001B (ESCAPE) as character 5`.
    """
    for found in _UNSAFE.finditer(text):
        char = found[0]
        if char not in but:
            name = _NAMES.get(char) or unicodedata.name(char, "")
            named = f" ({name})" if name else ""
            return f"U+{ord(char):04X}{named} as character {found.start() + 1}"
    return None


def escaped_json(document: str) -> str:
    """The JSON document `document` with unsafe characters as escapes: the same value."""
    return _UNSAFE.sub(
        lambda one: one[0] if one[0] in "\n\t\r" else f"\\u{ord(one[0]):04x}", document
    )


def _replaced(found: "re.Match[str]") -> str:
    return " " if found[0] in _BLANKS else _REPLACEMENT
