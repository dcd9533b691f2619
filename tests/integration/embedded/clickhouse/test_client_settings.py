# ruff: noqa: S608 (statements of the tests themselves)
"""Settings that clients send with each request, by their sources, and what a reader may not set."""

import gzip

import pytest

from portquorum.embedded.clickhouse.blocks import BlockDecompressor
from tests.integration.embedded.clickhouse.http_calls import Server

# By client; where its source says so.
SENT = {
    # clickhouse-go v2: conn_http.go (applyHTTPNativeCompressionSettings), context.go.
    "clickhouse-go": {
        "client_protocol_version": "54460",
        "compress": "1",
        "network_compression_method": "ZSTD",
        "network_zstd_compression_level": "3",
        "max_execution_time": "65",
        "async_insert": "1",
        "wait_for_async_insert": "0",
        "send_profile_events": "0",
    },
    # grafana/clickhouse-datasource: pkg/plugin/driver.go (row limit, settings of one's own).
    "grafana": {"limit": "1000", "max_execution_time": "65", "max_rows_to_read": "1000000"},
    # metabase: modules/drivers/clickhouse/src/metabase/driver/clickhouse.clj.
    "metabase": {"select_sequential_consistency": "1", "session_timezone": "Europe/Berlin"},
    # dbt-clickhouse: dbt/adapters/clickhouse/dbclient.py (connection settings of each query).
    "dbt": {
        "session_id": "dbt::settings",
        "mutations_sync": "2",
        "insert_distributed_sync": "1",
        "insert_quorum": "auto",
        "database_replicated_enforce_synchronous_settings": "1",
        "allow_experimental_lightweight_delete": "1",
        "allow_nondeterministic_mutations": "1",
    },
    # clickhouse-connect (and so Superset): driver/httpclient.py.
    "clickhouse-connect": {
        "client_protocol_version": "54405",
        "send_progress_in_http_headers": "1",
        "http_headers_progress_interval_ms": "120000",
        "cancel_http_readonly_queries_on_client_close": "1",
        "wait_end_of_query": "1",
        "date_time_input_format": "best_effort",
    },
    # @clickhouse/client: client-common, src/utils/url.ts, and its documentation's examples.
    "@clickhouse/client": {
        "enable_http_compression": "1",
        "date_time_output_format": "iso",
        "output_format_json_quote_64bit_integers": "0",
        "wait_for_async_insert": "1",
    },
    # graphite-clickhouse: its README's URL.
    "graphite-clickhouse": {
        "max_rows_to_read": "500000000",
        "max_result_bytes": "1073741824",
        "readonly": "2",
        "log_queries": "1",
    },
    "written by hand": {"final": "1", "priority": "1", "load_balancing": "random"},
}
REFUSED = [
    *("max_memory_usage_for_user", "max_concurrent_queries_for_user", "allow_ddl", "profile"),
    *("allow_introspection_functions", "max_partitions_to_read", "max_network_bandwidth"),
    *("allow_experimental_codecs", "max_final_threads", "enable_analyzer", "max_insert_threads"),
    *("allow_suspicious_types_in_group_by", "async_insert_x", "max_query_size", "insert_x"),
]
GUARDED = ["additional_table_filters", "dialect", "format_schema", "filter", "url_base"]


@pytest.mark.parametrize("client", SENT)
def test_what_clients_send_is_taken(owner: Server, reader: Server, client: str) -> None:
    for server in (owner, reader):
        answer = server.post("SELECT 1", **SENT[client])
        assert answer.status == 200, answer.body


def test_what_is_heeded(owner: Server, reader: Server, database: str) -> None:
    table = f"{database}.t"
    owner.value(f"CREATE TABLE {table} (k UInt8) ENGINE = ReplacingMergeTree ORDER BY k")
    owner.value(f"SYSTEM STOP MERGES {table}")
    for _ in range(2):
        owner.value(f"INSERT INTO {table} VALUES (1)")
    sql = f"SELECT count() FROM {table}"
    assert reader.value(sql) == "2"
    assert reader.value(sql, final="1") == "1"
    assert reader.post("SELECT sum(number) FROM numbers(1000)", max_rows_to_read="10").code == "158"
    assert reader.value("SELECT getSetting('max_execution_time')", max_execution_time="65") == "30"


def test_what_is_ignored_stays_as_it_is(reader: Server) -> None:
    names = ["priority", "async_insert", "mutations_sync", "network_compression_method"]
    sql = "SELECT " + ", ".join(f"getSetting('{name}')" for name in names)
    asked = dict(zip(names, ["7", "0", "2", "ZSTD"], strict=True))
    assert reader.value(sql, **asked) == reader.value(sql)


@pytest.mark.parametrize("name", REFUSED)
def test_others_are_refused_to_readers(reader: Server, name: str) -> None:
    assert reader.post("SELECT 1", **{name: "1"}).code == "164"


