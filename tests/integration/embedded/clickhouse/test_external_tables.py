# ruff: noqa: S608 (statements of the tests themselves)
"""External tables: files of a form that one statement reads."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.external import ExternalData

from portquorum.embedded.clickhouse.native_format import NATIVE
from tests.integration.embedded.clickhouse.http_calls import Answer, Server

HEADERS = {"Content-Type": "multipart/form-data; boundary=x"}


def post(server: Server, files: Mapping[str, bytes], sql: str, **parameters: str) -> Answer:
    body = b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="f"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in files.items()
    )
    return server.post(body + b"--x--\r\n", HEADERS, query=sql, **parameters)


@pytest.fixture(params=["owner", "reader"])
def server(request: pytest.FixtureRequest, clickhouse: str) -> Server:
    return Server(clickhouse, owner=request.param == "owner")


@pytest.mark.parametrize(
    ("form", "data"),
    [
        (None, b"1\tone\n2\ttwo\n"),
        ("CSV", b'1,"one"\n2,two\n'),
        ("CSVWithNames", b"b,a\none,1\ntwo,2\n"),
        ("JSONEachRow", b'{"a": 1, "b": "one"} {"a": 2, "b": "two"}'),
        ("RowBinary", b"\x01\x00\x03one\x02\x00\x03two"),
        (NATIVE, b"\x02\x02\x01a\x06UInt16\x01\x00\x02\x00\x01b\x06String\x03one\x03two"),
    ],
)
def test_a_statement_reads_a_file(server: Server, form: str | None, data: bytes) -> None:
    described = {"t_structure": "a UInt16, `b` LowCardinality(String)"}
    if form is not None:
        described["t_format"] = form
    answer = post(server, {"t": data}, "SELECT a, b, toTypeName(b) FROM t ORDER BY a", **described)
    assert answer.body == b"1\tone\tLowCardinality(String)\n2\ttwo\tLowCardinality(String)\n"


def test_columns_without_names_are_numbered(server: Server) -> None:
    types = "Array(Tuple(UInt8, Enum8('x' = 1))), Nullable(Decimal(9, 2))"
    answer = post(server, {"t": b"[(1,'x')]\t\\N\n"}, "SELECT _1, _2 FROM t", t_types=types)
    assert answer.body == b"[(1,'x')]\t\\N\n"


def test_tables_are_joined_and_gone_afterwards(
    owner: Server, server: Server, database: str
) -> None:
    owner.value(f"CREATE TABLE {database}.kept (id UInt8, s String) ENGINE = Memory")
    owner.value(f"INSERT INTO {database}.kept VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    sql = "SELECT s, v FROM kept JOIN one USING id WHERE id IN (SELECT _1 FROM two)"
    described = {"one_structure": "id UInt8, v String", "two_types": "UInt8"}
    described |= {"database": database, "session_id": database}
    files = {"one": b"1\tx\n2\ty\n", "two": b"2\n3\n"}
    assert post(server, files, sql, **described).body == b"b\ty\n"
    assert server.post("SELECT 1 FROM one", session_id=database, database=database).code == "60"
    # Again: nothing is in the way.
    assert post(server, files, sql, **described).body == b"b\ty\n"


def test_a_session_keeps_its_own_table(owner: Server, database: str) -> None:
    owner.value("CREATE TEMPORARY TABLE t (a UInt8)", session_id=database)
    owner.value("INSERT INTO t VALUES (7)", session_id=database)
    answer = post(owner, {"t": b"1\n"}, "SELECT * FROM t", t_types="UInt8", session_id=database)
    assert answer.code == "57"
    assert owner.value("SELECT a FROM t", session_id=database) == "7"


@pytest.mark.parametrize(
    "structure",
    [
        *("", "a", "a UInt8 DEFAULT 1", "a UInt8 ALIAS 1", "a String MATERIALIZED file('/x')"),
        *("a UInt8,", ", a UInt8", "a UInt8) ENGINE = File(TSV", "a UInt8) AS SELECT (1"),
        *("(a UInt8)", "a UInt8 /* */ EPHEMERAL", "a AggregateFunction(sum, UInt64)"),
        *("a Array(UInt8) CODEC(ZSTD)", "a Tuple(b UInt8 DEFAULT 1)", "a UInt8 -- \nDEFAULT 1"),
        *("a DEFAULT", "a Enum8('a", "a 1", "a UInt8; DROP TABLE x", "a Array(UInt8"),
        *("a UInt8, INDEX i a TYPE minmax", "`a` `UInt8`"),
    ],
)
def test_a_structure_has_names_and_types_alone(server: Server, structure: str) -> None:
    answer = post(server, {"t": b"1\n"}, "SELECT count() FROM t", t_structure=structure)
    assert answer.code in {"36", "62", "497"}, answer.body


@pytest.mark.parametrize("form", ["Values", "Parquet", "Template", "Protobuf", "Avro", "x' ('"])
def test_other_formats_are_refused(server: Server, form: str) -> None:
    answer = post(server, {"t": b"1\n"}, "SELECT 1 FROM t", t_types="UInt8", t_format=form)
    assert answer.code == "73"


def test_an_error_in_the_data_tells_no_path(server: Server) -> None:
    described = {"t_structure": "a String", "t_format": "CSV"}
    answer = post(server, {"t": b"1,2\n"}, "SELECT * FROM t", **described)
    said = answer.body.decode()
    assert said.startswith("Code: 117. DB::Exception: Expected end of line: (at row 1)"), said
    assert not [word for word in ("inserts", "in file", "from file") if word in said]
    assert said.count("Code: ") == said.count("(INCORRECT_DATA)") == said.count("(version ") == 1


@pytest.mark.parametrize("name", ["a.b", "a b", "a'", "system.one", "x" * 200])
def test_a_name_is_a_plain_word(server: Server, name: str) -> None:
    answer = post(server, {name: b"1\n"}, "SELECT 1", **{f"{name}_types": "UInt8"})
    assert answer.code == "36"


def test_there_are_up_to_eight(server: Server) -> None:
    def of(number: int) -> Answer:
        files = {f"t{at}": b"1\n" for at in range(number)}
        described = {f"t{at}_types": "UInt8" for at in range(number)}
        return post(server, files, f"SELECT sum(_1) FROM t{number - 1}", **described)

    assert of(8).body == b"1\n"
    assert of(9).code == "36"


def test_large_ones_have_a_bound(server: Server) -> None:
    sql = "SELECT count(), sum(_1) FROM t"
    data = b"1\n" * (3 << 20)
    answer = post(server, {"t": data}, sql, t_types="UInt8")
    assert answer.body == f"{3 << 20}\t{3 << 20}\n".encode()
    assert post(server, {"t": data + data}, sql, t_types="UInt8").code == "229"
    # Small data, large types: memory is held, and nothing is left of it.
    assert post(server, {"t": data}, "SELECT 1", t_types="FixedString(256)").code == "241"
    assert post(server, {"t": b"1\n"}, sql, t_types="UInt8").body == b"1\t1\n"


def test_a_stranger_sends_no_large_one(clickhouse: str) -> None:
    stranger = Server(clickhouse, owner=False)
    stranger.headers = {"X-ClickHouse-User": "default", "X-ClickHouse-Key": "wrong"}
    answer = post(stranger, {"t": b"1\n" * (1 << 20)}, "SELECT 1", t_types="UInt8")
    assert answer.code == "516"


def test_many_large_ones_at_a_time_wait_for_each_other(reader: Server) -> None:
    def one(number: int) -> bytes:
        data = f"{number}\n".encode() * (1 << 20)
        return post(reader, {"t": data}, "SELECT count(), max(_1) FROM t", t_types="UInt8").body

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(one, range(10))) == [f"{1 << 20}\t{n}\n".encode() for n in range(10)]


def test_a_reader_writes_nothing_through_them(reader: Server, database: str) -> None:
    sql = f"INSERT INTO {database}.x SELECT * FROM t"
    assert post(reader, {"t": b"1\n"}, sql, t_types="UInt8").code == "164"
    settings = {"t_types": "UInt8", "max_memory_usage": str(1 << 40), "max_execution_time": "0"}
    names = (
        "getSetting('max_memory_usage'), getSetting('max_execution_time'), getSetting('readonly')"
    )
    answer = post(reader, {"t": b"1\n"}, f"SELECT {names} FROM t", **settings)
    assert answer.body == f"{1 << 30}\t30\t1\n".encode()


def test_clickhouse_connect_sends_them(server: Server) -> None:
    host, port = server.base.removeprefix("http://").split(":")
    user = server.headers.get("X-ClickHouse-User", "default")
    password = server.headers.get("X-ClickHouse-Key", "")
    data = ExternalData(
        file_name="names.csv",
        data=b"1,one\n2,two\n",
        fmt="CSV",
        structure=["id UInt8", "name String"],
    )
    with clickhouse_connect.get_client(
        host=host, port=int(port), username=user, password=password
    ) as client:
        sql = "SELECT name FROM names WHERE id = {n:UInt8}"
        found = client.query(sql, parameters={"n": 2}, external_data=data)
        assert found.result_rows == [("two",)]


def test_a_field_is_no_file(server: Server) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n'
    body = head + b"SELECT 1 FORMAT JSONEachRow\r\n--x--\r\n"
    assert json.loads(server.post(body, HEADERS).body) == {"1": 1}


@pytest.mark.parametrize("form", ["TabSeparated", "CSV", "JSONEachRow", "RowBinary", "Native"])
def test_an_error_in_the_data_does_not_say_where_it_lay(
    server: Server, clickhouse_folder: Path, form: str
) -> None:
    answer = post(
        server, {"t": b"\xff\xfe\xff\xff no"}, "SELECT 1", t_structure="a JSON", t_format=form
    )
    assert answer.status >= 400
    assert str(clickhouse_folder.parent).encode() not in answer.body, answer.body
