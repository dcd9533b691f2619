# ruff: noqa: S608 - tables of the test itself
"""polars over Parquet: what a person writes in a notebook, with no client at all."""

import io
import os
import signal
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import UUID

import polars as pl
from common import ASKED, Question, answer, moment, plain, rows, told_to_cancel

BASE = f"{'https' if ASKED['secure'] else 'http'}://{ASKED['host']}:{ASKED['port']}/"
HEADERS = {"X-ClickHouse-User": ASKED["user"], "X-ClickHouse-Key": ASKED["password"]}


class ServerError(Exception):
    pass


def sent(sql: str, body: bytes | None = None, **params: str) -> bytes:
    asked = {"database": ASKED["database"], "default_format": "Parquet"} | params
    if body is None:
        body = sql.encode()
    else:
        asked["query"] = sql
    try:
        request = Request(f"{BASE}?{urlencode(asked)}", body, HEADERS)  # noqa: S310
        with urlopen(request, timeout=100) as response:  # noqa: S310
            return response.read()
    except HTTPError as error:
        raise ServerError(error.read().decode()) from None


def frame(sql: str, **params: str) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(sent(sql, **params)))


def ask(question: Question) -> Any:
    found = frame(question["sql"])
    return [
        [value(one, kind) for one, kind in zip(row, found.dtypes, strict=True)]
        for row in found.iter_rows()
    ]


def value(one: Any, kind: pl.DataType) -> Any:
    """A map comes as a list of pairs, a UUID as its 16 bytes."""
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct):
        return {pair["key"]: plain(pair["value"]) for pair in one}
    if isinstance(kind, pl.Binary):
        return str(UUID(bytes=one))
    return plain(one)


def error(question: Question) -> Any:
    return rows(frame(question["sql"], wait_end_of_query="1").iter_rows())


def count(question: Question) -> Any:
    found = frame(question["sql"])
    return [found.height, int(found["number"].sum())]


def bind(question: Question) -> Any:
    bound = ASKED["bound"]
    escaped = bound["s"].replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    at = bound["at"].replace("T", " ").rstrip("Z")
    found = frame(question["sql"], param_n=bound["n"], param_s=escaped, param_at=at)
    return rows(found.iter_rows())


def tables(_: Question) -> Any:
    return frame("SHOW TABLES")["name"].to_list()


def columns(question: Question) -> Any:
    return frame(f"DESCRIBE TABLE {question['table']}")["name"].to_list()


def every(_: Question) -> Any:
    return {name: frame(f"SELECT count() AS n FROM `{name}`")["n"][0] for name in tables({})}


def write(question: Question) -> Any:
    name = question["table"]
    sent(f"DROP TABLE IF EXISTS {name}")
    sent(f"CREATE TABLE {name} ({ASKED['columns']}) ENGINE = MergeTree ORDER BY id")
    try:
        written = [(int(a), b, int(c), moment(d)) for a, b, c, d in ASKED["written"]]
        made = pl.DataFrame(
            written,
            schema={
                "id": pl.UInt32,
                "name": pl.String,
                "big": pl.UInt64,
                "at": pl.Datetime("ms", "UTC"),
            },
            orient="row",
        )
        parquet = io.BytesIO()
        made.write_parquet(parquet)
        sent(f"INSERT INTO {name} FORMAT Parquet", parquet.getvalue())
        return rows(frame(f"SELECT * FROM {name} ORDER BY id").iter_rows())
    finally:
        sent(f"DROP TABLE {name}")


def cancel(question: Question) -> Any:
    told_to_cancel(lambda: os.kill(os.getpid(), signal.SIGINT))
    return ask(question)


answer(
    "polars",
    rows=ask,
    error=error,
    count=count,
    bind=bind,
    tables=tables,
    columns=columns,
    every=every,
    write=write,
    cancel=cancel,
)
