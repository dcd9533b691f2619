# ruff: noqa: S608 - tables of the test itself
"""clickhouse-connect, as its manual writes it."""

import os
import signal
from typing import Any

import clickhouse_connect
from common import ASKED, Question, answer, moment, plain, rows, told_to_cancel

client = clickhouse_connect.get_client(
    host=ASKED["host"],
    port=ASKED["port"],
    secure=ASKED["secure"],
    username=ASKED["user"],
    password=ASKED["password"],
    database=ASKED["database"],
)


def ask(question: Question) -> Any:
    return rows(client.query(question["sql"], tz_mode="aware").result_rows)


def count(question: Question) -> Any:
    found, total = 0, 0
    with client.query_row_block_stream(question["sql"]) as stream:
        for block in stream:
            found += len(block)
            total += sum(row[0] for row in block)
    return [found, total]


def bind(question: Question) -> Any:
    bound = ASKED["bound"]
    # `at_64`: a moment with its fraction, https://clickhouse.com/docs/integrations/python
    parameters = {"n": int(bound["n"]), "s": bound["s"], "at_64": moment(bound["at"])}
    return rows(client.query(question["sql"], parameters=parameters, tz_mode="aware").result_rows)


def tables(_: Question) -> Any:
    return list(client.query("SHOW TABLES").result_columns[0])


def columns(question: Question) -> Any:
    return [row[0] for row in client.query(f"DESCRIBE TABLE {question['table']}").result_rows]


def every(_: Question) -> Any:
    return {
        table: len(client.query(f"SELECT * FROM `{table}`").result_rows)
        for (table,) in client.query("SHOW TABLES").result_rows
    }


def write(question: Question) -> Any:
    table = question["table"]
    client.command(f"DROP TABLE IF EXISTS {table}")
    client.command(f"CREATE TABLE {table} ({ASKED['columns']}) ENGINE = MergeTree ORDER BY id")
    try:
        written = [[int(a), b, int(c), moment(d)] for a, b, c, d in ASKED["written"]]
        client.insert(table, written, column_names=["id", "name", "big", "at"])
        return rows(client.query(f"SELECT * FROM {table} ORDER BY id", tz_mode="aware").result_rows)
    finally:
        client.command(f"DROP TABLE {table}")


def cancel(question: Question) -> Any:
    # It has no call for it: a person presses Ctrl-C.
    told_to_cancel(lambda: os.kill(os.getpid(), signal.SIGINT))
    return plain(client.query(question["sql"]).result_rows)


answer(
    "clickhouse-connect",
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
