# ruff: noqa: S608, S106 (table names and tokens of the tests themselves)
import gzip
import threading
from collections.abc import Iterator

import pytest

from tests.integration.embedded.clickhouse.http_calls import Server
from tests.integration.embedded.processes import wait_until


@pytest.fixture
def table(owner: Server, database: str) -> str:
    name = f"{database}.t"
    owner.value(
        f"CREATE TABLE {name} (a UInt64, b String) ENGINE = MergeTree ORDER BY a "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    return name


def count(server: Server, table: str) -> int:
    return int(server.value(f"SELECT count() FROM {table}"))


@pytest.mark.parametrize(
    ("data_format", "data"),
    [
        ("TSV", "1\tx\n2\ty\n"),
        ("CSV", "1,x\n2,y\n"),
        ("JSONEachRow", '{"a":1,"b":"x"}\n{"a":2,"b":"y"}'),
        ("Values", "(1, 'x'), (2, 'FORMAT CSV')"),
        ("RowBinary", b"\1\0\0\0\0\0\0\0\1x\2\0\0\0\0\0\0\0\1y".decode()),
    ],
)
def test_data_comes_in_the_body(owner: Server, table: str, data_format: str, data: str) -> None:
    # The same rows again are no duplicates here.
    owner.value(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 0")
    head = f"INSERT INTO {table} (a, b) SETTINGS max_block_size = 9 FORMAT {data_format}"
    for answer in (
        owner.post(data, query=head),
        owner.post(f"{head}\n{data}"),
        owner.post(gzip.compress(f"{head}\n{data}".encode()), {"Content-Encoding": "gzip"}),
    ):
        assert answer.status == 200, answer.body
        assert answer.summary["written_rows"] == 2
    assert owner.value(f"SELECT count(), sum(a) FROM {table}") == "6\t9"


def test_an_insert_without_inline_data_runs(owner: Server, table: str) -> None:
    owner.value(f"INSERT INTO {table} SELECT number, 'x' FROM numbers(10)")
    owner.value(f"INSERT INTO {table} VALUES (1, 'x')")
    owner.value("(2, 'y')", query=f"INSERT INTO {table} VALUES")
    assert count(owner, table) == 12


def test_parameters_hold_for_inserts(owner: Server, table: str) -> None:
    database, _, name = table.partition(".")
    answer = owner.post(
        "1\tx\n",
        query="INSERT INTO {d:Identifier}.{t:Identifier} FORMAT TSV",
        param_d=database,
        param_t=name,
    )
    assert answer.status == 200, answer.body
    assert count(owner, table) == 1


@pytest.mark.parametrize("bad", ['{"a": 1}\n{"a": x}\n', '{"a": 1}\n{"a":'])
def test_of_bad_data_nothing_is_stored(owner: Server, table: str, bad: str) -> None:
    answer = owner.post(bad, query=f"INSERT INTO {table} (a) FORMAT JSONEachRow")
    assert answer.status in {400, 500}
    assert answer.code is not None
    assert count(owner, table) == 0


def test_an_insert_into_an_unknown_table_is_an_error(owner: Server) -> None:
    answer = owner.post("1\n" * 1_000_000, query="INSERT INTO nope FORMAT TSV")
    assert (answer.status, answer.code) == (404, "60")


@pytest.mark.parametrize("waits", ["0", "1"])
def test_async_insert_changes_nothing_what_is_confirmed_is_stored(
    owner: Server, table: str, waits: str
) -> None:
    asked = {"async_insert": "1", "wait_for_async_insert": waits}
    insert = f"INSERT INTO {table} FORMAT TSV"
    for statement in ("INSERT INTO {t} VALUES (1, 'x')", "INSERT INTO {t} SELECT 2, 'y'"):
        owner.value(statement.replace("{t}", table), **asked)
    assert count(owner, table) == 2
    for _ in range(2):
        owner.value("3\tz\n", query=insert, insert_deduplication_token=waits, **asked)
    assert count(owner, table) == 3
    # Nothing is told later, or to nobody.
    assert owner.post("x\n", query=insert, **asked).code == "27"
    assert owner.post("1\tx\n", query="INSERT INTO nope FORMAT TSV", **asked).code == "60"
    assert count(owner, table) == 3


@pytest.mark.parametrize("in_url", [True, False])
def test_an_insert_from_input_is_refused_in_words(owner: Server, table: str, in_url: bool) -> None:
    head = f"INSERT INTO {table} SELECT a + 1, 'x' FROM input('a UInt64') FORMAT TSV"
    # More than a statement may have: the data must not be taken for one.
    data = "1\n" * 1_000_000
    answer = owner.post(data, query=head) if in_url else owner.post(f"{head}\n{data}")
    assert (answer.status, answer.code) == (501, "48")
    assert b"temporary table" in answer.body
    assert count(owner, table) == 0


def test_a_big_body_of_many_parts_is_one_block(owner: Server, table: str) -> None:
    rows = 500_000
    body = b"".join(b"%d\t%064d\n" % (row, row) for row in range(rows))
    assert len(body) > 32 << 20
    owner.value(body.decode(), query=f"INSERT INTO {table} FORMAT TSV")
    assert owner.value(f"SELECT count(), sum(a), uniqExact(_part) FROM {table}") == (
        f"{rows}\t{rows * (rows - 1) // 2}\t1"
    )


def test_a_repeated_token_is_dropped(owner: Server, table: str) -> None:
    for token, expected in (("t:0:0-1", 2), ("t:0:0-1", 2), ("t:0:2-3", 4)):
        answer = owner.post(
            "1\tx\n2\ty\n",
            query=f"INSERT INTO {table} FORMAT TSV",
            insert_deduplication_token=token,
            async_insert="0",
            deduplicate_blocks_in_dependent_materialized_views="1",
        )
        assert answer.status == 200, answer.body
        assert count(owner, table) == expected


def test_a_repeated_token_counts_once_in_a_roll_up(
    owner: Server, table: str, database: str
) -> None:
    owner.value(
        f"CREATE MATERIALIZED VIEW {database}.v (n UInt64) ENGINE = SummingMergeTree ORDER BY () "
        "SETTINGS non_replicated_deduplication_window = 100 "
        f"AS SELECT count() AS n FROM {table}"
    )
    for _ in range(2):
        answer = owner.post(
            "1\tx\n2\ty\n",
            query=f"INSERT INTO {table} FORMAT TSV",
            insert_deduplication_token="t:0:0-1",
            deduplicate_blocks_in_dependent_materialized_views="1",
        )
        assert answer.status == 200, answer.body
    assert owner.value(f"SELECT sum(n) FROM {database}.v") == "2"


SLOW = "SELECT count() FROM numbers(1e13) WHERE sipHash64(number) = 0"
RUNNING = "SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE 'slow %'"


@pytest.fixture
def slow_selects(owner: Server) -> Iterator[list[str | None]]:
    """Six SELECTs that run until they are killed; the list fills with the codes of the ended."""
    codes: list[str | None] = []

    def select(number: int) -> None:
        codes.append(owner.post(SLOW, query_id=f"slow {number}", max_threads="1").code)

    threads = [threading.Thread(target=select, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    wait_until(lambda: owner.value(RUNNING) == "6", 30, "the slow statements")
    yield codes
    owner.value("KILL QUERY WHERE query_id LIKE 'slow %' SYNC")
    for thread in threads:
        thread.join()
    assert codes == ["394"] * 6


def test_inserts_and_queries_do_not_wait_for_slow_queries(
    owner: Server, reader: Server, table: str, slow_selects: list[str | None]
) -> None:
    for number in range(5):
        owner.value(f"{number}\tx\n", query=f"INSERT INTO {table} FORMAT TSV")
    assert count(reader, table) == 5
    assert owner.value(RUNNING) == "6"
    assert slow_selects == []
