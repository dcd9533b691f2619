# ruff: noqa: S608 (table names of the tests themselves)
"""Tries to leave the database: with all rights, and by names that are hidden as well as can be."""

from pathlib import Path

import pytest

from tests.integration.embedded.clickhouse.http_calls import Server


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.csv"
    path.write_text("hunter2\n")
    return path


READS = [
    "SELECT file('{path}')",
    "SELECT FiLe('{path}')",
    "SELECT/**/file/*(*/('{path}')",
    "SELECT `file`('{path}') -- '",
    "SELECT \"file\"('{path}')",
    "SELECT * APPLY(file) FROM (SELECT '{path}')",
    "SELECT arrayMap(file, ['{path}'])",
    "SELECT arrayMap({{f:Identifier}}, ['{path}'])",
    "SELECT (SELECT max(x) FROM (SELECT file('{path}') AS x))",
    "WITH (SELECT file('{path}')) AS x SELECT x",
    "SELECT * FROM file('{path}', LineAsString)",
    "SELECT * FROM File('{path}', 'LineAsString', 'x String')",
    "SELECT * FROM `file`('{path}', LineAsString)",
    "SELECT * FROM view(SELECT * FROM file('{path}', LineAsString))",
    "SELECT * FROM merge(REGEXP('.*'), '.*') WHERE 1 = (SELECT count() FROM file('{path}'))",
    "SELECT * FROM loop(file('{path}', LineAsString))",
    "SELECT * FROM eval('SELECT * FROM file(\\'{path}\\', LineAsString)')",
    (
        "SELECT * FROM eval('SELECT * FROM file(\\'{path}\\', LineAsString)') "
        "SETTINGS allow_experimental_eval_table_function = 1"
    ),
    "SELECT * FROM fileCluster('default', '{path}', 'LineAsString', 'x String')",
    "SELECT * FROM filesystem('{path}')",
    "SELECT * FROM '{path}'",
    "SELECT * FROM `{path}`",
    "SELECT * FROM default.`{path}`",
    'SELECT * FROM "default".`{path}`',
    "DESCRIBE TABLE file('{path}')",
    "DESCRIBE TABLE '{path}'",
    "SELECT * FROM url('file://{path}', 'LineAsString', 'x String')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString', 'x String')",
    "SELECT * FROM urlCluster('default', 'http://127.0.0.1:1/', 'LineAsString', 'x String')",
    "SELECT * FROM s3('http://127.0.0.1:1/b/k', 'CSV', 'a String')",
    "SELECT * FROM gcs('http://127.0.0.1:1/b/k', 'CSV', 'a String')",
    "SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'CSV', 'a String')",
    "SELECT * FROM azureBlobStorage('x', 'y', 'z', 'CSV')",
    "SELECT * FROM executable('cat', 'LineAsString', 'x String', (SELECT 1))",
    "SELECT * FROM python(self)",
    "SELECT * FROM sqlite('{path}', 't')",
    "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM mongodb('127.0.0.1:1', 'd', 't', 'u', 'p', 'x String')",
    "SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM remoteSecure('127.0.0.1:1', system.one)",
    "SELECT * FROM clusterAllReplicas('default', system.one)",
    "SELECT * FROM odbc('DSN=x', 't')",
    "SELECT * FROM jdbc('x', 't')",
    "SELECT * FROM iceberg('http://127.0.0.1:1/b')",
    "SELECT * FROM icebergLocal('{path}')",
    "SELECT * FROM deltaLakeLocal('{path}')",
    "SELECT aiGenerate('x', 'y')",
    "SELECT getServerSetting('path')",
    "SELECT 1 INTO OUTFILE '{path}.out'",
    "SELECT 1 INTO OUTFILE '{path}' TRUNCATE FORMAT CSV",
    "SELECT 1 INTO/**/OUTFILE '{path}' APPEND",
    "EXPLAIN SELECT 1 INTO OUTFILE '{path}.out'",
    "SELECT 1 FORMAT JSON INTO OUTFILE '{path}.out'",
    "SELECT 1 SETTINGS log_comment = 'x'",
]
WRITES = [
    "INSERT INTO FUNCTION file('{path}', 'CSV', 'a UInt8') SELECT 1",
    "INSERT INTO TABLE FUNCTION file('{path}', 'CSV', 'a UInt8') VALUES (1)",
    "INSERT INTO FUNCTION file('{path}', 'CSV', 'a UInt8') FORMAT CSV 1",
    "INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'CSV', 'a UInt8') VALUES (1)",
    "INSERT INTO FUNCTION s3('http://127.0.0.1:1/b/k', 'CSV', 'a UInt8') SELECT 1",
    "INSERT INTO {table} FROM INFILE '{path}' FORMAT CSV",
    "INSERT INTO {table} SELECT length(file('{path}'))",
    "INSERT INTO {table} SELECT * FROM file('{path}', 'CSV', 'a String')",
    "CREATE TABLE {table}2 AS file('{path}', LineAsString)",
    "CREATE TABLE {table}2 (a String) ENGINE = File(CSV, '{path}')",
    "CREATE TABLE {table}2 (a String) ENGINE=/**/`File`(CSV, '{path}')",
    "CREATE TABLE {table}2 (a String) ENGINE File(CSV)",
    "CREATE TEMPORARY TABLE x (a String) ENGINE = File(CSV)",
    "ATTACH TABLE {table}2 (a String) ENGINE = File(CSV, '{path}')",
    "CREATE TABLE {table}2 (a String) ENGINE = URL('http://127.0.0.1:1/', CSV)",
    "CREATE TABLE {table}2 (a String) ENGINE = S3('http://127.0.0.1:1/b/k', CSV)",
    "CREATE TABLE {table}2 (a String) ENGINE = S3Queue('http://127.0.0.1:1/b/k', CSV)",
    "CREATE TABLE {table}2 (a String) ENGINE = Executable('cat', TSV)",
    "CREATE TABLE {table}2 (a String) ENGINE = ExecutablePool('cat', TSV)",
    "CREATE TABLE {table}2 (a String) ENGINE = MySQL('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "CREATE TABLE {table}2 (a String) ENGINE = SQLite('{path}', 't')",
    "CREATE TABLE {table}2 (a String) ENGINE = Kafka('127.0.0.1:1', 't', 'g', 'CSV')",
    "CREATE TABLE {table}2 (a String) ENGINE = Distributed('default', 'system', 'one')",
    "CREATE TABLE {table}2 (a String) ENGINE = IcebergLocal('{path}')",
    "CREATE TABLE {table}2 (a String) ENGINE = EmbeddedRocksDB(0, '{path}') PRIMARY KEY a",
    (
        "CREATE TABLE {table}2 (a String) ENGINE = MergeTree ORDER BY a "
        "SETTINGS disk = disk(type = local, path = '{folder}/')"
    ),
    "ALTER TABLE {table} MODIFY SETTING disk = disk(type = local, path = '{folder}/')",
    "ALTER TABLE {table} MODIFY SETTING storage_policy = 'x'",
    "CREATE MATERIALIZED VIEW {table}2 ENGINE = File(CSV) AS SELECT 1",
    "CREATE VIEW {table}2 AS SELECT file('{path}')",
    "CREATE DATABASE outside ENGINE = Filesystem('{folder}')",
    "CREATE DATABASE outside ENGINE = SQLite('{path}')",
    "CREATE DATABASE outside ENGINE = PostgreSQL('127.0.0.1:1', 'd', 'u', 'p')",
    (
        "CREATE DICTIONARY {table}2 (a UInt64, b String) PRIMARY KEY a "
        "SOURCE(FILE(path '{path}' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)"
    ),
    (
        "CREATE DICTIONARY {table}2 (a UInt64, b String) PRIMARY KEY a "
        "SOURCE(HTTP(url 'http://127.0.0.1:1/' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)"
    ),
    (
        "CREATE OR REPLACE DICTIONARY {table}2 (a UInt64, b String) PRIMARY KEY a "
        "SOURCE(EXECUTABLE(command 'cat {path}' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)"
    ),
    (
        "CREATE DICTIONARY {table}2 (a UInt64, b String) PRIMARY KEY a "
        "SOURCE(CLICKHOUSE(host '127.0.0.1' port 1 table 'one')) LAYOUT(FLAT()) LIFETIME(0)"
    ),
    (
        "CREATE DICTIONARY {table}2 (a UInt64, b String) PRIMARY KEY a "
        "SOURCE(CLICKHOUSE(table 't')) LAYOUT(FLAT()) LIFETIME(0)"
    ),
    (
        "CREATE DICTIONARY {table}2 (a UInt64, b String) PRIMARY KEY a "
        "SOURCE(CLICKHOUSE(query 'SELECT 1')) LAYOUT(FLAT()) LIFETIME(0)"
    ),
    "CREATE FUNCTION read_it AS path -> file(path)",
    "CREATE OR REPLACE FUNCTION read_it AS path -> arrayMap(file, [path])",
    "ATTACH TABLE {table}2 FROM '{folder}' (a String) ENGINE = MergeTree ORDER BY a",
    "BACKUP TABLE {table} TO File('{path}.backup')",
    "BACKUP DATABASE system TO Disk('default', 'x')",
    "RESTORE TABLE {table} FROM File('{path}')",
    "SYSTEM SHUTDOWN",
    "system kill",
    "SYSTEM RELOAD CONFIG",
    "SYSTEM SUSPEND FOR 10 SECOND",
    "CREATE TABLE default.t (a UInt8) ENGINE = Memory",
    "DROP DATABASE default",
    "DROP DATABASE IF EXISTS `default` SYNC",
]


