# ruff: noqa: S608 (names of the engine's own tables)
"""The tables of `system` as a reader's tools read them, and what no reader may see in them."""

import json
import re
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.embedded.clickhouse.http_calls import Server
from tests.integration.embedded.processes import wait_until

# Rows without end.
_ENDLESS = {"numbers", "numbers_mt", "primes", "zeros", "zeros_mt"}


@contextmanager
def running(server: Server, query_id: str, mark: str = "x") -> Iterator[None]:
    """A statement that runs until the end of the block, and is killed then."""
    sql = f"SELECT count() FROM numbers(1e12) WHERE sipHash64(number, '{mark}') = 1"
    thread = threading.Thread(target=server.post, args=(sql,), kwargs={"query_id": query_id})
    thread.start()
    seen = f"SELECT count() FROM system.processes WHERE query_id = '{query_id}'"
    try:
        wait_until(lambda: server.value(seen) == "1", 20, "it runs")
        yield
    finally:
        server.post(f"KILL QUERY WHERE query_id = '{query_id}' SYNC")
        thread.join(20)
    assert not thread.is_alive()


def _shown(reader: Server) -> list[str]:
    names = reader.value("SHOW TABLES FROM system").splitlines()
    assert len(names) > 60
    return names


def test_a_star_shows_readers_every_column_and_no_secret(
    clickhouse_folder: Path, owner: Server, reader: Server, database: str
) -> None:
    owner.value(f"CREATE TABLE {database}.t (a UInt8, b UInt8) ENGINE = MergeTree ORDER BY a")
    owner.value(f"INSERT INTO {database}.t VALUES (1, 1)")
    owner.value(f"ALTER TABLE {database}.t UPDATE b = 2 WHERE 'a-secret-7c1e' != '' AND a > 1")
    owner.value(f"ALTER TABLE {database}.t DETACH PARTITION tuple()")
    owner.value(f"INSERT INTO {database}.t VALUES (1, 1)")
    secrets = [
        str(clickhouse_folder).encode(),
        b"a-secret-7c1e",
        json.dumps(socket.gethostname()).encode(),
    ]
    for value in ("path FROM system.disks", "command FROM system.mutations"):
        # What is looked for is there.
        assert any(one in owner.post(f"SELECT {value}").body for one in secrets), value
    with running(owner, uuid.uuid4().hex, "a-secret-7c1e"):
        for name in _shown(reader):
            if name in _ENDLESS:
                continue
            answer = reader.post(f"SELECT * FROM system.{name} FORMAT JSONCompactEachRow")
            assert answer.status == 200, (name, answer.body)
            text = answer.body.replace(b"\\/", b"/")
            assert [one for one in secrets if one in text] == [], name


