"""Native as a client with a protocol revision reads it (`client_protocol_version`).

The engine writes Native without a revision only, as into a file. With one, each block begins with a
BlockInfo, and each column says whether its serialization is a custom one. The format Buffers has
the same columns, each with its size before it, so the stream is made anew from that one: no
column's data is looked at, whatever its type is.

Source: ClickHouse, src/Formats/NativeWriter.cpp, src/Core/BlockInfo.cpp and ProtocolDefines.h, and
https://clickhouse.com/docs/reference/formats/Buffers.
"""

import re
import struct
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from portquorum.embedded.clickhouse.engine import QueryError, Session, quote
from portquorum.embedded.clickhouse.engine_protocol import StatementResult
from portquorum.embedded.clickhouse.result_parts import ResultParts
from portquorum.embedded.clickhouse.statement import around_outfile

NATIVE: Final = "Native"
LEAST_REVISION: Final = 54405
"""Older ones know no LowCardinality (DBMS_MIN_REVISION_WITH_LOW_CARDINALITY_TYPE)."""
MOST_REVISION: Final = 54491
"""Newer ones have strings in another layout (…_WITH_STRING_WITH_SIZE_STREAM_SERIALIZATION)."""
_CUSTOM_SERIALIZATION: Final = 54454
"""From here on a column has a byte for a custom serialization."""

# Field 1: is_overflows (no); field 2: bucket_num (-1, none); the end of the fields.
_BLOCK_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_DEFAULT_SERIALIZATION: Final = b"\x00"
_BLOCK: Final = struct.Struct("<QQ")
_SIZE: Final = struct.Struct("<Q")
_HEADER: Final = "RowBinaryWithNamesAndTypes"  # names may have any bytes
_TEXT: Final = "JSONCompactEachRowWithNamesAndTypes"  # neither totals nor extremes
_REVISION: Final = re.compile(r"[0-9]{1,9}")
_FORMAT_CLAUSE: Final = re.compile(r"FORMAT\s+(`?)\w+\1")


class Column(NamedTuple):
    """A column of a result."""

    name: bytes
    type: bytes


def revision_of(parameters: Mapping[str, str]) -> int:
    """The protocol revision that a client asks for; 0 if it asks for none.

    Raises:
        QueryError: a revision whose Native is not written here.
    """
    text = parameters.get("client_protocol_version") or "0"
    revision = int(text) if _REVISION.fullmatch(text) else -1
    if revision and not LEAST_REVISION <= revision <= MOST_REVISION:
        raise QueryError(
            f"Code: 48. DB::Exception: Expected a client_protocol_version from {LEAST_REVISION} to "
            f"{MOST_REVISION}, or none, for the format Native, found {text[:40]!r}. "
            "(NOT_IMPLEMENTED)"
        )
    return revision


def describe(session: Session, parts: tuple[str, str], params: Mapping[str, str]) -> list[Column]:
    """The columns of a query's result, which is asked for no row.

    Names and types are those of the result itself. DESCRIBE has its own: types over many lines
    (`print_pretty_type_names`), subcolumns, and rows that a limit of the result counts.

    Args:
        session: that runs the query, too: temporary tables and settings make a difference.
        parts: the query (`statement.around_outfile`).
        params: values for `{name:Type}`.

    Raises:
        QueryError: as the query does.
    """
    query, rest = parts
    settings = _FORMAT_CLAUSE.sub("", rest, count=1)
    found = session.run(
        f"SELECT * FROM ({query}) LIMIT 0 FORMAT {_HEADER} {settings}",  # noqa: S608 (checked)
        _HEADER,
        params,
    )
    return _columns(found.data)


def in_format(parts: tuple[str, str], form: str) -> tuple[str, str]:
    """A statement in two parts (`statement.around_outfile`) with another format."""
    query, rest = parts
    return query, _FORMAT_CLAUSE.sub(f"FORMAT {form}", rest, count=1)


