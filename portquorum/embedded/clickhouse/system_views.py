# ruff: noqa: S608 (names of the engine's own tables)
"""The tables of `system` as readers see them: views with the same columns, and no secrets.

Tools read `SELECT * FROM system.tables`. A view for each table of the list has all of its columns
under their names and types; those that show a path, an address, a host or another user's text have
their type's default. A reader's statement names `system.tables`, and the name of the database is
replaced: so each way to write a query works, and nothing in it can bring a hidden column back.

What is shown is listed, not what is hidden: text and addresses of a later engine's new columns are
hidden until they are listed here.

Read by tools (their sources, 2026): DBeaver (`ext.clickhouse`: tables with a star, table_engines,
parts, processes), clickhouse-jdbc (`DatabaseMetaDataImpl`: tables, columns, databases,
data_type_families, functions), DataGrip (databases, tables, columns, dictionaries, functions,
data_skipping_indices, users, roles), Grafana (tables, columns, functions; its dashboards: disks,
parts, merges, mutations, replicas, clusters, detached_parts, dictionaries), Metabase (by JDBC, and
settings), clickhouse-connect and -sqlalchemy, ibis (databases, tables, columns, settings,
processes).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from portquorum.embedded.clickhouse import statement
from portquorum.embedded.clickhouse.engine import EngineProcess, quote, quote_name
from portquorum.embedded.clickhouse.query_names import CLIENT_ID, IS_READERS, USER

READER_SYSTEM: Final = "system_of_readers"
"""The database of the views; made anew at each start."""
OWNER_PROCESSES: Final = "processes_of_clients"
"""The table of `system` with the owner's view of `system.processes`."""

# Rows made of nothing: the engine's own tables, which are faster than a view of them.
_MADE: Final = frozenset({"one", "numbers", "numbers_mt", "primes", "zeros", "zeros_mt"})
# What there is in each engine of this version, and what is true of every server.
_WHOLE: Final = frozenset(
    {
        *("columns", "functions", "formats", "table_functions", "table_engines", "codecs"),
        *("database_engines", "settings", "merge_tree_settings", "replicated_merge_tree_settings"),
        *("time_zones", "data_type_families", "keywords", "collations", "contributors", "licenses"),
        *("aggregate_function_combinators", "build_options", "constraints", "projections"),
        *("data_skipping_indices", "data_skipping_index_types", "dictionary_layouts"),
        *("dictionary_sources", "disk_types", "metrics", "events", "histogram_metrics"),
        *("dimensional_metrics", "privileges", "dashboards", "documentation", "statements"),
        *("storage_policies", "tokenizers", "current_roles", "enabled_roles"),
    }
)
# Of these, columns of text that are shown; numbers and times are.
_TEXTS: Final[Mapping[str, str]] = {
    "clusters": "cluster shard_name name",
    "databases": "name engine engine_full comment database",
    "detached_parts": "database table partition_id name disk reason",
    "dictionaries": (
        "database name key.names key.types attribute.names attribute.types type comment"
    ),
    "disks": "name type object_storage_type metadata_type",
    "macros": "macro",
    "merges": (
        "database table source_part_names result_part_name partition_id partition merge_type "
        "merge_algorithm current_projection"
    ),
    "mutations": (
        "database table mutation_id block_numbers.partition_id parts_in_progress_names "
        "parts_to_do_names latest_failed_part latest_fail_error_code_name"
    ),
    "parts": (
        "partition name part_type part_storage_type partition_id database table engine disk_name "
        "hash_of_all_files hash_of_uncompressed_files uncompressed_hash_of_compressed_files "
        "move_ttl_info.expression default_compression_codec recompression_ttl_info.expression "
        "group_by_ttl_info.expression rows_where_ttl_info.expression projections removal_state"
    ),
    "parts_columns": (
        "partition name part_type partition_id database table engine disk_name column type "
        "default_kind default_expression statistics estimates.min estimates.max "
        "serialization_kind substreams subcolumns.names subcolumns.types "
        "subcolumns.serializations"
    ),
    "processes": (
        "user query_id initial_user initial_query_id query query_kind current_database "
        "ProfileEvents Settings"
    ),
    "replicas": "database table engine replica_name",
    "tables": (
        "database name engine dependencies_database dependencies_table create_table_query "
        "engine_full as_select parameterized_view_parameters partition_key sorting_key primary_key "
        "sampling_key unique_key skipping_indices_types storage_policy comment "
        "loading_dependencies_database loading_dependencies_table loading_dependent_database "
        "loading_dependent_table target_database target_table definer"
    ),
    "view_refreshes": "database view status last_refresh_replica",
}
# What the engine tells nobody, and a server tells administrators: without rows.
_EMPTY: Final = frozenset(
    {
        *("users", "roles", "grants", "role_grants", "settings_profiles"),
        *("settings_profile_elements", "quotas", "row_policies"),
    }
)
# Where the threads of the engine are in its memory.
_NEVER: Final = frozenset({"thread_id", "thread_ids", "last_error_trace"})
_OWN_QUERY: Final = (
    r"replaceRegexpAll(row.query, '( INTO OUTFILE \'/dev/fd/[0-9]+\' APPEND"
    r"|FROM INFILE \'[^\']*\' COMPRESSION \'none\' )', '')"
)


