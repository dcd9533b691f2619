# ruff: noqa: S608 (statements of the tests themselves)
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

ROWS = [[number, f"row {number}", number / 2] for number in range(1000)]
COLUMNS = ["a", "b", "c"]


def options(url: str, database: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port,
        "username": parts.username,
        "password": parts.password,
        "database": database,
    }


@pytest.fixture
def client(clickhouse: str, database: str) -> Iterator[Client]:
    client = clickhouse_connect.get_client(**options(clickhouse, database))
    client.command("CREATE TABLE t (a UInt64, b String, c Float64) ENGINE = MergeTree ORDER BY a")
    yield client
    client.close()


@pytest.mark.parametrize("compress", [False, True, "lz4", "zstd", "gzip"])
def test_rows_go_in_and_come_out(
    clickhouse: str, client: Client, database: str, compress: bool | str
) -> None:
    with clickhouse_connect.get_client(
        **options(clickhouse, database), compress=compress
    ) as compressing:
        summary = compressing.insert("t", ROWS, column_names=COLUMNS)
        assert summary.written_rows == len(ROWS)
        result = compressing.query("SELECT * FROM t ORDER BY a")
    assert [list(row) for row in result.result_rows] == ROWS
    assert result.column_names == ("a", "b", "c")
    assert client.command("SELECT count() FROM t") == len(ROWS)


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip"])
def test_many_blocks_go_in_and_come_out(
    clickhouse: str, client: Client, database: str, compress: str
) -> None:
    """lz4 and zstd make a frame of each block."""
    numbers = range(200_000)
    texts = [f"row {number}" for number in numbers]
    with clickhouse_connect.get_client(
        **options(clickhouse, database), compress=compress
    ) as compressing:
        context = compressing.create_insert_context(
            "t",
            COLUMNS,
            data=[list(numbers), texts, [0.5] * len(numbers)],
            column_oriented=True,
        )
        context.block_row_count = 30_000
        assert compressing.insert(context=context).written_rows == len(numbers)
        result = compressing.query("SELECT * FROM t ORDER BY a", column_oriented=True)
    assert list(result.result_set[1]) == texts
    assert client.command("SELECT sum(a), sum(c) FROM t") == [str(sum(numbers)), "100000"]


def test_a_session_keeps_what_a_client_sets(clickhouse: str, database: str) -> None:
    with clickhouse_connect.get_client(
        **options(clickhouse, database), session_id="clients"
    ) as client:
        client.command("CREATE TEMPORARY TABLE kept (x UInt8)")
        client.insert("kept", [[1], [2]], column_names=["x"], column_type_names=["UInt8"])
        client.command("SET max_block_size = 77")
        result = client.query("SELECT sum(x), getSetting('max_block_size') FROM kept")
        assert result.result_rows == [(3, 77)]


def test_many_rows_are_streamed(client: Client) -> None:
    with client.query_row_block_stream("SELECT number FROM numbers(3000000)") as blocks:
        assert sum(len(block) for block in blocks) == 3_000_000


def test_a_stream_that_is_left_lets_the_next_query_run(client: Client) -> None:
    with client.query_row_block_stream("SELECT number FROM numbers(1e8)") as blocks:
        next(iter(blocks))
    assert client.command("SELECT 1") == 1


def test_parameters_and_settings(client: Client) -> None:
    result = client.query(
        "SELECT {a:UInt8}, {b:String}, getSetting('max_block_size')",
        parameters={"a": 1, "b": "it's\n\\"},
        settings={"max_block_size": 99},
    )
    assert result.result_rows == [(1, "it's\n\\", 99)]


def test_an_empty_result_has_its_columns(client: Client) -> None:
    assert client.query("SELECT a FROM t LIMIT 0").column_names == ("a",)
    assert client.query("SELECT a FROM t").result_rows == []


def test_errors_are_the_clients_own(client: Client) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        client.query("SELECT * FROM nope")
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        client.insert("nope", [[1]], column_names=["a"], column_type_names=["UInt8"])
    sql = "SELECT throwIf(number = 9000000) FROM numbers(10000000)"
    with pytest.raises(DatabaseError, match="throwIf"):
        client.query(sql)
    with (
        pytest.raises(StreamFailureError, match="throwIf"),
        client.query_row_block_stream(sql, settings={"max_threads": 1}) as blocks,
    ):
        for _ in blocks:
            pass


def test_a_reader_connects_without_a_password(clickhouse: str, client: Client) -> None:
    client.insert("t", ROWS, column_names=COLUMNS)
    parts = urlsplit(clickhouse)
    with clickhouse_connect.get_client(host=parts.hostname, port=parts.port) as reader:
        assert reader.query(f"SELECT count() FROM {client.database}.t").result_rows == [(1000,)]
        with pytest.raises(DatabaseError, match="READONLY"):
            reader.insert(f"{client.database}.t", ROWS, column_names=COLUMNS)


async def test_the_asynchronous_client(clickhouse: str, client: Client, database: str) -> None:
    async with await clickhouse_connect.get_async_client(
        **options(clickhouse, database)
    ) as asynchronous:
        await asynchronous.insert("t", ROWS, column_names=COLUMNS)
        result = await asynchronous.query("SELECT sum(a) FROM t")
        assert result.result_rows == [(sum(row[0] for row in ROWS),)]
        async with await asynchronous.query_row_block_stream(
            "SELECT number FROM numbers(1000000)"
        ) as blocks:
            assert sum([len(block) async for block in blocks]) == 1_000_000
    assert client.command("SELECT count() FROM t") == 1000