@pytest.mark.parametrize("sql", [*READS, *WRITES])
def test_nobody_leaves_the_database(
    owner: Server, reader: Server, database: str, secret: Path, sql: str
) -> None:
    table = f"{database}.t"
    owner.value(f"CREATE TABLE {table} (a String) ENGINE = MergeTree ORDER BY a")
    text = sql.format(path=secret, folder=secret.parent, table=table)
    for server, codes in ((owner, {"62", "497", "60"}), (reader, {"62", "497", "60", "164"})):
        answer = server.post(text, param_f="file")
        assert answer.status >= 400, answer.body
        assert answer.code in codes, answer.body
        assert b"hunter2" not in answer.body
    assert [path.name for path in secret.parent.iterdir()] == [secret.name]
    assert secret.read_text() == "hunter2\n"
    assert owner.value(f"SELECT count() FROM {table}") == "0"


@pytest.mark.parametrize(
    "settings",
    [
        {"offset": "1"},
        {"limit": "1", "offset": "1"},
        {"extremes": "1"},
        {"dialect": "prql", "allow_experimental_prql_dialect": "1"},
        {"output_format_schema": "{path}"},
        {"additional_result_filter": "file('{path}') != ''"},
    ],
    ids=str,
)
def test_no_setting_lets_anybody_out(
    owner: Server, reader: Server, secret: Path, settings: dict[str, str]
) -> None:
    filled = {name: value.format(path=secret) for name, value in settings.items()}
    sql = f"SELECT file('{secret}')"
    for server in (owner, reader):
        answer = server.post(sql, **filled)
        assert answer.code in {"497", "164"}, answer.body
        assert b"hunter2" not in answer.body
    text = ", ".join(f"{name} = '{value}'" for name, value in filled.items())
    session = {"session_id": "guarded", "session_timeout": "0"}
    owner.post(f"SET {text}", **session)
    assert owner.post(sql, **session).code in {"497", "60"}
    assert secret.read_text() == "hunter2\n"