class _Column(NamedTuple):
    table: str
    name: str
    type: str
    default_kind: str
    default_expression: str
    comment: str


class SystemViews:
    """The views, and the names of `system` in statements."""

    def __init__(self, engine: EngineProcess) -> None:
        """Makes the views in place of those of an earlier start."""
        found: defaultdict[str, list[_Column]] = defaultdict(list)
        with engine.session({}) as session:
            columns = session.run(
                "SELECT table, name, type, default_kind, default_expression, comment "
                "FROM system.columns WHERE database = 'system' ORDER BY table, position",
                "JSONCompactEachRow",
            )
            for line in columns.data.splitlines():
                column = _Column(*msgspec.json.decode(line))
                found[column.table].append(column)
            self._known = frozenset(found)
            shown = _MADE | _WHOLE | _TEXTS.keys() | _EMPTY
            self._shown = shown & found.keys()
            session.run(f"DROP DATABASE IF EXISTS {READER_SYSTEM} SYNC")
            session.run(f"CREATE DATABASE {READER_SYSTEM} ENGINE = Memory")
            for table in sorted(self._shown):
                session.run(_reader_view(found[table], self._shown))
            session.run(f"DROP VIEW IF EXISTS system.{OWNER_PROCESSES}")
            session.run(_owner_processes(found["processes"]))

    def shows(self, table: str) -> bool:
        """Whether readers may name the table of `system`, in any case of letters."""
        return table.lower() in self._shown

    def knows(self, table: str) -> bool:
        """Whether the engine has the table in `system`."""
        return table.lower() in self._known

    def of_reader(self, canonical: str) -> str:
        """A reader's statement with the names of the views."""
        return _replaced(canonical, self._shown - _MADE, READER_SYSTEM, shows=True)

    @staticmethod
    def of_owner(canonical: str) -> str:
        """An owner's statement with the clients' names of running queries."""
        return _replaced(canonical, frozenset({"processes"}), "", shows=False)


def _replaced(canonical: str, tables: frozenset[str], database: str, *, shows: bool) -> str:
    """The text with other names for tables of `system`.

    Args:
        canonical: as the engine prints it.
        tables: whose database is replaced.
        database: the new one; empty renames `system.processes` to the owner's view.
        shows: `SHOW … FROM system` is of the new database, too.
    """
    text = canonical.encode()
    found = list(statement.tokens(text))
    words = [
        token.text.upper() if token.kind in {"word", "name", "sign"} else "" for token in found
    ]
    if words[:2] == ["SHOW", "PROCESSLIST"]:
        # As ClickHouse's InterpreterShowProcesslistQuery does it.
        head = b"SELECT * FROM system.processes ORDER BY elapsed DESC"
        rest = text[found[1].end :].decode()
        return _replaced(head.decode() + rest, tables, database, shows=shows)
    if shows and words[:2] == ["SHOW", "DATABASES"]:
        return _databases(text, found, words, database)
    parts: list[bytes] = []
    at = 0
    for number, token in enumerate(found):
        if words[number] != "SYSTEM" or token.kind == "sign":
            continue
        previous = words[number - 1] if number else ""
        follows, name = [*words[number + 1 : number + 3], "", ""][:2]
        start = token.end - len(token.text) - (2 if token.kind == "name" else 0)
        if text[start : token.end].strip(b'`"') != b"system":
            continue  # the engine knows no other way to write it
        if follows == "." and name.lower() in tables:
            if database:
                parts += [text[at:start], database.encode()]
                at = token.end
            else:
                end = found[number + 2].end
                parts += [text[at:start], f"system.{OWNER_PROCESSES}".encode()]
                at = end
        elif shows and words[0] == "SHOW" and follows != "." and previous in {"FROM", "IN"}:
            parts += [text[at:start], database.encode()]
            at = token.end
    return b"".join([*parts, text[at:]]).decode(errors="replace")


