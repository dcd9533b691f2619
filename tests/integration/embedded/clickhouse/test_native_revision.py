"""Native with `client_protocol_version`, byte by byte; test_go.py has a client that reads it."""

import threading
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.embedded.clickhouse.http_calls import Server
from tests.integration.embedded.processes import wait_until

PLAIN = b"\x02\x01\x01a\x05UInt8\x01\x01b\x06String\x01x"
INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
OLD = INFO + PLAIN
NEW = INFO + b"\x02\x01\x01a\x05UInt8\x00\x01\x01b\x06String\x00\x01x"
SQL = "SELECT 1 AS a, 'x' AS b"


@pytest.fixture(params=["owner", "reader"])
def server(request: pytest.FixtureRequest, clickhouse: str) -> Server:
    return Server(clickhouse, owner=request.param == "owner")


@pytest.mark.parametrize(
    ("revision", "body"),
    [
        *(("", PLAIN), ("0", PLAIN), ("54405", OLD), ("54453", OLD)),
        *(("54454", NEW), ("54460", NEW), ("54491", NEW)),
    ],
)
def test_a_block_has_what_its_revision_has(server: Server, revision: str, body: bytes) -> None:
    def asked(sql: str, **parameters: str) -> bytes:
        return server.post(sql, client_protocol_version=revision, **parameters).body

    assert asked(SQL, default_format="Native") == body
    assert asked(f"{SQL} FORMAT Native") == body
    assert asked(f"{SQL} FORMAT Native SETTINGS max_threads = 1", wait_end_of_query="1") == body
    # What is set for the answer is not for its description.
    assert asked(f"{SQL} FORMAT Native", limit="1", extremes="1", offset="0") == body
    assert asked("SELECT {n:UInt8} AS a, 'x' AS b FORMAT Native", param_n="1") == body
    assert asked(f"{SQL} WHERE 0 FORMAT Native") == b""


@pytest.mark.parametrize("revision", ["1", "54404", "54492", "999999999999", "-1", "x"])
def test_other_revisions_are_refused_for_native_alone(server: Server, revision: str) -> None:
    answer = server.post(f"{SQL} FORMAT Native", client_protocol_version=revision)
    assert (answer.status, answer.code) == (501, "48")
    assert server.post(SQL, client_protocol_version=revision).body == b"1\tx\n"


@pytest.mark.parametrize(
    ("sql", "head"),
    [
        ("DESCRIBE TABLE system.one", b"\x07\x01\x04name\x06String\x00\x05dummy"),
        ("SHOW DATABASES LIKE 'portquorum'", b"\x01\x01\x04name\x06String\x00\x0aportquorum"),
        ("EXISTS DATABASE portquorum", b"\x01\x01\x06result\x05UInt8\x00\x01"),
    ],
)
def test_what_is_no_select_has_it_too(server: Server, sql: str, head: bytes) -> None:
    for parameters in ({}, {"extremes": "1"}):
        answer = server.post(f"{sql} FORMAT Native", client_protocol_version="54460", **parameters)
        assert answer.body.startswith(INFO + head), answer.body


def test_text_of_a_comment_may_be_any(owner: Server, server: Server, database: str) -> None:
    owner.value(
        f"CREATE TABLE {database}.t (a UInt8 COMMENT 'tab\\t (it''s) \\\\ \\n') ENGINE = Log"
    )
    sql = f"SHOW CREATE TABLE {database}.t"
    plain = server.post(f"{sql} FORMAT Native").body
    framed = server.post(f"{sql} FORMAT Native", client_protocol_version="54460").body
    head = b"\x01\x01\x09statement\x06String"
    assert plain.startswith(head)
    assert framed == INFO + head + b"\x00" + plain.removeprefix(head)


def test_kill_tells_what_it_killed_once(owner: Server) -> None:
    sql = "KILL QUERY WHERE query_id = 'nobody has this' FORMAT Native"
    assert owner.post(sql, client_protocol_version="54460").status == 200


def test_many_blocks_are_streamed(server: Server) -> None:
    sql = "SELECT number, toString(number) FROM numbers(900000) FORMAT Native"
    plain = server.post(sql, max_block_size="10000", max_threads="1").body
    framed = server.post(
        sql, max_block_size="10000", max_threads="1", client_protocol_version="54460"
    ).body
    blocks = framed.count(INFO + b"\x02")
    assert blocks >= 90
    assert len(framed) == len(plain) + blocks * (len(INFO) + 2)


def test_an_error_half_way_is_told(server: Server) -> None:
    sql = "SELECT throwIf(number = 800000, 'on purpose') FROM numbers(900000)"
    answer = server.post(
        f"{sql} FORMAT Native", client_protocol_version="54460", wait_end_of_query="1"
    )
    assert (answer.status, answer.code) == (500, "395")
    assert b"on purpose" in answer.body


def test_an_unknown_table_is_named(server: Server) -> None:
    answer = server.post("SELECT * FROM nowhere FORMAT Native", client_protocol_version="54460")
    assert (answer.status, answer.code) == (404, "60")


_PLAIN_TYPES = st.sampled_from(
    [
        *("UInt8", "Int256", "Float64", "String", "FixedString(3)", "UUID", "IPv6", "Bool"),
        *("Date32", "DateTime64(3, 'Asia/Tokyo')", "Decimal(38, 5)"),
    ]
)
_NULLABLE = st.one_of(_PLAIN_TYPES, _PLAIN_TYPES.map("Nullable({})".format))
_TYPES = st.recursive(
    st.one_of(
        _NULLABLE,
        st.sampled_from(["LowCardinality(String)", "LowCardinality(Nullable(String))"]),
    ),
    lambda inner: st.one_of(
        inner.map("Array({})".format),
        inner.map("Map(String, {})".format),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda types: f"Tuple({', '.join(f'n{at} {one}' for at, one in enumerate(types))})"
        ),
    ),
    max_leaves=4,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(types=st.lists(_TYPES, min_size=1, max_size=6), rows=st.integers(0, 50))
