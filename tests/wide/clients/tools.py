"""Queries that tools send by themselves when a person connects, as their sources have them.

`{db}` and `{table}` stand for a database and a table.
"""

from typing import Final

from msgspec import Struct

GRAFANA: Final = "grafana"
JDBC: Final = "jdbc"
SQLALCHEMY: Final = "sqlalchemy"


class Sent(Struct, frozen=True):
    """A query of a tool, and the client that it goes through.

    `paths` says that it asks for paths of files, which a reader of the embedded server isn't told.
    """

    name: str
    by: str
    sql: str
    paths: bool = False


# https://github.com/grafana/clickhouse-datasource 4.20: src/data/CHDatasource.ts, pkg/macros
# (expanded) and src/dashboards.
_GRAFANA: Final = (
    ("databases", "SHOW DATABASES"),
    ("tables", 'SHOW TABLES FROM "{db}"'),
    ("columns", 'DESC TABLE "{db}"."{table}"'),
    ("schema", "SELECT name, type, table FROM system.columns"),
    (
        "keys of ad hoc filters",
        (
            "SELECT name, type, table FROM system.columns WHERE database IN ('{db}') AND table ="
            " '{table}'"
        ),
    ),
    (
        "functions",
        (
            "SELECT name, is_aggregate, case_insensitive, alias_to, origin, description, syntax,"
            " arguments, returned_value, examples, categories FROM system.functions LIMIT 10000"
        ),
    ),
    (
        "map keys",
        (
            'SELECT DISTINCT arrayJoin(mapKeys("reasons")) as keys FROM'
            ' (SELECT "reasons" FROM "{db}"."incidents" LIMIT 1000) LIMIT 1000'
        ),
    ),
    (
        "values of a column",
        'SELECT DISTINCT "status" FROM "{db}"."results" WHERE "status" IS NOT NULL LIMIT 1000',
    ),
    (
        "time series",
        (
            "SELECT toStartOfInterval(toDateTime(scheduled_at), INTERVAL 60 second) AS time,"
            " count() AS checks FROM {db}.results WHERE scheduled_at >= toDateTime(1700000000)"
            " AND scheduled_at <= toDateTime(4000000000) GROUP BY time ORDER BY time ASC LIMIT 1000"
        ),
    ),
    (
        "time series in ms",
        (
            "SELECT toStartOfInterval(toDateTime64(scheduled_at, 3), INTERVAL 500 millisecond)"
            " AS time,"
            " count() FROM {db}.results WHERE scheduled_at >="
            " fromUnixTimestamp64Milli(1700000000000)"
            " AND scheduled_at <= fromUnixTimestamp64Milli(4000000000000) GROUP BY time"
        ),
    ),
    ("uptime", "SELECT uptime() as uptime"),
    (
        "dashboard: rows",
        (
            "SELECT concatAssumeInjective(table.database, '.', name) as name,"
            " table_stats.total_rows as total_rows FROM system.tables table LEFT JOIN"
            " ( SELECT table, database, sum(rows) as total_rows FROM system.parts"
            " WHERE table IN ('{table}') AND active AND database IN ('{db}') GROUP BY table,"
            " database )"
            " AS table_stats ON table.name = table_stats.table"
            " AND table.database = table_stats.database ORDER BY total_rows DESC LIMIT 10"
        ),
    ),
    (
        "dashboard: engines",
        (
            'SELECT engine, count() "Number of tables" FROM system.tables WHERE database IN'
            " ('{db}')"
            " AND notLike(engine,'System%') GROUP BY engine ORDER BY count() DESC"
        ),
    ),
    (
        "dashboard: dictionaries",
        (
            'SELECT source, type, status, count() "count" FROM system.dictionaries'
            " GROUP BY source, type, status ORDER BY status DESC, source"
        ),
    ),
    (
        "dashboard: detached parts",
        (
            "SELECT database, table, partition_id, name, disk, level FROM system.detached_parts"
            " WHERE database IN ('{db}') AND table IN ('{table}')"
        ),
    ),
    (
        "dashboard: merges",
        (
            "SELECT concatAssumeInjective(database, '.', table) as db_table, round(100 *"
            " progress, 1)"
            " \"progress\" FROM system.merges WHERE database IN ('{db}') ORDER BY progress"
            " DESC LIMIT 5"
        ),
    ),
    (
        "dashboard: mutations",
        (
            "SELECT concatAssumeInjective(database, '.', table) as db_table, mutation_id, command,"
            " create_time, parts_to_do_names, is_done FROM system.mutations WHERE database IN"
            " ('{db}')"
            " ORDER BY is_done ASC, create_time DESC LIMIT 10"
        ),
    ),
    (
        "dashboard: replicas",
        (
            "SELECT concatAssumeInjective(database, '.', table) as db_table, queue_size"
            " FROM system.replicas WHERE database IN ('{db}') ORDER BY absolute_delay DESC LIMIT 10"
        ),
    ),
    (
        "dashboard: clusters",
        (
            "SELECT cluster, shard_num, replica_num, host_name, host_address, port, is_local,"
            " errors_count, slowdowns_count FROM system.clusters"
        ),
    ),
)
_GRAFANA_PATHS: Final = (
    (
        "dashboard: disks",
        (
            "SELECT name as Name, path as Path, free_space as Free, total_space as Total,"
            " 1 - free_space/total_space as Used FROM system.disks"
        ),
    ),
)
# https://github.com/dbeaver/dbeaver plugins/org.jkiss.dbeaver.ext.clickhouse: ClickhouseDataSource,
# ClickhouseMetaModel, ClickhouseTable.
_DBEAVER: Final = (
    ("version", "SELECT VERSION()"),
    ("databases", "SHOW DATABASES"),
    ("engines", "SELECT name FROM system.table_engines"),
    (
        "tables",
        (
            "SELECT name as TABLE_NAME, engine as TABLE_TYPE, database as TABLE_SCHEM,comment"
            " as REMARKS,"
            " * FROM system.tables\nWHERE database = '{db}'"
        ),
    ),
    ("definition", "SHOW CREATE TABLE {db}.{table}"),
    (
        "statistics",
        (
            "select sum(bytes) as table_size, sum(rows) as table_rows, max(modification_time) as"
            " latest_modification,min(min_date) AS min_date,max(max_date) AS"
            " max_date,any(engine) as"
            " engine\nFROM system.parts\nWHERE database='{db}' AND table='{table}'\nGROUP BY table"
        ),
    ),
)
# https://github.com/apache/superset superset/db_engine_specs/clickhouse.py, by the dialect of
# clickhouse-connect: cc_sqlalchemy/dialect.py, inspector.py.
_SUPERSET: Final = (
    (
        "functions",
        "SELECT name FROM system.functions UNION ALL SELECT name FROM system.table_functions",
    ),
    ("database", "SELECT currentDatabase()"),
    ("databases", "SHOW DATABASES"),
    ("tables", "SHOW TABLES FROM `{db}`"),
    (
        "views",
        (
            "SELECT name FROM system.tables WHERE database = '{db}'"
            " AND engine IN ('View', 'WindowView') ORDER BY name"
        ),
    ),
    ("columns", "DESCRIBE TABLE `{db}`.`{table}`"),
    (
        "engine",
        (
            "SELECT engine, engine_full, comment FROM system.tables"
            " WHERE database = '{db}' AND name = '{table}'"
        ),
    ),
    ("preview", "SELECT * FROM `{db}`.`{table}` LIMIT 101"),
)

SENT: Final = (
    *(Sent(f"Grafana: {name}", GRAFANA, sql) for name, sql in _GRAFANA),
    *(Sent(f"Grafana: {name}", GRAFANA, sql, paths=True) for name, sql in _GRAFANA_PATHS),
    *(Sent(f"DBeaver: {name}", JDBC, sql) for name, sql in _DBEAVER),
    *(Sent(f"Superset: {name}", SQLALCHEMY, sql) for name, sql in _SUPERSET),
)