@pytest.mark.parametrize("name", ["dialect", "output_format_schema", "additional_table_filters"])
def test_settings_that_hide_sql_or_name_files_are_nobodys(
    owner: Server, reader: Server, name: str
) -> None:
    for server in (owner, reader):
        assert server.post("SELECT 1", **{name: "x"}).code == "497"
        assert server.post(f"SELECT 1 SETTINGS {name} = 'x'").code in {"497", "62"}
    assert owner.post(f"SET {name} = 'x'").code in {"497", "62"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name, engine FROM system.tables",
        "SELECT count(*), sum(total_bytes * 2) FROM system.tables",
        "SELECT database, sum(bytes_on_disk) FROM system.parts GROUP BY ALL",
        "SELECT * FROM system.columns LIMIT 1",
        "SELECT name FROM system.databases",
        "SELECT * FROM information_schema.tables LIMIT 1",
        "SHOW DATABASES",
        "SHOW TABLES FROM system",
        "SELECT sum(number * 2) FROM numbers(10)",
        "SELECT * FROM view(SELECT 1 AS file_name)",
        "SELECT 'file(', 'INTO OUTFILE', $$ url( $$",
    ],
)
def test_what_readers_need_stays_theirs(reader: Server, sql: str) -> None:
    answer = reader.post(sql)
    assert answer.status == 200, answer.body


