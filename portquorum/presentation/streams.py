r"""Standard output and standard error on a terminal with any encoding.

Nothing that is printed fails because a terminal has no UTF-8 (LANG=C, ISO 8859-1,
PYTHONIOENCODING): our signs and lines have ASCII forms, other characters are escaped as in Python
(`\xf6`). JSON has its own escapes. Documents with a format of their own (HTML, CSV, Markdown) are
UTF-8 in a pipe or a file, whatever the locale is.
"""

import codecs
import io
import os
import sys
from typing import IO, Final

ERRORS: Final = "portquorum.readable"
"""The name of the error handler for `str.encode` and streams."""

_STANDARD_ERROR: Final = 2
_HORIZONTAL: Final = "─━┄┅┈┉╌╍═╴╶╸╺╼╾"
_VERTICAL: Final = "│┃┆┇┊┋╎╏║╵╷╹╻╽╿"
_SIGNS: Final = {
    **dict.fromkeys("●•◆■", "*"),
    "○": "o",
    **dict.fromkeys("–—\u2010\u2011\u2012\u2212", "-"),
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("\u2018\u2019\u201a", "'"),
    **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
    **dict.fromkeys(_HORIZONTAL, "-"),
    **dict.fromkeys(_VERTICAL, "|"),
    **dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)),
    **dict.fromkeys("▏▎▍", "-"),
    **dict.fromkeys("▌▋▊▉", "="),
    "…": "...",
    "✓": "+",
    "✔": "+",
    "✗": "x",
    "✘": "x",
    "·": ".",
    "×": "x",
    "→": "->",
    "←": "<-",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≈": "~",
    "±": "+/-",
    "µ": "u",
    "\u03bc": "u",
    "\N{REPLACEMENT CHARACTER}": "?",
}


def prepare() -> None:
    """Makes the standard streams print every text; called once, at the start.

    A stream that is closed (`>&-`) becomes /dev/null: otherwise the next file or socket that is
    opened would take its place.
    """
    _open_closed()
    codecs.register_error(ERRORS, _readable)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def _open_closed() -> None:
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def is_utf8(stream: IO[str]) -> bool:
    """True if every character can be written to `stream` as it is."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        return codecs.lookup(encoding).name.startswith("utf")
    except LookupError:
        return False


def printable(text: str, stream: IO[str]) -> str:
    """`text` as `stream` will show it."""
    if text.isascii() or is_utf8(stream):
        return text
    encoding: str = getattr(stream, "encoding", "ascii")
    return text.encode(encoding, _registered()).decode(encoding)


def printable_json(document: str, stream: IO[str]) -> str:
    """A JSON document of the same value, in ASCII if `stream` is not UTF-8."""
    if document.isascii() or is_utf8(stream):
        return document
    return "".join(char if char.isascii() else _json_escape(char) for char in document)


def write_document(text: str) -> None:
    """Writes a document to standard output: in UTF-8, or for a terminal in its encoding."""
    stream = sys.stdout
    if is_utf8(stream) or stream.isatty() or not isinstance(stream, io.TextIOWrapper):
        stream.write(text)
        return
    stream.flush()
    stream.buffer.write(text.encode("utf-8", "replace"))
    stream.buffer.flush()


def _readable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_ascii, error.object[error.start : error.end])), error.end


def _ascii(char: str) -> str:
    if sign := _SIGNS.get(char):
        return sign
    if "\u2500" <= char <= "\u257f":  # corners and crossings
        return "+"
    if "\u2800" <= char <= "\u28ff":  # Braille patterns, of a spinner
        return "."
    return char.encode("ascii", "backslashreplace").decode()


def _json_escape(char: str) -> str:
    """RFC 8259, section 7: characters beyond U+FFFF are two escapes."""
    pair = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{pair[at : at + 2].hex()}" for at in range(0, len(pair), 2))


def _registered() -> str:
    codecs.register_error(ERRORS, _readable)
    return ERRORS
