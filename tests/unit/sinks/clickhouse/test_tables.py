import re
from importlib import resources

import pytest
from clickhouse_connect.datatypes.registry import get_from_name

from sinks.clickhouse import tables
from sinks.clickhouse.apply_views import statements, views
from sinks.clickhouse.migrate import migrations
from sinks.clickhouse.tables import DEADLETTER, Rows, from_tuples

PLACES = {
    "{database}": "`some_db`",
    "{internal}": "`some_db_internal`",
    "{results_ttl_days}": "30",
    "{rollups_ttl_days}": "730",
}

# Of newest_results a row that is there twice is replaced.
REPEATABLE = r"IF (NOT )?EXISTS|INSERT INTO `some_db_internal`.newest_results"


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
def test_the_client_knows_every_type(table: tables.Table) -> None:
    for _, kind in table.columns:
        assert get_from_name(kind).name == kind


def test_of_equal_ids_one_row_stays() -> None:
    width = len(DEADLETTER.columns) - 1
    rows = from_tuples(DEADLETTER, [(name, *[0] * width) for name in "abac"])
    assert rows.without({"c"}).columns[0] == ["a", "b"]
    assert len(Rows(DEADLETTER, [[] for _ in DEADLETTER.columns]).without(set())) == 0


def test_migrations_are_numbered_without_gaps_and_repeatable() -> None:
    found = migrations()
    assert [migration.version for migration in found] == list(range(1, len(found) + 1))
    for migration in found:
        for statement in statements(migration.sql, PLACES):
            assert re.search(REPEATABLE, statement)
            assert "{" not in statement
            assert not statement.endswith(";")


def test_no_view_that_feeds_a_table_is_altered() -> None:
    """Its blocks would have other ids until ClickHouse starts again (test_first_restart)."""
    comments = (resources.files("sinks.clickhouse") / "comments.sql").read_text(encoding="utf-8")
    texts = [comments, *(one.sql for one in migrations()), *(one.sql for one in views())]
    for text in texts:
        for statement in statements(text, PLACES):
            assert not re.match(r"ALTER TABLE \S+_mv\b", statement), statement


def test_each_view_comes_after_those_that_it_reads_and_may_be_made_again() -> None:
    made: set[str] = set()
    names = {view.name for view in views()}
    for view in views():
        assert view.reads() & names <= made
        made.add(view.name)
        for statement in statements(view.sql, PLACES):
            assert re.match(
                "CREATE OR REPLACE VIEW|DROP VIEW IF EXISTS|ALTER TABLE [^;]* COMMENT COLUMN"
                "|CREATE MATERIALIZED VIEW IF NOT EXISTS",
                statement,
            )
            assert "{" not in statement
    assert {"uptime_daily", "uptime_recent_mv", "watched"} <= made


def test_a_line_that_is_a_comment_ends_no_statement() -> None:
    assert statements("-- one;\nA {database}.b\n-- two;\nC;\n\nD;\n", PLACES) == [
        "A `some_db`.b\nC",
        "D",
    ]
