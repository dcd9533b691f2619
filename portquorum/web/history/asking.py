"""How a question is asked: rows of a query, values of a struct, the opaque cursor of a page."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
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

LATENCY_US: Final = """
arrayMap(
    least_us -> least(least_us + greatest(roundToExp2(least_us) / 256 - 0.5, 0), most_us),
    quantilesBFloat16Merge(0.5, 0.95, 0.99)({counts})
)
"""
"""Percentiles (50, 95, 99) in µs of the counts of a roll-up, told as the views tell them
(sinks/clickhouse/views/target_checks_hourly.sql); `most_us` is the largest latency."""


def rows(client: Client, sql: str, **parameters: Any) -> Sequence[Sequence[Any]]:
    """The rows of a query. `{internal}` stands for the database of roll-ups."""
    internal = internal_database(str(client.database))
    sql = sql.replace("{internal}", f"`{internal}`")
    found: Sequence[Sequence[Any]] = client.query(sql, parameters=parameters).result_rows
    return found


def together(
    client: Client, questions: Mapping[str, str], **parameters: Any
) -> dict[str, Sequence[Sequence[Any]]]:
    """The rows of several small queries, in one request; a request costs more than each of them.

    Each column of a query needs a name. Rows come in no order.
    """
    parts = ", ".join(
        f"(SELECT groupArray(tuple(COLUMNS('.*'))) FROM ({sql})) AS {name}"  # noqa: S608 - our own
        for name, sql in questions.items()
    )
    (found,) = rows(client, f"SELECT {parts}", **parameters)
    return dict(zip(questions, found, strict=True))


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