def test_values_of_any_type_are_those_of_plain_native(
    reader: Server, types: list[str], rows: int
) -> None:
    """Before revision 54454 the same bytes, after a BlockInfo."""
    structure = ", ".join(f"c{at} {one}" for at, one in enumerate(types)).replace("'", "\\'")
    sql = f"SELECT * FROM generateRandom('{structure}', 1, 4, 3) LIMIT {rows} FORMAT Native"  # noqa: S608
    plain = reader.post(sql)
    assert plain.status == 200, plain.body
    framed = reader.post(sql, client_protocol_version="54405").body
    assert framed == (INFO + plain.body if rows else b"")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT tuple(1, tuple('x'))::Tuple(a UInt8, b Tuple(c String)) AS t",
        "SELECT if(number % 2 = 0, number::Dynamic, 'x'::Dynamic) AS d, NULL FROM numbers(20)",
        "SELECT 'x'::Variant(UInt8, String) AS v, [NULL] AS n, NULL AS m, [] AS e",
        """SELECT ('{"a": ' || toString(number) || ', "b": ["x"]}')::JSON AS j FROM numbers(9)""",
        "SELECT toLowCardinality(toString(number % 3)) AS l FROM numbers(100)",
        "SELECT 1 AS `a\nb\\`'\"`, 2 AS `é`, 3 AS ` `",
        "SELECT 1, 1, 'x', 'x'",
        "SELECT number % 2 AS k, count() FROM numbers(5) GROUP BY k WITH TOTALS ORDER BY k",
        "SELECT * FROM (SELECT 1 AS a, 2 AS b) AS x JOIN (SELECT 1 AS a, 3 AS b) AS y USING a",
        "WITH 1 AS x SELECT x UNION DISTINCT SELECT 1",
        "SELECT CAST(1, 'Enum8(''a b'' = 1)') AS e, sum(1)::SimpleAggregateFunction(sum, UInt64)",
        f"SELECT {', '.join(f'{at} AS c{at}' for at in range(3000))}",
    ],
)
def test_unusual_columns_are_those_of_plain_native(server: Server, sql: str) -> None:
    plain = server.post(f"{sql} FORMAT Native", max_threads="1")
    assert plain.status == 200, plain.body
    framed = server.post(f"{sql} FORMAT Native", max_threads="1", client_protocol_version="54405")
    assert framed.body == INFO + plain.body


def test_a_time_zone_stands_in_the_type(server: Server) -> None:
    """Before revision 54337, as without one, it does not (NativeWriter.cpp)."""
    sql = "SELECT toDateTime(0, 'Asia/Tokyo') AS t FORMAT Native"
    framed = server.post(sql, client_protocol_version="54405").body
    assert framed == INFO + b"\x01\x01\x01t\x16DateTime('Asia/Tokyo')\0\0\0\0"


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_result_rows": "1"},
        {"max_result_bytes": "20"},
        {"output_format_json_array_of_rows": "1"},
        {"max_result_rows": "1", "result_overflow_mode": "break", "max_block_size": "1"},
        {"final": "1"},
    ],
)
def test_limits_and_settings_of_a_result_are_not_for_its_description(
    server: Server, parameters: dict[str, str]
) -> None:
    answer = server.post(f"{SQL} FORMAT Native", client_protocol_version="54460", **parameters)
    assert answer.body == NEW


def test_types_in_the_binary_encoding_are_refused(server: Server) -> None:
    answer = server.post(
        f"{SQL} FORMAT Native",
        client_protocol_version="54460",
        output_format_binary_encode_types_in_binary_format="1",
    )
    assert answer.code == "48"


def test_a_session_that_describes_subcolumns_reads_as_others(owner: Server) -> None:
    session = {"session_id": uuid.uuid4().hex, "client_protocol_version": "54405"}
    owner.value("SET describe_include_subcolumns = 1", **session)
    sql = "SELECT tuple(1, 'x')::Tuple(a UInt8, b String) AS t FORMAT Native"
    assert owner.post(sql, **session).body == INFO + owner.post(sql).body


def test_a_long_list_is_longer_than_a_statement(reader: Server) -> None:
    framed = reader.post("SHOW FUNCTIONS FORMAT Native", client_protocol_version="54405")
    assert framed.body.startswith(INFO), framed.body[:300]
    assert len(framed.body) > 256 << 10


def test_a_kill_has_a_block_info_too(reader: Server) -> None:
    names = [uuid.uuid4().hex for _ in range(3)]
    # Together their texts are longer than a statement may be.
    slow = (
        f"SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1 AND '{'x' * 90000}' != ''"  # noqa: S608
    )
    threads = [
        threading.Thread(target=reader.post, args=(slow,), kwargs={"query_id": name})
        for name in names
    ]
    for thread in threads:
        thread.start()
    chosen = f"query_id IN ({', '.join(map(repr, names))})"
    listed = f"SELECT count() FROM system.processes WHERE {chosen}"  # noqa: S608
    wait_until(lambda: reader.value(listed) == "3", 20, "they run")
    answer = reader.post(
        f"KILL QUERY WHERE {chosen} FORMAT Native", client_protocol_version="54460"
    )
    for thread in threads:
        thread.join()
    head = b"\x04\x03\x0bkill_status\x06String\x00\x07waiting"
    assert answer.body.startswith(INFO + head), answer.body[:300]