class NativeStream:
    """Makes Native of Buffers, part by part."""

    def __init__(self, columns: Sequence[Column], revision: int) -> None:
        """Takes the columns of the result, and the client's revision (not 0)."""
        custom = _DEFAULT_SERIALIZATION if revision >= _CUSTOM_SERIALIZATION else b""
        self._heads = [_text(name) + _text(type_) + custom for name, type_ in columns]
        self._pending = b""
        self._next = len(self._heads)
        self._left = 0

    def convert(self, data: bytes) -> bytes:
        """The Native of the next part of Buffers, which may be cut anywhere.

        Raises:
            QueryError: a block with another number of columns.
        """
        data = self._pending + data
        at = 0
        made: list[bytes] = []
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                made.append(piece)
                self._left -= len(piece)
                at += len(piece)
            elif self._next < len(self._heads):
                if len(data) - at < _SIZE.size:
                    break
                (self._left,) = _SIZE.unpack_from(data, at)
                at += _SIZE.size
                made.append(self._heads[self._next])
                self._next += 1
            else:
                if len(data) - at < _BLOCK.size:
                    break
                made.append(self._block(*_BLOCK.unpack_from(data, at)))
                at += _BLOCK.size
        self._pending = data[at:]
        return b"".join(made)

    def finish(self) -> None:
        """Checks that the last block is whole.

        Raises:
            QueryError: it is not.
        """
        if self._pending or self._left or self._next < len(self._heads):
            raise _broken("it ends within a block")

    def _block(self, columns: int, rows: int) -> bytes:
        if columns != len(self._heads):
            raise _broken(f"{len(self._heads)} columns were described, and a block has {columns}")
        self._next = 0
        return _BLOCK_INFO + _varint(columns) + _varint(rows)


class Framed:
    """A result in Native, of one in Buffers."""

    def __init__(self, parts: ResultParts, stream: NativeStream) -> None:
        """Takes the result; it is closed with this one."""
        self._parts = parts
        self._stream = stream
        self.counts = parts.counts

    def take(self) -> tuple[bytes, bool]:
        """The next part, and True with the last one.

        Raises:
            QueryError: the statement failed.
        """
        part, whole = self._parts.take()
        native = self._stream.convert(part)
        if whole:
            self._stream.finish()
        return native, whole

    def close(self) -> None:
        """Releases the engine."""
        self._parts.close()


def run_short(
    session: Session, fresh: Session, sql: str, params: Mapping[str, str], revision: int
) -> StatementResult:
    """The result of a statement that is no SELECT (SHOW, DESCRIBE, KILL, …), in Native.

    It runs once, since it may do something: as text with names and types, of which the engine then
    makes Buffers.

    Args:
        session: runs the statement.
        fresh: has no settings of the user, which would change how the text is read.
        sql: the statement, with or without a format.
        params: values for `{name:Type}`.
        revision: of the client.

    Raises:
        QueryError: as the statement does.
    """
    query, rest = in_format(around_outfile(sql, _TEXT), _TEXT)
    result = session.run(f"{query} {rest}", _TEXT, params)
    if not result.data:
        return result
    # No `python(` may stand in a statement, not even in a string (`engine.Session`).
    text = quote(result.data.decode(errors="replace")).replace("(", r"\x28")
    again = f"SELECT * FROM format({_TEXT}, {text})"  # noqa: S608 (a literal of ours)
    # As long as it is: the answer may have more than a statement of a user's.
    fresh.set({"max_query_size": "0"})
    return msgspec.structs.replace(result, data=rows_of(fresh, again, revision))


def rows_of(session: Session, select: str, revision: int) -> bytes:
    """The Native of a SELECT of ours that is cheap: its rows stand in it."""
    stream = NativeStream(describe(session, (select, ""), {}), revision)
    data = stream.convert(session.run(select, "Buffers").data)
    stream.finish()
    return data


def _columns(data: bytes) -> list[Column]:
    """The names and types of a header in RowBinary: their number, then each with its length."""
    texts: list[bytes] = []
    try:
        count, at = _read_varint(data, 0)
        while len(texts) < 2 * count:
            size, at = _read_varint(data, at)
            texts.append(data[at : at + size])
            at += size
    except IndexError:
        at = -1
    if at != len(data):
        raise QueryError(
            "Code: 48. DB::Exception: Types in the binary encoding are not for Native with a "
            "client_protocol_version; leave output_format_binary_encode_types_in_binary_format "
            "out. (NOT_IMPLEMENTED)"
        )
    return [Column(*pair) for pair in zip(texts[:count], texts[count:], strict=True)]


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """A number in LEB128, and the offset after it.

    Raises:
        IndexError: it does not end.
    """
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        if data[at] <= 0x7F:
            return value, at + 1
        shift += 7
        at += 1


def _text(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _varint(value: int) -> bytes:
    """LEB128, as of ClickHouse's lengths."""
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def _broken(why: str) -> QueryError:
    return QueryError(f"Code: 1001. DB::Exception: The engine's Buffers: {why}. (STD_EXCEPTION)")