@pytest.mark.parametrize("name", GUARDED)
def test_what_the_guard_refuses_it_refuses(owner: Server, reader: Server, name: str) -> None:
    assert reader.post("SELECT 1", **{name: "x"}).code == "497"
    assert owner.post("SELECT 1", **{name: "x"}).code == "497"


def test_what_does_nothing_is_taken_from_the_url_alone(reader: Server) -> None:
    for name in ("async_insert", "priority"):
        assert reader.post(f"SELECT 1 SETTINGS {name} = 1").code == "164"


def test_errors_come_compressed_as_the_answer_would(reader: Server) -> None:
    decompressor = BlockDecompressor()
    answer = reader.post("SELECT * FROM nowhere", compress="1")
    assert (answer.status, answer.code) == (404, "60")
    text = b"".join(decompressor.decompress(answer.body))
    decompressor.finish()
    assert text.startswith(b"Code: 60. DB::Exception")
    assert text.endswith(b"\n")

    answer = reader.post(
        "SELECT * FROM nowhere", {"Accept-Encoding": "gzip"}, enable_http_compression="1"
    )
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body).startswith(b"Code: 60.")
    # Both, the block inside.
    answer = reader.post(
        "SELECT 1 +", {"Accept-Encoding": "gzip"}, enable_http_compression="1", compress="1"
    )
    inner = b"".join(BlockDecompressor().decompress(gzip.decompress(answer.body)))
    assert inner.startswith(b"Code: 62.")


def test_errors_before_the_user_is_known_are_plain(clickhouse: str) -> None:
    stranger = Server(clickhouse, owner=False)
    stranger.headers = {"X-ClickHouse-User": "nobody", "X-ClickHouse-Key": "x"}
    answer = stranger.post(
        "SELECT 1", {"Accept-Encoding": "gzip"}, compress="1", enable_http_compression="1"
    )
    assert (answer.status, answer.code) == (403, "516")
    assert answer.body.startswith(b"Code: 516.")
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT 1 AS a FORMAT JSONEachRow", '{"a":1}'),
        (
            "SELECT count() a FORMAT CSV SETTINGS format_csv_delimiter='|', max_threads=1",
            "1",
        ),
        ("SELECT getSetting('max_execution_time') SETTINGS max_execution_time = 5", "5"),
        (
            "SELECT getSetting('date_time_output_format') SETTINGS date_time_output_format = 'iso'",
            "iso",
        ),
        ("SELECT a FROM (SELECT getSetting('final') AS a SETTINGS final = 1)", "true"),
        ("DESCRIBE TABLE system.one SETTINGS describe_compact_output = 1", "dummy\tUInt8"),
    ],
)
def test_a_reader_may_set_in_a_statement_what_the_url_may(
    reader: Server, sql: str, said: str
) -> None:
    assert reader.value(sql) == said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_execution_time", "31"),
        ("max_threads", "1000"),
        ("max_result_rows", "0"),
        ("max_memory_usage", "0"),
        ("readonly", "0"),
        ("allow_ddl", "0"),
    ],
)
def test_a_reader_may_set_no_more_in_a_statement(reader: Server, name: str, value: str) -> None:
    asked = f"SELECT getSetting('{name}')"
    assert reader.post(f"{asked} SETTINGS final = 1, {name} = {value}").code == "164"
    # The engine leaves it out where it is of a part of the statement.
    inner = f"SELECT * FROM ({asked} SETTINGS {name} = {value})"
    assert reader.value(inner) == reader.value(asked)


def test_a_setting_that_names_a_file_is_refused_in_a_statement(reader: Server) -> None:
    for name in ("output_format_schema", "input_format_record_errors_file_path"):
        assert reader.post(f"SELECT 1 SETTINGS {name} = 'a'").code == "497"


def test_two_values_of_one_setting_are_refused(reader: Server) -> None:
    sql = "SELECT * FROM (SELECT 1 SETTINGS final = 1) SETTINGS final = 0"
    assert reader.post(sql).code == "164"


def test_describe_by_a_setting_of_the_url(reader: Server) -> None:
    answer = reader.post("DESCRIBE TABLE system.one", describe_compact_output="1")
    assert answer.body.decode() == "dummy\tUInt8\n"


@pytest.mark.parametrize("sql", ["SET final = 1", "USE portquorum"])
def test_what_is_for_a_session_says_where_else_to_write_it(reader: Server, sql: str) -> None:
    answer = reader.post(sql, session_id="of-a-reader")
    assert answer.code == "164"
    assert b"name settings and the `database` in the URL" in answer.body


def test_the_name_of_a_setting_is_a_word(reader: Server) -> None:
    name = "`output_format_json_array_of_rows = 1, readonly`"
    assert reader.post(f"SELECT 1 SETTINGS {name} = 0").code in {"62", "115"}