def test_readers_and_the_owner_see_the_same_columns(owner: Server, reader: Server) -> None:
    for name in _shown(reader):
        sql = f"DESCRIBE TABLE system.{name} FORMAT JSONCompactEachRow"
        mine, theirs = (
            [json.loads(line)[:4] for line in one.value(sql).splitlines()]
            for one in (reader, owner)
        )
        assert mine == theirs, name
        aliases = [column for column, _, kind, _ in mine if kind == "ALIAS"]
        columns = ", ".join(f"`{one}`" for one in aliases) or "1"
        assert reader.post(f"SELECT {columns} FROM system.{name} LIMIT 1").status == 200, name


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT tables.name, system.tables.name FROM system.tables WHERE tables.name = '{t}'",
        (
            "SELECT t.name, c.name FROM system.tables AS t JOIN system.columns AS c "
            "ON c.table = t.name AND c.database = t.database WHERE t.name = '{t}'"
        ),
        "SELECT * FROM (SELECT * FROM `system`.`tables`) WHERE name = '{t}'",
        "WITH x AS (SELECT * FROM \"system\".tables) SELECT * FROM x WHERE name = '{t}'",
        "SELECT '{t}' WHERE (SELECT count() FROM system.tables WHERE name = '{t}') = 1",
        "SELECT name FROM system.tables WHERE name IN (SELECT '{t}') UNION ALL SELECT 'x' WHERE 0",
        # DBeaver's (ext.clickhouse, ClickhouseMetaModel).
        (
            "SELECT name as TABLE_NAME, engine as TABLE_TYPE, database as TABLE_SCHEM,comment as "
            "REMARKS, * FROM system.tables\nWHERE database = '{d}'"
        ),
        (
            "select '{t}', sum(bytes) as table_size, sum(rows) as table_rows, "
            "max(modification_time) as latest_modification,min(min_date) AS min_date,"
            "max(max_date) AS max_date,any(engine) as engine "
            "FROM system.parts WHERE database='{d}' AND table='{t}' GROUP BY table"
        ),
        "SELECT table, part_name, bytes FROM system.parts WHERE database = '{d}'",
        "SELECT * FROM system.parts_columns WHERE database = '{d}'",
        "SELECT * FROM information_schema.tables WHERE table_schema = '{d}'",
        "SELECT * FROM INFORMATION_SCHEMA.columns WHERE table_schema = '{d}'",
        "SHOW FULL TABLES FROM {d}",
    ],
)
def test_tools_read_them_in_any_way(owner: Server, reader: Server, database: str, sql: str) -> None:
    table = f"t_{database}"
    owner.value(f"CREATE TABLE {database}.{table} (a UInt8) ENGINE = MergeTree ORDER BY a")
    owner.value(f"INSERT INTO {database}.{table} VALUES (1)")
    for server in (reader, owner):
        answer = server.post(sql.format(d=database, t=table))
        assert answer.status == 200, answer.body
        assert table.encode() in answer.body


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM system.server_settings", "497"),
        ("SELECT * FROM system.errors", "497"),
        ("SELECT * FROM system.stack_trace", "497"),
        ("SELECT * FROM system.schema_inference_cache", "497"),
        ("SELECT * FROM system.session_query_ids", "497"),
        ("SELECT * FROM system.query_cache", "497"),
        ("SELECT * FROM system.processes_of_clients", "60"),
        # As of a server that keeps no such log.
        ("SELECT * FROM system.query_log", "60"),
        ("SELECT * FROM system.asynchronous_metrics", "60"),
        ("SELECT * FROM merge('system', 'disks')", "497"),
        ("SELECT * FROM merge('system_of_readers|system', 'disks|processes_of_clients')", "497"),
        ("SELECT * FROM loop(system.disks)", "497"),
        ("SELECT * FROM {d:Identifier}.{t:Identifier}", "497"),
        ("SELECT * FROM view(SELECT * FROM system.errors)", "497"),
        ("SHOW CREATE TABLE system.server_settings", "497"),
        # These ask the engine's own tables, whose columns a condition could name.
        ("SHOW TABLES WHERE metadata_path LIKE '/%'", "497"),
        ("SHOW TABLES FROM portquorum WHERE toUInt8(data_paths[1]) = 1", "497"),
        ("SHOW DATABASES WHERE data_path != ''", "497"),
        ("EXPLAIN SHOW PROCESSLIST", "497"),
    ],
)
def test_the_rest_is_not_for_readers(
    clickhouse_folder: Path, reader: Server, sql: str, code: str
) -> None:
    answer = reader.post(sql, param_d="system", param_t="disks")
    assert answer.code in {code, "62"}, answer.body
    assert str(clickhouse_folder).encode() not in answer.body
    if code == "497" and sql.startswith("SELECT * FROM system."):
        inside = reader.post(sql.replace("system.", ""), database="system")
        assert inside.code == "60", inside.body


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT path FROM `system`."disks"',
        "SELECT t.* FROM system.tables AS t",
        "SELECT * EXCEPT name FROM system.databases",
        "SELECT COLUMNS('path') FROM system.tables",
        "SELECT COLUMNS('.*') APPLY toString FROM system.disks",
        "SELECT data_paths FROM system.tables",
        "SELECT untuple((SELECT tuple(*) FROM system.databases LIMIT 1))",
        "SELECT any(metadata_path) FROM system.tables",
        "SELECT path FROM system.parts",
        "SELECT path FROM system.detached_parts",
        "SELECT sum(toUInt64OrZero(path)) FROM system.disks",
        "SELECT toUInt64(path) FROM system.disks",
        "SELECT throwIf(path != '', path) FROM system.disks",
        "SELECT system.disks.path FROM system.disks",
        "SELECT disks.path FROM system.disks AS disks, system.one AS system",
        "WITH system AS (SELECT 1 AS path) SELECT * FROM system.disks",
        "WITH disks AS (SELECT 1) SELECT path FROM system.disks",
        "SELECT path FROM system/**/./**/disks",
        "SELECT path FROM view(SELECT * FROM system.disks)",
        "SELECT * FROM system.disks PREWHERE path != ''",
        "SELECT name FROM system.disks WHERE path LIKE '/%' FORMAT TSV",
        "SELECT name FROM system.disks ORDER BY path WITH FILL",
        "EXPLAIN SELECT path FROM system.disks WHERE path LIKE '/%'",
        "EXPLAIN PIPELINE SELECT * FROM system.parts",
        "DESCRIBE TABLE system.disks",
        "SHOW CREATE TABLE system.disks",
        "SHOW COLUMNS FROM disks FROM system",
        "SELECT * FROM system_of_readers.disks",
        "SELECT * FROM information_schema.tables",
        "SHOW PROCESSLIST",
    ],
)
def test_no_way_leads_to_a_path(clickhouse_folder: Path, reader: Server, sql: str) -> None:
    for options in ({}, {"database": "system"}, {"database": "system_of_readers"}):
        for text in (sql, sql.replace("system.", "") if options else sql):
            answer = reader.post(text, **options)
            assert str(clickhouse_folder).encode() not in answer.body, answer.body
            assert b"/clickhouse/data" not in answer.body, answer.body
    conditions = reader.post("SELECT count() FROM system.disks WHERE path != ''")
    assert conditions.body == b"0\n"


