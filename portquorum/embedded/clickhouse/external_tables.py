"""External tables: files of a form, each with its structure in parameters, for one statement.

`NAME_structure` (or `NAME_types`) and `NAME_format` belong to the file whose field is called NAME.
Each becomes a temporary table of the request's connection, and is dropped after the statement.

Source: https://clickhouse.com/docs/engines/table-engines/special/external-data, and ClickHouse,
src/Core/ExternalTable.cpp.
"""

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Final, NamedTuple

from portquorum.embedded.clickhouse import statement
from portquorum.embedded.clickhouse.engine import QueryError, Session, quote_name

MOST_TABLES: Final = 8
MOST_COLUMNS: Final = 1000
MOST_BYTES: Final = 256 << 20
"""Memory of the tables of one request, while they are filled: formats are small, types are not."""
_MOST_STRUCTURE: Final = 64 << 10
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# Formats without expressions (Values), schemas and compression of their own.
_FORMATS: Final = re.compile(
    r"(TabSeparated|TSV|CSV)(Raw)?(WithNames(AndTypes)?)?"
    r"|JSON(Strings)?EachRow|JSONCompact(Strings)?EachRow(WithNames(AndTypes)?)?"
    r"|RowBinary(WithNames(AndTypes)?)?|Native|LineAsString|TSKV"
)
_OPENS: Final = {"(": 1, ")": -1}
_SIGNS: Final = frozenset("(),=-.")
# States come from a function of the engine alone: bytes of a client's are none.
_NO_TYPES: Final = frozenset(
    {"AGGREGATEFUNCTION", "DEFAULT", "ALIAS", "MATERIALIZED", "EPHEMERAL", "CODEC", "TTL"}
)
_FILL: Final = "input_format_parallel_parsing = 0, max_insert_threads = 1"


class FormFile(NamedTuple):
    """A file of a form."""

    name: str
    data: bytes


class ExternalTable(NamedTuple):
    """A table of one request."""

    name: str
    columns: str
    """As in CREATE TABLE."""
    format: str
    data: bytes


def take(
    parameters: MutableMapping[str, str], files: Sequence[FormFile], formats: Mapping[str, str]
) -> list[ExternalTable]:
    """The external tables of a form; what describes them is taken out of the parameters.

    Args:
        parameters: of the URL and of the form.
        files: of the form.
        formats: the engine's, by their names in lower case.

    Raises:
        QueryError: too many tables, two of one name, a name that is no plain word, no structure or
            one that has more than names and types, a format that is not for external tables.
    """
    if len(files) > MOST_TABLES:
        raise _bad(f"a request has up to {MOST_TABLES} of them, found {len(files)}")
    if len({file.name for file in files}) < len(files):
        raise _bad("two have the same name")
    found = []
    for name, data in files:
        if not _NAME.fullmatch(name):
            raise _bad(f"a name is a plain word of up to 128 letters, found {name[:40]!r}")
        form = parameters.pop(f"{name}_format", "TabSeparated")
        written = formats.get(form.lower(), "")
        if not _FORMATS.fullmatch(written):
            raise QueryError(
                f"Code: 73. DB::Exception: The format {form[:40]} is not for external tables here; "
                "TabSeparated, CSV, JSONEachRow, RowBinary, Native and their like are. "
                "(UNKNOWN_FORMAT)"
            )
        structure = parameters.pop(f"{name}_structure", "")
        types = parameters.pop(f"{name}_types", "")
        if structure.strip():
            columns = ", ".join(_structure(name, structure))
        else:
            columns = ", ".join(_types(name, types))
        found.append(ExternalTable(name, columns, written, data))
    return found


def create(
    session: Session, tables: Sequence[ExternalTable], checked: Callable[[str], str]
) -> None:
    """Makes and fills the tables; after an error, none is left.

    Args:
        session: that runs the statement, before it is made read-only.
        tables: of the request.
        checked: a statement as the engine prints it, after the guard's check.

    Raises:
        QueryError: a type that the engine does not know, data that can't be read, or that takes
            more than `MOST_BYTES`; the connection has a temporary table of that name.
    """
    made: list[ExternalTable] = []
    try:
        for table in tables:
            text = f"CREATE TEMPORARY TABLE {quote_name(table.name)} ({table.columns})"
            session.run(checked(f"{text} ENGINE = Memory"))
            made.append(table)
            # One INSERT fills it, so all that it holds counts as the memory of that one.
            settings = f"{_FILL}, max_memory_usage = {MOST_BYTES // len(tables)}"
            head = f"INSERT INTO {quote_name(table.name)} SETTINGS {settings}"
            inserter = session.insert(head, table.format)
            inserter.append(table.data)
            inserter.finish()
    except BaseException:
        drop(session, made)
        raise


def drop(session: Session, tables: Sequence[ExternalTable]) -> None:
    """Drops the tables; needed where the connection goes on."""
    for table in tables:
        session.run(f"DROP TEMPORARY TABLE IF EXISTS {quote_name(table.name)}")


def _structure(name: str, text: str) -> Iterator[str]:
    """The columns of a structure: a name and a type each."""
    for first, *type_ in _parts(name, text):
        if first.kind not in {"word", "name"} or not _is_type(type_):
            raise _no_structure(name)
        yield " ".join(token.text for token in (first, *type_))


def _types(name: str, text: str) -> Iterator[str]:
    """The columns of a list of types; they are called _1, _2 and so on."""
    for number, part in enumerate(_parts(name, text), 1):
        if not _is_type(part):
            raise _no_structure(name)
        yield " ".join([f"_{number}", *(token.text for token in part)])


def _parts(name: str, text: str) -> Iterator[list[statement.Token]]:
    """The tokens between the commas outside of brackets, as they are written.

    Comments are dropped, so that they can't be read in two ways.
    """
    data = text.encode(errors="replace")
    if not text.strip() or len(data) > _MOST_STRUCTURE:
        raise _no_structure(name)
    parts: list[list[statement.Token]] = [[]]
    depth = 0
    for token in statement.tokens(data):
        if token.kind == "sign":
            depth += _OPENS.get(token.text, 0)
        if token.kind == "sign" and token.text == "," and depth == 0:
            parts.append([])
            continue
        size = len(token.text.encode()) + (2 if token.kind == "name" else 0)
        written = data[token.end - size : token.end].decode(errors="replace")
        parts[-1].append(token._replace(text=written))
    if len(parts) > MOST_COLUMNS or not all(parts):
        raise _no_structure(name)
    yield from parts


def _is_type(found: Sequence[statement.Token]) -> bool:
    """True for a word, alone or with a pair of brackets that ends with it: `Array(UInt8)`.

    Nothing else may follow, such as a default, which is an expression.
    """
    if not found or found[0].kind != "word":
        return False
    depth = 0
    for at, token in enumerate(found):
        if token.kind == "word" and token.text.upper() in _NO_TYPES:
            return False
        if token.kind == "sign":
            depth += _OPENS.get(token.text, 0)
            if token.text not in _SIGNS:
                return False
        elif token.kind not in {"word", "name", "number", "string"}:
            return False
        if at and depth == 0 and at < len(found) - 1:
            return False
    return depth == 0 and (len(found) == 1 or found[1].text == "(")


def _no_structure(name: str) -> QueryError:
    return _bad(
        f"{name}_structure has names and types of columns (up to {MOST_COLUMNS}, separated by "
        f"commas, without defaults and states of aggregate functions), or {name}_types the types "
        "alone"
    )


def _bad(why: str) -> QueryError:
    return QueryError(f"Code: 36. DB::Exception: External tables: {why}. (BAD_ARGUMENTS)")
