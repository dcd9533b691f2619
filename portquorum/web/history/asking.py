"""How a question is asked: rows of a query, values of a struct, the opaque cursor of a page."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec
from clickhouse_connect.driver.client import Client
from msgspec import Struct

from foundation.clickhouse import internal_database
from portquorum.web.history.errors import UnknownCursorError

T = TypeVar("T")
S = TypeVar("S", bound=Struct)

LONGEST_CURSOR: Final = 1_000

_IDS_AT_ONCE: Final = 400
"""An id has up to 255 characters."""


def rows(client: Client, sql: str, **parameters: Any) -> Sequence[Sequence[Any]]:
    """The rows of a query. `{internal}` stands for the database of roll-ups."""
    internal = internal_database(str(client.database))
    sql = sql.replace("{internal}", f"`{internal}`")
    found: Sequence[Sequence[Any]] = client.query(sql, parameters=parameters).result_rows
    return found


def told_us(least_us: float, most_us: float) -> float:
    """A percentile of a roll-up's counts, in µs: the middle of its class, at most `most_us`.

    As the views tell it (sinks/clickhouse/views/target_checks_hourly.sql).
    """
    size = 1 << (int(least_us).bit_length() - 1) if least_us >= 1 else 0
    return float(min(least_us + max(size / 256 - 0.5, 0), most_us))


def in_parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids in parts that fit into a request: a field of a form has 128 KB at ClickHouse's."""
    yield from (ids[begin : begin + _IDS_AT_ONCE] for begin in range(0, len(ids), _IDS_AT_ONCE))


def structs(kind: type[S], found: Sequence[Sequence[Any]]) -> tuple[S, ...]:
    """A struct for each row, whose columns are the fields in their order."""
    names = kind.__struct_fields__
    return tuple(kind(**dict(zip(names, row, strict=True))) for row in found)


def cursor_of(place: Struct) -> str:
    """The place of a page's end as a text for URLs."""
    packed = msgspec.msgpack.encode(msgspec.structs.astuple(place))
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def place_of(cursor: str, kind: type[S]) -> S:
    """The place that `cursor_of` packed.

    Raises:
        UnknownCursorError: this program has not made the cursor.
    """
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise UnknownCursorError(_UNKNOWN)
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = msgspec.msgpack.decode(packed, type=list[int | str])
        names = kind.__struct_fields__
        return msgspec.convert(dict(zip(names, values, strict=True)), kind)
    except (binascii.Error, msgspec.MsgspecError, ValueError) as error:
        raise UnknownCursorError(_UNKNOWN) from error


_UNKNOWN: Final = "Expected a cursor of the page before, found another text: begin without one."
