"""ibis with its ClickHouse backend."""

import os
import signal
from typing import Any

import ibis
import pandas as pd
from common import ASKED, Question, answer, moment, rows, told_to_cancel

backend = ibis.clickhouse.connect(
    host=ASKED["host"],
    port=ASKED["port"],
    secure=ASKED["secure"],
    user=ASKED["user"],
    password=ASKED["password"],
    database=ASKED["database"],
)


def ask(question: Question) -> Any:
    # `backend.sql` makes a view to see the types, which no reader of any server may.
    return rows(backend.raw_sql(question["sql"]).result_rows)


def count(question: Question) -> Any:
    found = backend.raw_sql(question["sql"]).result_rows
    return [len(found), sum(row[0] for row in found)]


def tables(_: Question) -> Any:
    return backend.list_tables()


def columns(question: Question) -> Any:
    return list(backend.table(question["table"]).schema())


def every(_: Question) -> Any:
    return {name: int(backend.table(name).count().execute()) for name in backend.list_tables()}


def write(question: Question) -> Any:
    name = question["table"]
    backend.raw_sql(f"DROP TABLE IF EXISTS {name}")
    backend.raw_sql(f"CREATE TABLE {name} ({ASKED['columns']}) ENGINE = MergeTree ORDER BY id")
    try:
        rows_ = [(int(a), b, int(c), moment(d)) for a, b, c, d in ASKED["written"]]
        frame = pd.DataFrame(rows_, columns=["id", "name", "big", "at"])
        backend.insert(name, frame)
        found = backend.table(name).order_by("id").to_pyarrow()
        return rows(zip(*(column.to_pylist() for column in found.columns), strict=True))
    finally:
        backend.raw_sql(f"DROP TABLE {name}")


def cancel(question: Question) -> Any:
    told_to_cancel(lambda: os.kill(os.getpid(), signal.SIGINT))
    return ask(question)


answer(
    "ibis-framework",
    rows=ask,
    error=ask,
    count=count,
    tables=tables,
    columns=columns,
    every=every,
    write=write,
    cancel=cancel,
)
