# ruff: noqa: S608 (table names and tokens of the tests themselves)
import base64
from pathlib import Path

import pytest

from tests.integration.embedded.clickhouse.http_calls import Server


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.csv"
    path.write_text("hunter2\n")
    return path


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select version(), uptime()",
        "WITH 1 AS x SELECT x",
        "SHOW TABLES",
        "SHOW CREATE DATABASE portquorum",
        "DESCRIBE TABLE system.one",
        "EXISTS TABLE nope",
        "EXPLAIN SELECT 1",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT 'INSERT INTO file(', 'INTO OUTFILE'",
        "SELECT count() FROM numbers(100) FORMAT JSON",
        "SELECT name FROM system.tables",
    ],
)
def test_readers_read(reader: Server, sql: str) -> None:
    answer = reader.post(sql)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x (a UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE x (a UInt8)",
        "CREATE FUNCTION f AS x -> x",
        "CREATE USER u",
        "DROP DATABASE portquorum",
        "INSERT INTO {table} VALUES (2)",
        "INSERT INTO {table} SELECT 2",
        "ALTER TABLE {table} DELETE WHERE 1",
        "TRUNCATE TABLE {table}",
        "OPTIMIZE TABLE {table}",
        "RENAME TABLE {table} TO {table}2",
        "DETACH TABLE {table}",
        "SYSTEM FLUSH LOGS",
        "KILL MUTATION WHERE 1",
        "BACKUP TABLE {table} TO File('x')",
        "SET readonly = 0",
        "SET max_execution_time = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SELECT 1; DROP TABLE {table}",
        "USE system",
        "GRANT ALL ON *.* TO default",
    ],
)
def test_readers_change_nothing(owner: Server, reader: Server, database: str, sql: str) -> None:
    table = f"{database}.t"
    owner.value(f"CREATE TABLE {table} (a UInt8) ENGINE = MergeTree ORDER BY a")
    owner.value(f"INSERT INTO {table} VALUES (1)")
    answer = reader.post(sql.format(table=table))
    assert answer.status >= 400
    assert answer.code in {"164", "62", "497"}
    assert owner.value(f"SELECT sum(a) FROM {table}") == "1"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT file('{path}')",
        "SELECT `file`('{path}')",
        "SELECT \"file\"('{path}')",
        "SELECT /*'*/ file('{path}') /*'*/",
        "SELECT \u2018 ' \u2019, file('{path}'), ' '",
        "SELECT * APPLY(file) FROM (SELECT '{path}')",
        "SELECT * APPLY file FROM (SELECT '{path}')",
        "SELECT arrayMap(file, ['{path}'])",
        "SELECT arrayMap(x -> file(x), ['{path}'])",
        "SELECT arrayMap({{f:Identifier}}, ['{path}'])",
        "WITH file('{path}') AS x SELECT x",
        "SELECT * FROM file('{path}')",
        "SELECT * FROM file('{path}', 'LineAsString', 'x String')",
        "SELECT * FROM '{path}'",
        "SELECT * FROM `{path}`",
        "SELECT * FROM default.`{path}`",
        "SELECT * FROM view(SELECT file('{path}'))",
        "DESCRIBE TABLE file('{path}')",
        "DESCRIBE (SELECT * FROM file('{path}'))",
        "EXPLAIN SELECT * FROM file('{path}')",
        "SELECT * FROM filesystem('{path}')",
        "SELECT * FROM sqlite('{path}', 't')",
        "SELECT * FROM executable('cat', 'LineAsString', 'x String')",
        "SELECT * FROM url('file://{path}', 'LineAsString')",
        "SELECT * FROM s3('http://127.0.0.1:1/b/k', 'CSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1:1', system.one)",
        "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
        "SELECT * FROM Python(self)",
        "SELECT 1 INTO OUTFILE '{path}.out'",
        "SELECT 1 INTO OUTFILE '{path}.out' FORMAT CSV",
        "EXPLAIN SELECT 1 INTO OUTFILE '{path}.out'",
    ],
)
def test_readers_stay_inside_of_the_database(reader: Server, secret: Path, sql: str) -> None:
    answer = reader.post(sql.format(path=secret), param_f="file")
    assert answer.status >= 400
    assert b"hunter2" not in answer.body
    assert [path.name for path in secret.parent.iterdir()] == [secret.name]


@pytest.mark.parametrize(
    ("asked", "effective"), [("5", "5"), ("0", "30"), ("1000", "30"), ("x", "30")]
)
def test_readers_can_only_tighten_their_limits(reader: Server, asked: str, effective: str) -> None:
    sql = "SELECT getSetting('max_execution_time')"
    assert reader.value(sql, max_execution_time=asked) == effective


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT number FROM numbers(2000000)", "396"),
        ("SELECT groupArray(number) FROM numbers(1e9)", "241"),
    ],
)
def test_readers_have_limits(reader: Server, sql: str, code: str) -> None:
    assert reader.post(sql, default_format="JSON", wait_end_of_query="1").code == code


def test_readers_choose_how_the_answer_looks(reader: Server) -> None:
    sql = "SELECT toUInt64(1) AS a FORMAT JSONEachRow"
    assert reader.value(sql, output_format_json_quote_64bit_integers="1") == '{"a":"1"}'
    assert reader.post(sql, allow_ddl="1").code == "164"


def test_a_wrong_password_is_refused(owner: Server) -> None:
    basic = base64.b64encode(b"portquorum:wrong").decode()
    plain = Server(owner.base, owner=False)
    for answer in (
        plain.post("SELECT 1", {"Authorization": f"Basic {basic}"}),
        plain.post("SELECT 1", {"Authorization": "Basic nonsense"}),
        plain.post("SELECT 1", {"X-ClickHouse-User": "portquorum"}),
        plain.post("SELECT 1", user="portquorum", password=""),
        plain.post("SELECT 1", user="nobody"),
        plain.post("SELECT 1", {"X-ClickHouse-Key": "x"}),
    ):
        assert (answer.status, answer.code) == (403, "516")


def test_the_password_is_taken_in_three_ways(owner: Server) -> None:
    name, password = owner.user["X-ClickHouse-User"], owner.user["X-ClickHouse-Key"]
    basic = base64.b64encode(f"{name}:{password}".encode()).decode()
    plain = Server(owner.base, owner=False)
    sql = "SELECT getSetting('readonly')"
    assert plain.post(sql).body == b"1\n"
    assert plain.post(sql, {"Authorization": f"Basic {basic}"}).body == b"0\n"
    assert plain.post(sql, user=name, password=password).body == b"0\n"
    assert owner.post(sql).body == b"0\n"
