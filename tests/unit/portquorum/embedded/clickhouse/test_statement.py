import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.embedded.clickhouse.statement import (
    around_outfile,
    first_word,
    output_format,
    split_insert,
    split_settings,
    tokens,
)


@pytest.mark.parametrize(
    ("sql", "head", "data_format", "data"),
    [
        (b"INSERT INTO t (a) FORMAT Native\n\x00\x01", "INSERT INTO t (a)", "Native", b"\x00\x01"),
        (b"insert into t format CSV \r\n1\n", "insert into t", "CSV", b"1\n"),
        (b"INSERT INTO t VALUES (1)", "INSERT INTO t", "Values", b" (1)"),
        (b"INSERT INTO t FORMAT Values (1)", "INSERT INTO t", "Values", b" (1)"),
        (
            b"INSERT INTO t (`format`, `it``s`) SETTINGS a = 'FORMAT X' FORMAT JSONEachRow {}",
            "INSERT INTO t (`format`, `it``s`) SETTINGS a = 'FORMAT X'",
            "JSONEachRow",
            b"{}",
        ),
        (b"/* FORMAT A */ INSERT INTO t -- VALUES\nFORMAT TSV\nx", None, "TSV", b"x"),
    ],
)
def test_data_begins_where_the_engine_begins_it(
    sql: bytes, head: str | None, data_format: str, data: bytes
) -> None:
    insert = split_insert(sql)
    assert insert is not None
    assert insert.format == data_format
    assert sql[insert.data_at :] == data
    if head is not None:
        assert insert.head == head


@pytest.mark.parametrize(
    "sql",
    [
        b"INSERT INTO t SELECT 1",
        b"INSERT INTO t (a) WITH 1 AS x SELECT x FORMAT CSV",
        b"INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        b"INSERT INTO t FORMAT",
        b"INSERT INTO t (a",
    ],
)
def test_an_insert_without_inline_data_is_a_plain_statement(sql: bytes) -> None:
    assert split_insert(sql) is None


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 'FORMAT CSV' -- FORMAT TSV", None),
        (b"SELECT * FROM (SELECT 1 FORMAT x) FORMAT Native SETTINGS a = 1;", "Native"),
        (b"SELECT format('{}', 1)", None),
        (b"SELECT $h$ FORMAT CSV $h$ FORMAT\n  TSV", "TSV"),
        (b"SELECT 1 FORMAT `Values`", "Values"),
        (b"SELECT name, format FROM t", None),
        (b"SELECT a AS format FORMAT JSON", "JSON"),
        (b"SELECT 1 AS format SETTINGS a = 1", None),
        (b"SELECT 1 FROM t ORDER BY format DESC", None),
        (b"SELECT format -- CSV\nFROM t FORMAT CSV -- x", "CSV"),
    ],
)
def test_the_output_format_is_the_one_outside_of_everything(
    sql: bytes, expected: str | None
) -> None:
    assert output_format(sql) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [(b"((select 1))", "SELECT"), (b"-- no\n /*x*/ Show tables", "SHOW"), (b"'x'", ""), (b"", "")],
)
def test_the_first_word_says_what_a_statement_does(sql: bytes, expected: str) -> None:
    assert first_word(sql) == expected


@given(st.binary(max_size=200))
def test_any_bytes_have_tokens_in_order(sql: bytes) -> None:
    ends = [token.end for token in tokens(sql)]
    assert ends == sorted(set(ends))
    assert all(0 < end <= len(sql) for end in ends)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("INSERT INTO t (a)", ("INSERT INTO t (a)", "")),
        ("INSERT INTO t SETTINGS a = 1, b = 'x'", ("INSERT INTO t", "SETTINGS a = 1, b = 'x'")),
        ("INSERT INTO t (settings) settings a=1", ("INSERT INTO t (settings)", "settings a=1")),
        ("INSERT INTO `settings`", ("INSERT INTO `settings`", "")),
    ],
)
def test_the_settings_of_an_insert_are_told_from_its_head(
    head: str, expected: tuple[str, str]
) -> None:
    assert split_settings(head) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", ("SELECT 1", "FORMAT CSV")),
        ("SELECT 1 FORMAT JSON", ("SELECT 1", "FORMAT JSON")),
        (
            "SELECT 'é' AS format SETTINGS a = 1 FORMAT `Values` SETTINGS b = 2",
            ("SELECT 'é' AS format SETTINGS a = 1", "FORMAT `Values` SETTINGS b = 2"),
        ),
    ],
)
def test_the_answer_goes_into_a_file_before_its_format(sql: str, expected: tuple[str, str]) -> None:
    assert around_outfile(sql, "CSV") == expected


@pytest.mark.parametrize(
    "opening", ["'", '"', "`", "/*", "$a$", "'\\", "('\\", "$a$$b$", "$a$$bb$"]
)
def test_what_is_not_closed_takes_the_rest_in_one_go(opening: str) -> None:
    """A megabyte of openings: each was once looked for to the end again, which took hours."""
    sql = b"INSERT INTO t (" + opening.encode() * (1_000_000 // len(opening)) + b"'\"`"
    found = list(tokens(sql))
    assert len(found) < 600_000
    assert split_insert(sql) is None