def test_the_owner_has_the_rest_of_clickhouse(owner: Server, database: str) -> None:
    table = f"{database}.t"
    for sql in (
        (
            f"CREATE TABLE {table} (a UInt64, host String, url String, source String DEFAULT 'x') "
            "ENGINE = MergeTree ORDER BY a"
        ),
        (
            f"CREATE MATERIALIZED VIEW {table}_v (n UInt64) ENGINE = SummingMergeTree ORDER BY () "
            f"AS SELECT count() AS n FROM {table}"
        ),
        f"INSERT INTO {table} (a, host, url) SELECT number, 'h', 'u' FROM numbers(10)",
        f"INSERT INTO {table} (a) SELECT * FROM generateRandom('a UInt64') LIMIT 5",
        (
            f"CREATE DICTIONARY {table}_d (a UInt64, host String) PRIMARY KEY a "
            "SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)"
        ),
        f"OPTIMIZE TABLE {table} FINAL",
        f"ALTER TABLE {table} DELETE WHERE a > 9 SETTINGS mutations_sync = 1",
        f"ALTER TABLE {table} DETACH PARTITION tuple()",
        f"ALTER TABLE {table} ATTACH PARTITION tuple()",
        f"DETACH TABLE {table}_v",
        f"ATTACH TABLE {table}_v",
        "SYSTEM FLUSH LOGS",
        "SYSTEM DROP MARK CACHE",
    ):
        assert owner.post(sql).status == 200, sql
    sql = f"SELECT count(), any(source), (SELECT sum(n) FROM {table}_v) FROM {table}"
    assert owner.value(sql) == "10\tx\t15"
    assert owner.value("SELECT count() > 0 FROM system.disks WHERE path != ''") == "1"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 SETTINGS select = 'file(\\'{path}\\')'",
        "SELECT 1 SETTINGS filter = 'file(\\'{path}\\') != \\'\\''",
        "SELECT 1 SETTINGS `order` = 'file(\"{path}\")'",
        "SELECT (SELECT 1 SETTINGS max_threads = 1, \"select\" = 'file(\\'{path}\\')')",
        "WITH x AS (SELECT 1 SETTINGS filter = 'file(\\'{path}\\')') SELECT * FROM x",
        "SELECT 1 SETTINGS implicit_table_at_top_level = 'system.disks'",
        "SELECT 'pyth\\x6fn(sys)'",
        "SELECT 1 AS `pyth\\x6fn (sys)`",
    ],
)
def test_sql_in_a_setting_or_behind_an_escape_is_nobodys(
    owner: Server, reader: Server, secret: Path, sql: str
) -> None:
    for server in (owner, reader):
        answer = server.post(sql.format(path=secret))
        assert answer.code == "497", answer.body


@pytest.mark.parametrize("engine", ["Merge('system', 'disks')", "Merge(REGEXP('s.*'), 'disks')"])
def test_no_table_of_the_owners_shows_readers_the_system(
    owner: Server, database: str, engine: str
) -> None:
    for columns in ("", "(path String)"):
        sql = f"CREATE TABLE {database}.m {columns} ENGINE = {engine}"
        assert owner.post(sql).code == "497"


def test_no_text_that_comes_with_a_request_is_a_name_in_python(reader: Server) -> None:
    for name in ("session_timezone", "database", "query_id"):
        answer = reader.post("SELECT 1", **{name: "python(sys)"})
        assert answer.code == "497", (name, answer.body)


def test_columns_may_have_the_names_of_settings(owner: Server, database: str) -> None:
    table = f"{database}.t"
    owner.value(f"CREATE TABLE {table} (url String, format String) ENGINE = MergeTree ORDER BY url")
    owner.value(f"INSERT INTO {table} VALUES ('a', 'b')")
    sql = f"SELECT url FROM {table} WHERE url = 'a' AND format = 'b' SETTINGS max_threads = 1"
    assert owner.value(sql) == "a"
    mutation = f"ALTER TABLE {table} UPDATE format = 'c' WHERE url = 'a'"
    assert owner.post(f"{mutation} SETTINGS mutations_sync = 1").status == 200
    assert owner.value(f"SELECT format FROM {table}") == "c"
