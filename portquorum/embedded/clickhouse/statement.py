"""Splits a SQL text as far as an HTTP interface needs: tokens without meaning.

The engine parses and decides. This module only finds the start of an INSERT's data, the FORMAT at
the end of a query, and what readers may not use.
"""

import re
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Final, NamedTuple

# https://clickhouse.com/docs/sql-reference/syntax: comments, strings (with \\ and doubled quotes),
# heredocs, quoted names, words. Whatever else is one character a token. A quote or comment that is
# not closed takes the rest, so each byte is looked at twice at the most, whatever the text is.
_TOKEN: Final = re.compile(
    rb"""
      (?P<space>\s+ | --[^\n]* | \#[!\ ][^\n]* | /\*.*?\*/)
    | (?P<string>'(?:[^'\\]|\\.|'')*+' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    | (?P<name>`(?:[^`\\]|\\.|``)*+` | "(?:[^"\\]|\\.|"")*+")
    | (?P<open>['"`].* | /\*.* | \$\w*\$.*)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<number>\d[\w.]*)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)


_MOST_BRACKETS: Final = 1000

# What may end a query behind a column that is called `format`.
_AFTER_A_COLUMN: Final = frozenset({"ASC", "DESC", "FINAL", "END"})


class Token(NamedTuple):
    """A token that is neither space nor comment."""

    kind: str
    text: str
    """Words in upper case; names without their quotes."""
    end: int
    """Offset in the text just after it."""


class Insert(NamedTuple):
    """An INSERT with inline data."""

    head: str
    """The statement up to FORMAT or VALUES."""
    format: str
    data_at: int
    """Offset in the text of the data's first byte."""


def tokens(sql: bytes) -> Iterator[Token]:
    """The tokens in order; the last one is `open` where a quote or comment is not closed."""
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup if match.lastgroup != "tag" else "string"
        if kind == "space" or kind is None:
            continue
        text = match[0].decode(errors="replace")
        if kind == "word":
            text = text.upper()
        elif kind == "name":
            text = text[1:-1]
        yield Token(kind, text, match.end())


def first_word(sql: bytes) -> str:
    """The first word in upper case, after any opening brackets; empty if there is none.

    The engine accepts at most 1,000 brackets (`max_parser_depth`).
    """
    for token in islice(tokens(sql), _MOST_BRACKETS):
        if token.kind == "word":
            return token.text
        if token.text != "(":
            break
    return ""


class StatementClass(NamedTuple):
    """The class of the beginning of a request's text."""

    first: str
    """The first word in upper case."""
    insert: Insert | None
    """The INSERT, if its data is inline."""
    takes_input: bool
    """An INSERT from the table function `input`."""


def look(sql: bytes) -> StatementClass:
    """Classifies a text; reads only as much as it takes to find an INSERT's data."""
    first = first_word(sql)
    if first != "INSERT":
        return StatementClass(first, None, takes_input=False)
    insert = split_insert(sql)
    return StatementClass(first, insert, insert is None and _takes_input(sql))


def split_insert(sql: bytes) -> Insert | None:
    """The parts of an INSERT with inline data; None for an INSERT from a query, file or nothing.

    The data begins after `VALUES`, or after `FORMAT <name>`, the spaces behind it and one line
    end, as in ClickHouse's own parser.
    """
    depth = 0
    before = 0
    found = tokens(sql)
    next(found, None)  # INSERT itself
    for token in found:
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        elif token.kind == "word" and depth == 0:
            if token.text in {"SELECT", "WITH", "INFILE", "WATCH"}:
                return None
            if token.text == "VALUES":
                return Insert(_text(sql[:before]), "Values", token.end)
            if token.text == "FORMAT":
                name = next(found, None)
                if name is None or name.kind != "word":
                    return None
                written = sql[name.end - len(name.text) : name.end]
                gap = re.compile(rb"[ \t\f]*\r?\n?").match(sql, name.end)
                data_at = gap.end() if gap else name.end
                if name.text == "VALUES":
                    data_at = name.end
                return Insert(_text(sql[:before]), _text(written), data_at)
        before = token.end
    return None


def _takes_input(sql: bytes) -> bool:
    """True if the text contains `input(…)`: the table function for the data of the same request."""
    found = [token for token in tokens(sql) if token.kind in {"word", "sign"}]
    return any((word.text, follows.text) == ("INPUT", "(") for word, follows in pairwise(found))


def split_settings(head: str) -> tuple[str, str]:
    """The head of an INSERT before its SETTINGS, and the settings; empty if there are none."""
    depth = 0
    text = head.encode()
    for token in tokens(text):
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        elif token.kind == "word" and depth == 0 and token.text == "SETTINGS":
            at = token.end - len(token.text)
            return _text(text[:at]), _text(text[at:])
    return head, ""


def output_format(sql: bytes) -> str | None:
    """The name after the FORMAT that ends a query, as written; None if it has none."""
    found = _format_clause(sql)
    return None if found is None else found[0]


def around_outfile(sql: str, form: str) -> tuple[str, str]:
    """A SELECT in two parts around the place of INTO OUTFILE: the query; FORMAT and the rest.

    Args:
        sql: as the engine writes it.
        form: the format of a SELECT that names none.
    """
    text = sql.encode()
    found = _format_clause(text)
    if found is None:
        return sql, f"FORMAT {form}"
    return _text(text[: found[1]]), _text(text[found[1] :])


def _format_clause(sql: bytes) -> tuple[str, int] | None:
    """The name after the FORMAT at the end of a query, and the start of that FORMAT.

    Only SETTINGS may follow it: a column may be called `format` too.
    """
    depth = 0
    found = list(tokens(sql))
    nothing = Token("sign", ";", 0)
    for token, name, after in zip(found, found[1:], [*found[2:], nothing], strict=False):
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth or token.kind != "word" or token.text != "FORMAT":
            continue
        ends = after.text in {";", "SETTINGS"} and after.kind in {"sign", "word"}
        if ends and name.kind == "name":
            return name.text, token.end - len("FORMAT")
        if ends and name.kind == "word" and name.text not in _AFTER_A_COLUMN:
            return _text(sql[name.end - len(name.text) : name.end]), token.end - len("FORMAT")
    return None


def _text(sql: bytes) -> str:
    return sql.decode(errors="replace").strip()
