# ruff: noqa: S608 (statements of the tests themselves)
import gzip
import json
import zlib
from http.client import IncompleteRead

import lz4.frame
import pytest
import zstandard

from tests.integration.embedded.http_calls import Server

COMPRESS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}
DECOMPRESS = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "lz4": lz4.frame.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


def test_ping_needs_nobody(reader: Server) -> None:
    assert reader.get("/ping").body == b"Ok.\n"
    assert reader.get().body == b"Ok.\n"
    assert reader.get("/nowhere").status == 404


def test_a_query_comes_as_parameter_or_body_or_both(owner: Server) -> None:
    assert owner.get(query="SELECT 1").body == b"1\n"
    assert owner.post("SELECT 2").body == b"2\n"
    assert owner.post("3", query="SELECT").body == b"3\n"
    assert owner.post("SELECT 4;").body == b"4\n"


def test_an_empty_post_is_an_error(owner: Server) -> None:
    answer = owner.post("")
    assert (answer.status, answer.code) == (400, "62")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("TabSeparated", b"0\t1\n"),
        ("CSV", b"0,1\n"),
        ("CSVWithNames", b'"a","b"\n0,1\n'),
        ("JSONEachRow", b'{"a":0,"b":1}\n'),
        ("Values", b"(0,1)"),
    ],
)
def test_a_format_is_chosen_in_three_ways(owner: Server, asked: str, expected: bytes) -> None:
    sql = "SELECT 0 AS a, 1 AS b"
    answers = [
        owner.post(f"{sql} FORMAT {asked}"),
        owner.post(sql, default_format=asked),
        owner.post(sql, {"X-ClickHouse-Format": asked}),
    ]
    assert [answer.body for answer in answers] == [expected] * 3
    assert {answer.headers["X-ClickHouse-Format"] for answer in answers} == {asked}


@pytest.mark.parametrize("form", ["JSON", "Parquet", "CSVWithNames", "JSONColumns", "Arrow", "XML"])
def test_a_format_with_a_beginning_or_an_end_has_them_once(owner: Server, form: str) -> None:
    rows = 200_000  # several blocks
    answer = owner.post(f"SELECT number AS n FROM numbers({rows}) FORMAT {form}")
    assert answer.status == 200
    if form == "JSON":
        assert len(json.loads(answer.body)["data"]) == rows
    elif form == "CSVWithNames":
        assert answer.body.count(b'"n"') == 1
    elif form == "JSONColumns":
        assert len(json.loads(answer.body)["n"]) == rows
    elif form == "Parquet":
        assert answer.body.startswith(b"PAR1")
        assert answer.body.endswith(b"PAR1")


def test_parameters_are_the_engines(owner: Server) -> None:
    sql = "SELECT {a:UInt32} + 1, {b:String}, {c:Array(String)}"
    answer = owner.post(sql, param_a="41", param_b="it's\\ta \\\\ tab", param_c="['x','y']")
    assert answer.body == b"42\tit\\'s\\ta \\\\ tab\t['x','y']\n"


def test_settings_last_for_one_request(owner: Server) -> None:
    sql = "SELECT getSetting('max_block_size')"
    assert owner.value(sql, max_block_size="1234") == "1234"
    assert owner.value(sql) == "65409"


def test_an_unknown_setting_is_an_error(owner: Server) -> None:
    answer = owner.post("SELECT 1", no_such_setting="1")
    assert (answer.status, answer.code) == (404, "115")


def test_the_database_is_a_parameter_or_a_header(owner: Server) -> None:
    sql = "SELECT currentDatabase()"
    assert owner.value(sql) == "portquorum"
    assert owner.value(sql, database="system") == "system"
    assert owner.post(sql, {"X-ClickHouse-Database": "system"}).body == b"system\n"
    assert owner.post(sql, database="nope").code == "81"


def test_the_database_of_portquorum_is_atomic(owner: Server) -> None:
    sql = "SELECT engine FROM system.databases WHERE name = 'portquorum'"
    assert owner.value(sql) == "Atomic"