def test_readers_see_their_own_statements_by_their_own_names(owner: Server, reader: Server) -> None:
    mine, theirs = uuid.uuid4().hex, uuid.uuid4().hex
    sql = "SELECT query_id, initial_query_id, user, Settings['log_comment'] FROM system.processes"
    with running(reader, mine), running(owner, theirs):
        found = [line.split("\t") for line in reader.value(sql).splitlines()]
        assert [mine, mine, "default", mine] in found
        assert {line[2] for line in found} == {"default"}
        assert theirs not in reader.post("SHOW PROCESSLIST").body.decode()
        all_of_them = owner.value(sql).splitlines()
        assert f"{mine}\t{mine}\tdefault\t{mine}" in all_of_them
        assert f"{theirs}\t{theirs}\tportquorum\t{theirs}" in all_of_them
        assert mine in owner.post("SHOW PROCESSLIST").body.decode()
        text = f"SELECT query FROM system.processes WHERE query_id = '{mine}'"
        for server in (owner, reader):
            assert "OUTFILE" not in server.value(text)


def test_an_id_of_the_owner_can_not_look_like_a_readers(owner: Server, reader: Server) -> None:
    answer = owner.post("SELECT 1", query_id="default\nx")
    assert answer.code == "36"
    sql = "SELECT 1 SETTINGS log_comment = 'default\\nx'"
    assert owner.post(sql).code == "497"
    assert reader.post(sql).code == "497"


def test_the_views_are_not_listed(owner: Server, reader: Server) -> None:
    listed = ("SELECT name FROM system.databases", "SELECT database FROM system.tables")
    for sql in (*listed, "SHOW DATABASES", "SHOW DATABASES LIKE '%of_readers%'"):
        assert "system_of_readers" not in reader.value(sql)
    assert owner.value("SELECT count() FROM system.tables WHERE name = 'stack_trace'") == "1"
    assert reader.value("SELECT count() FROM system.tables WHERE name = 'stack_trace'") == "0"
    assert reader.value("SELECT count() > 60 FROM system.tables WHERE database = 'system'") == "1"


@pytest.mark.parametrize(
    "sql",
    [
        "SHOW DATABASES",
        "SHOW DATABASES LIKE 'sys%m'",
        "show databases not like 'sys%' limit 2",
        "SHOW DATABASES ILIKE 'INFO%'",
        "SHOW DATABASES NOT ILIKE 'S%' FORMAT JSONCompact",
        "SHOW DATABASES LIKE 'no''thing'",
        "SHOW DATABASES LIMIT 1",
    ],
)
def test_databases_are_shown_as_the_engine_does(owner: Server, reader: Server, sql: str) -> None:
    found = [server.post(sql, default_format="TSVWithNames").body for server in (owner, reader)]
    statistics = re.compile(rb'"statistics".*', re.DOTALL)
    expected, seen = (statistics.sub(b"", one) for one in found)
    assert seen == expected.replace(b"system_of_readers\n", b"")
    assert b"name" in seen
