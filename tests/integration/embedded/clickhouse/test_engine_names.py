# ruff: noqa: S608 (names of the engine itself)
"""Each name of this very engine that could lead outside, held against the guard.

A later version of the engine brings new ones: those fail here until somebody has looked at them.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest

from portquorum.embedded.clickhouse.sql_guard import _ENGINES, _SETTINGS, _TABLE_FUNCTIONS
from tests.integration.embedded.clickhouse.http_calls import Server

# Settings whose value is a text, and which the guard lets pass: names of codecs, of columns and
# tables of the database, of what stands in an answer. None is SQL, a path or an address.
_LOOKED_AT = frozenset(
    {
        *("auto_statistics_types", "bool_false_representation", "bool_true_representation"),
        *("cache_populated_by_fetch_filename_regexp", "chdb_client_name"),
        *("column_names_for_schema_inference", "columns_to_prewarm_mark_cache", "compatibility"),
        *("count_distinct_implementation", "database", "default_compression_codec"),
        *("default_format", "default_view_definer", "distributed_plan_force_exchange_kind"),
        *("errors_output_format", "exclude_materialize_skip_indexes_on_insert"),
        *("exclude_materialize_skip_indexes_on_merge", "force_data_skipping_indices"),
        *("force_optimize_projection_name", "format_csv_null_representation"),
        *("format_custom_field_delimiter", "format_custom_result_after_delimiter"),
        *("format_custom_result_before_delimiter", "format_custom_row_after_delimiter"),
        *("format_custom_row_before_delimiter", "format_custom_row_between_delimiter"),
        *("format_json_object_each_row_column_for_object_name", "format_regexp"),
        *("format_tsv_null_representation", "function_implementation"),
        *("iceberg_metadata_compression_method", "ignore_data_skipping_indices"),
        *("input_format_mysql_dump_table_name", "insert_deduplication_token"),
        *("local_filesystem_read_method", "marks_compression_codec", "merge_workload"),
        *("metrics_perf_events_list", "mutation_workload", "network_compression_method"),
        *("output_format_avro_codec", "output_format_avro_confluent_subject"),
        *("output_format_avro_string_column_pattern", "output_format_image_terminal_mode"),
        *("output_format_pretty_grid_charset", "output_format_sql_insert_table_name"),
        *("preferred_optimize_projection_name", "primary_key_compression_codec", "promql_database"),
        *("promql_table", "query_cache_tag", "remote_filesystem_read_method"),
        *("s3_upload_checksum_algorithm", "send_logs_source_regexp"),
        *("stream_like_engine_insert_queue", "temporary_files_codec", "trace_profile_events_list"),
        *("workload",),
    }
)


def _names(owner: Server, sql: str) -> list[str]:
    found = owner.value(f"SELECT name FROM {sql} FORMAT TSVRaw").splitlines()
    assert found
    return found


def test_no_other_table_function_is_anybodys(owner: Server, reader: Server) -> None:
    names = _names(owner, "system.table_functions")
    assert len(names) > 80
    for name in names:
        if name.upper() in _TABLE_FUNCTIONS or name == "input":
            continue
        for server in (owner, reader):
            for sql in (f"SELECT * FROM {name}('x', 'y')", f"DESCRIBE `{name}`('x')"):
                assert server.post(sql).code in {"497", "62"}, sql
        assert owner.post(f"INSERT INTO FUNCTION {name}('x') SELECT 1").code in {"497", "62"}, name


def test_no_other_table_engine_is_the_owners(owner: Server, database: str) -> None:
    for name in _names(owner, "system.table_engines"):
        if name.upper() not in _ENGINES and not name.endswith("MergeTree"):
            sql = f"CREATE TABLE {database}.t (a UInt8) ENGINE = {name}('x')"
            assert owner.post(sql).code == "497", name


def test_no_other_database_engine_is_the_owners(owner: Server) -> None:
    for name in _names(owner, "system.database_engines"):
        if name not in {"Atomic", "Memory", "Dictionary"}:
            assert owner.post(f"CREATE DATABASE other ENGINE = {name}('x')").code == "497", name


def test_no_other_source_of_a_dictionary_is_the_owners(owner: Server, database: str) -> None:
    head = f"CREATE DICTIONARY {database}.d (a UInt64) PRIMARY KEY a"
    for name in _names(owner, "system.dictionary_sources"):
        if name != "null":
            sql = f"{head} SOURCE({name}(path 'x')) LAYOUT(FLAT()) LIFETIME(0)"
            assert owner.post(sql).code == "497", name
    for name in _names(owner, "system.dictionary_layouts"):
        if "ssd" in name:
            sql = f"{head} SOURCE(NULL()) LAYOUT({name}(path 'x')) LIFETIME(0)"
            assert owner.post(sql).code == "497", name


@pytest.mark.parametrize("table", ["settings", "merge_tree_settings"])
def test_each_setting_that_is_a_text_was_looked_at(owner: Server, table: str) -> None:
    texts = "type IN ('String', 'Map', 'URI', 'Dialect')"
    names = _names(owner, f"system.{table} WHERE {texts}")
    assert [
        name for name in names if not _SETTINGS.fullmatch(name) and name not in _LOOKED_AT
    ] == []


def test_functions_that_take_a_path_read_nothing(owner: Server, reader: Server) -> None:
    """Each function of the engine, called with the name of a file that everybody could read."""
    names = _names(owner, "system.functions WHERE NOT is_aggregate AND name NOT LIKE 'sleep%'")
    assert len(names) > 1_000

    def call(name: str) -> list[str]:
        found = []
        for arguments in ("'/etc/passwd'", "'/etc/passwd', '/etc/passwd'"):
            answer = reader.post(f"SELECT `{name}`({arguments})")
            wall = b"Permission denied" in answer.body
            if b"root:" in answer.body or wall or answer.code in {"1001", "1002"}:
                found.append(f"{name}({arguments}): {answer.body[:200]!r}")
        return found

    with ThreadPoolExecutor(4) as pool:
        assert list(chain.from_iterable(pool.map(call, names))) == []
