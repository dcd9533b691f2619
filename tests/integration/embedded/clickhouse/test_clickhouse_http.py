# ruff: noqa: S608 (statements of the tests themselves)
import gzip
import json
import zlib
from http.client import IncompleteRead
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from portquorum.embedded.clickhouse.blocks import BlockDecompressor
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from tests.integration.embedded.clickhouse.http_calls import Server

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


def test_values_have_commas_between_blocks_too(owner: Server) -> None:
    answer = owner.post("SELECT number FROM numbers(200000) FORMAT Values")
    assert answer.body.count(b"),(") == 199_999


def test_totals_and_extremes_come_with_the_rows(owner: Server) -> None:
    sql = "SELECT number % 2 AS k, count() FROM numbers(10) GROUP BY k WITH TOTALS ORDER BY k"
    assert owner.post(sql).body == b"0\t5\n1\t5\n\n0\t10\n"
    assert owner.post("SELECT number FROM numbers(3)", extremes="1").body == b"0\n1\n2\n\n0\n2\n"


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


def unblocked(data: bytes) -> bytes:
    decompressor = BlockDecompressor()
    body = b"".join(decompressor.decompress(data))
    decompressor.finish()
    return body


def test_clickhouses_own_blocks_go_both_ways(owner: Server, database: str) -> None:
    rows = 300_000
    sql = f"SELECT number FROM numbers({rows})"
    answer = owner.post(sql, compress="1")
    assert unblocked(answer.body) == owner.post(sql).body
    assert len(answer.body) < 1_500_000
    packed = owner.post(sql, {"Accept-Encoding": "gzip"}, compress="1", enable_http_compression="1")
    assert gzip.decompress(packed.body) == answer.body
    owner.value(f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    insert = f"INSERT INTO {database}.t FORMAT TSV"
    for headers, body in (
        ({}, answer.body),
        ({"Content-Encoding": "gzip"}, gzip.compress(answer.body)),
    ):
        assert owner.post(body, headers, query=insert, decompress="1").status == 200
    assert owner.value(f"SELECT count(), sum(a) FROM {database}.t") == (
        f"{2 * rows}\t{rows * (rows - 1)}"
    )
    broken = owner.post(answer.body[:-1], query=insert, decompress="1")
    assert broken.code == "271"
    assert owner.value(f"SELECT count() FROM {database}.t") == str(2 * rows)


def test_our_blocks_are_those_of_the_engine(tmp_path: Path) -> None:
    """What the engine itself wrote into a file of a table: blocks, as it sends and takes them."""
    with EmbeddedClickHouse(tmp_path, "127.0.0.1:0") as service:
        server = Server(service.url)
        server.value(
            "CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY tuple() "
            "SETTINGS min_bytes_for_wide_part = 0"
        )
        server.value("INSERT INTO t SELECT number FROM numbers(100000)")
    (column,) = (tmp_path / "clickhouse" / "data" / "store").glob("*/*/all_1_1_0/a.bin")
    assert unblocked(column.read_bytes()) == b"".join(
        n.to_bytes(4, "little") for n in range(100000)
    )


@pytest.mark.parametrize("form", ["JSON", "TSV"])
def test_an_answer_can_wait_for_its_end(owner: Server, form: str) -> None:
    sql = f"SELECT throwIf(number = 5000000), number FROM numbers(6000000) FORMAT {form}"
    answer = owner.post(sql, max_threads="1", wait_end_of_query="1")
    assert (answer.status, answer.code) == (500, "395")
    whole = owner.post("SELECT number FROM numbers(3000000) FORMAT TSV", wait_end_of_query="1")
    assert whole.body.count(b"\n") == 3_000_000
    assert whole.summary["result_rows"] == 3_000_000


def test_a_form_has_the_statement_and_its_parameters(owner: Server) -> None:
    def form(**fields: str) -> tuple[bytes, dict[str, str]]:
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
            for name, text in fields.items()
        ]
        return "".join([*parts, "--x--\r\n"]).encode(), {
            "Content-Type": "multipart/form-data; boundary=x"
        }

    text = "y" * 200_000
    body, headers = form(query="SELECT length({text:String}), {n:UInt8}", param_text=text)
    assert owner.post(body, headers, param_n="7").body == b"200000\t7\n"
    body, headers = form(query="SELECT 1", param_text="x" * 2_000_000)
    assert owner.post(body, headers).code == "229"
    file = body.replace(b'name="query"', b'name="data"; filename="data"')
    assert owner.post(file, headers, query="SELECT * FROM data").code == "229"


def test_a_long_statement_fits_into_the_url(owner: Server) -> None:
    text = "x" * 200_000
    assert owner.get(query=f"SELECT length('{text}')").body == b"200000\n"


def test_a_statement_of_several_megabytes_is_refused(owner: Server) -> None:
    answer = owner.post("SELECT '" + "x" * 3_000_000 + "'")
    assert (answer.status, answer.code) == (413, "229")


@pytest.mark.parametrize("form", ["TSV", "JSON"])
def test_an_error_half_way_breaks_the_answer_off(owner: Server, form: str) -> None:
    sql = f"SELECT throwIf(number = 5000000), number FROM numbers(6000000) FORMAT {form}"
    with pytest.raises(IncompleteRead) as caught:
        owner.post(sql, max_threads="1")
    assert b"__exception__" in caught.value.partial
    assert b"Code: 395." in caught.value.partial