def test_a_session_is_tolerated(owner: Server) -> None:
    assert owner.value("SELECT 1", session_id="x", session_timeout="60", session_check="1") == "1"


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELEC 1", 400, "62"),
        ("SELECT * FROM nope", 404, "60"),
        ("SELECT nope", 404, "47"),
        ("SELECT throwIf(1)", 500, "395"),
        ("SELECT toUInt8('x')", 400, "6"),
        ("SELECT 1; SELECT 2", 400, "62"),
        ("SELECT 1 FORMAT Nope", 404, "73"),
        ("SELECT sum(number) FROM numbers(1e12) SETTINGS max_execution_time = 0.2", 408, "159"),
    ],
)
def test_an_error_has_clickhouses_code_and_status(
    owner: Server, sql: str, status: int, code: str
) -> None:
    answer = owner.post(sql)
    assert (answer.status, answer.code) == (status, code)
    assert answer.body.startswith(f"Code: {code}. DB::Exception: ".encode())
    assert b"(version 2" in answer.body


def test_a_query_is_named_and_counted(owner: Server) -> None:
    answer = owner.post("SELECT 1", query_id="mine")
    assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
    assert answer.headers["X-ClickHouse-Timezone"]
    assert answer.summary["result_rows"] == 1
    assert answer.summary["elapsed_ns"] > 0


def test_a_get_changes_nothing(owner: Server, database: str) -> None:
    answer = owner.get(query=f"CREATE TABLE {database}.t (a UInt8) ENGINE = Memory")
    assert answer.code == "164"


def test_who_asks_to_read_only_changes_nothing(owner: Server, database: str) -> None:
    owner.post(f"CREATE TABLE {database}.kept (a UInt8) ENGINE = MergeTree ORDER BY a")
    for sql in (
        f"DROP TABLE {database}.kept",
        f"INSERT INTO {database}.kept VALUES (1)",
        f"INSERT INTO {database}.kept SELECT 1",
    ):
        assert owner.post(sql, readonly="2").code == "164", sql
    assert owner.post(f"SELECT count() FROM {database}.kept", readonly="2").body == b"0\n"


def test_a_statement_without_result_has_no_format(owner: Server, database: str) -> None:
    answer = owner.post(f"CREATE TABLE {database}.t (a UInt8) ENGINE = Memory")
    assert (answer.status, answer.body) == (200, b"")
    assert "X-ClickHouse-Format" not in answer.headers


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_compressed_statement_is_understood(owner: Server, encoding: str) -> None:
    body = COMPRESS[encoding](b"SELECT 1")
    assert owner.post(body, {"Content-Encoding": encoding}).body == b"1\n"


@pytest.mark.parametrize("encoding", DECOMPRESS)
@pytest.mark.parametrize("rows", [1, 3_000_000])
def test_an_answer_is_compressed_when_asked(owner: Server, encoding: str, rows: int) -> None:
    sql = f"SELECT number FROM numbers({rows})"
    answer = owner.post(sql, {"Accept-Encoding": encoding}, enable_http_compression="1")
    assert answer.headers["Content-Encoding"] == encoding
    assert DECOMPRESS[encoding](answer.body).count(b"\n") == rows
    plain = owner.post("SELECT 1", {"Accept-Encoding": encoding})
    assert plain.body == b"1\n"


@pytest.mark.parametrize("encoding", ["br", "snappy"])
def test_an_unknown_encoding_is_an_error(owner: Server, encoding: str) -> None:
    answer = owner.post(b"SELECT 1", {"Content-Encoding": encoding})
    assert (answer.status, answer.code) == (501, "48")


def test_a_broken_encoding_is_an_error(owner: Server) -> None:
    assert owner.post(b"SELECT 1", {"Content-Encoding": "gzip"}).code == "354"


def test_clickhouses_own_compression_is_refused_in_words(owner: Server) -> None:
    answer = owner.post("SELECT 1", compress="1")
    assert (answer.status, answer.code) == (501, "48")


def test_a_long_statement_fits_into_the_url(owner: Server) -> None:
    text = "x" * 200_000
    assert owner.get(query=f"SELECT length('{text}')").body == b"200000\n"


def test_a_statement_of_several_megabytes_is_refused(owner: Server) -> None:
    answer = owner.post("SELECT '" + "x" * 3_000_000 + "'")
    assert (answer.status, answer.code) == (413, "229")


def test_an_error_half_way_breaks_the_answer_off(owner: Server) -> None:
    sql = "SELECT throwIf(number = 5000000), number FROM numbers(6000000)"
    with pytest.raises(IncompleteRead) as caught:
        owner.post(sql, max_threads="1")
    assert b"__exception__" in caught.value.partial
    assert b"Code: 395." in caught.value.partial