def _databases(text: bytes, found: list[statement.Token], words: list[str], database: str) -> str:
    """SHOW DATABASES without that of the views (ClickHouse's InterpreterShowTablesQuery)."""
    last = 1
    if any(word in {"LIKE", "ILIKE"} for word in words[2:4]):
        last = next(number for number, token in enumerate(found) if token.kind == "string")
    like = text[found[1].end : found[last].end].decode(errors="replace")
    rest = text[found[last].end :].decode(errors="replace")
    where = f" WHERE name{like}" if like else ""
    return f"SELECT name FROM {database}.databases{where} ORDER BY name{rest}"


def _reader_view(columns: list[_Column], shown: frozenset[str]) -> str:
    table = columns[0].table
    stored = [column for column in columns if column.default_kind != "ALIAS"]
    listed = _TEXTS.get(table)
    texts = None if listed is None else frozenset(listed.split())
    rows = "" if table not in _EMPTY else " WHERE 0"
    source = "system.one" if table in _EMPTY else f"system.{table}"
    values = dict(_values(stored, texts))
    if table == "users":
        values["name"], rows = "'default'", ""
    elif table == "processes":
        values |= _process_values()
        rows = f" WHERE {IS_READERS}"
    elif table in {"tables", "columns", "databases"}:
        rows = _visible_rows(table, shown)
    selected = ", ".join(f"{value} AS {quote_name(name)}" for name, value in values.items())
    # In a query of its own: a condition names the columns of the table, not what is shown of them.
    inner = f"SELECT * FROM {source} AS row{rows}"
    return f"{_head(READER_SYSTEM, table, columns)} AS SELECT {selected} FROM ({inner}) AS row"


def _owner_processes(columns: list[_Column]) -> str:
    stored = [column for column in columns if column.default_kind != "ALIAS"]
    values = {column.name: quote_name(column.name) for column in stored} | _process_values()
    selected = ", ".join(f"{value} AS {quote_name(name)}" for name, value in values.items())
    head = _head("system", OWNER_PROCESSES, columns)
    return f"{head} AS SELECT {selected} FROM system.processes AS row"


def _process_values() -> dict[str, str]:
    """What differs from the engine's own words: names, and what our side added to the text."""
    return {
        "user": USER,
        "initial_user": USER,
        "query_id": CLIENT_ID,
        "initial_query_id": CLIENT_ID,
        "query": _OWN_QUERY,
        "Settings": f"mapUpdate(row.Settings, map('log_comment', {CLIENT_ID}))",
    }


def _values(columns: list[_Column], texts: frozenset[str] | None) -> Iterator[tuple[str, str]]:
    """Each column's name and expression; `texts` are those that may be shown, None all."""
    empty = columns[0].table in _EMPTY
    for column in columns:
        is_text = "String" in column.type or "IPv" in column.type
        hidden = texts is not None and is_text and column.name not in texts
        if hidden or empty or column.name in _NEVER:
            yield column.name, f"defaultValueOfTypeName({quote(column.type)})"
        else:
            yield column.name, quote_name(column.name)


def _visible_rows(table: str, shown: frozenset[str]) -> str:
    """The condition that leaves out the views' database, and tables that are not for readers."""
    if table == "databases":
        return f" WHERE name != {quote(READER_SYSTEM)}"
    name = "name" if table == "tables" else "table"
    listed = ", ".join(quote(one) for one in sorted(shown))
    return (
        f" WHERE database != {quote(READER_SYSTEM)} "
        f"AND (database != 'system' OR {quote_name(name)} IN ({listed}))"
    )


def _head(database: str, table: str, columns: list[_Column]) -> str:
    """CREATE VIEW with the columns of the table, their aliases and comments."""
    parts = []
    for column in columns:
        alias = f" ALIAS {column.default_expression}" if column.default_kind == "ALIAS" else ""
        comment = f" COMMENT {quote(column.comment)}" if column.comment else ""
        parts.append(f"{quote_name(column.name)} {column.type}{alias}{comment}")
    return f"CREATE VIEW {database}.{quote_name(table)} ({', '.join(parts)})"
