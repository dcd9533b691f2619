# ruff: noqa: S608 - tables of the test itself
"""SQLAlchemy with the dialect of clickhouse-connect, as Superset uses it."""

import os
import signal
from typing import Any

from common import ASKED, Question, answer, moment, plain, rows, told_to_cancel
from sqlalchemy import MetaData, Table, bindparam, create_engine, inspect, text
from sqlalchemy.engine import URL

engine = create_engine(
    URL.create(
        "clickhousedb",
        ASKED["user"],
        ASKED["password"] or None,
        ASKED["host"],
        ASKED["port"],
        ASKED["database"],
        {"secure": "true"} if ASKED["secure"] else {},
    )
)


def ask(question: Question) -> Any:
    with engine.connect() as connection:
        return rows(connection.exec_driver_sql(question["sql"]))


def count(question: Question) -> Any:
    found, total = 0, 0
    with engine.connect() as connection:
        for number, _ in connection.execution_options(stream_results=True).execute(
            text(question["sql"])
        ):
            found += 1
            total += number
    return [found, total]


def bind(_: Question) -> Any:
    # SQLAlchemy's own parameters; the dialect makes literals of them.
    bound = ASKED["bound"]
    sql = "SELECT toUInt64(:n) AS n, :s AS s, toDateTime64(:at, 3, 'UTC') AS at"
    with engine.connect() as connection:
        statement = text(sql).bindparams(bindparam("n"), bindparam("s"), bindparam("at"))
        at = bound["at"].replace("T", " ").rstrip("Z")
        return rows(
            connection.execute(statement, {"n": int(bound["n"]), "s": bound["s"], "at": at})
        )


def tables(_: Question) -> Any:
    return inspect(engine).get_table_names(schema=ASKED["database"])


def columns(question: Question) -> Any:
    found = inspect(engine).get_columns(question["table"], schema=ASKED["database"])
    return [column["name"] for column in found]


def every(_: Question) -> Any:
    sizes = {}
    for name in inspect(engine).get_table_names():
        with engine.connect() as connection:
            sizes[name] = len(connection.execute(text(f"SELECT * FROM `{name}`")).all())
    return sizes


def write(question: Question) -> Any:
    name = question["table"]
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
        made = f"CREATE TABLE {name} ({ASKED['columns']}) ENGINE = MergeTree ORDER BY id"
        connection.execute(text(made))
        try:
            table = Table(name, MetaData(), autoload_with=engine)
            connection.execute(
                table.insert(),
                [
                    {"id": int(a), "name": b, "big": int(c), "at": moment(d)}
                    for a, b, c, d in ASKED["written"]
                ],
            )
            return rows(connection.execute(table.select().order_by(table.c.id)))
        finally:
            connection.execute(text(f"DROP TABLE {name}"))


def cancel(question: Question) -> Any:
    told_to_cancel(lambda: os.kill(os.getpid(), signal.SIGINT))
    with engine.connect() as connection:
        return plain(connection.execute(text(question["sql"])).all())


answer(
    "sqlalchemy",
    rows=ask,
    error=ask,
    count=count,
    bind=bind,
    tables=tables,
    columns=columns,
    every=every,
    write=write,
    cancel=cancel,
)
