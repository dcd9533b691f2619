"""What every client of ClickHouse is asked, and what each must answer."""

from typing import Final

from msgspec import Struct


class Question(Struct, frozen=True):
    """One thing to do with a client, as its program reads it.

    `do` is how: `rows` answers with all values, `every` with the number of rows of each table,
    `count` with the number of rows and their sum, `bind` with the values of parameters, `tables`
    and `columns` with names by the client's own way to list them, `write` with what was read back
    of rows that it wrote, `error` with the text that a person sees, `cancel` with the text that
    ends a query which the client is told to cancel. `sql` names parameters as ClickHouse does,
    `marks` as question marks. `paths`: it asks for paths of files, which a reader of the embedded
    server isn't told.
    """

    name: str
    do: str
    sql: str = ""
    marks: str = ""
    table: str = ""
    paths: bool = False


TYPES: Final = (
    ("toUInt64(18446744073709551615)", "18446744073709551615"),
    ("toInt64(-9223372036854775808)", "-9223372036854775808"),
    ("toDecimal128('-12345678901234567890.123456789', 9)", "-12345678901234567890.123456789"),
    ("toDecimal64('1.50', 2)", "1.50"),
    ("toDateTime64('2024-02-29 12:34:56.789', 3, 'UTC')", "2024-02-29T12:34:56.789Z"),
    ("toDateTime('2024-02-29 12:34:56', 'UTC')", "2024-02-29T12:34:56.000Z"),
    ("toDate('2024-02-29')", "2024-02-29"),
    ("toLowCardinality('low')", "low"),
    ("CAST(NULL AS Nullable(String))", None),
    ("CAST(7 AS Nullable(Int32))", "7"),
    ("['a', 'b''c', '日本']", ["a", "b'c", "日本"]),
    ("[[toUInt64(1), 18446744073709551615], []]", [["1", "18446744073709551615"], []]),
    ("CAST(map('k', 1, 'l', 2) AS Map(String, UInt64))", {"k": "1", "l": "2"}),
    ("toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')", "61f0c404-5cb3-11e7-907b-a6006ad3dba0"),
    ("CAST('up' AS Enum8('down' = 0, 'up' = 1))", "up"),
    ("toFloat64(0.1)", "0.1"),
    ("CAST(1 AS Bool)", "true"),
    ("'a\\0\\n\\t\\'\\\\'", "a\0\n\t'\\"),
)
"""An expression of each type, and its value: text but for null, lists and maps."""

MILLION: Final = 1_000_000
TEXT: Final = "it's \"\\ \n\t{x:String} ? 日本"
BOUND: Final = {"n": "18446744073709551615", "s": TEXT, "at": "2024-02-29T12:34:56.789Z"}
"""Parameters of a statement, by name and in this order."""

LIST: Final = ["up", "it's down"]
WRITTEN: Final = [["1", "it's \\ 日本", "18446744073709551615", "2024-02-29T12:34:56.789Z"]] + [
    [str(number), f"row {number}", str(number * 2), "2024-02-29T00:00:00.000Z"]
    for number in range(2, 1_001)
]
"""Rows that an owner's client writes; their columns are `WRITTEN_COLUMNS`."""

WRITTEN_COLUMNS: Final = (
    "id UInt32, name LowCardinality(String), big UInt64, at DateTime64(3, 'UTC')"
)
LONG: Final = (
    "SELECT count() FROM numbers(20000000000000) WHERE NOT ignore(sipHash64(number), '{mark}')"
)
"""A query that takes hours; `{mark}` finds it in `system.processes`."""

QUESTIONS: Final = (
    Question("version", "rows", "SELECT version() AS version, 1 AS one"),
    Question("tables", "tables"),
    Question("columns", "columns", table="incidents"),
    Question("every table", "every"),
    Question(
        "types",
        "rows",
        "SELECT " + ", ".join(f"{sql} AS c{number}" for number, (sql, _) in enumerate(TYPES)),
    ),
    Question(
        "parameters",
        "bind",
        "SELECT {n:UInt64} AS n, {s:String} AS s, {at:DateTime64(3, 'UTC')} AS at",
        "SELECT toUInt64(?) AS n, ? AS s, toDateTime64(?, 3, 'UTC') AS at",
    ),
    Question("no rows", "rows", "SELECT 1 AS one WHERE 0"),
    Question(
        "million rows",
        "count",
        f"SELECT number, concat('row ', toString(number)) AS text FROM numbers({MILLION})",  # noqa: S608
    ),
    Question("unknown table", "error", "SELECT * FROM nowhere_at_all"),
    Question("wrong syntax", "error", "SELECT (1"),
    Question(
        "broken answer",
        "error",
        "SELECT number, throwIf(number = 900000, 'the middle broke') AS broken"
        " FROM numbers(1000000)",
    ),
    Question("write", "write", table="wide_written"),
)
