import pytest
from clickhouse_connect.datatypes.registry import get_from_name

from sinks.clickhouse import tables
from sinks.clickhouse.migrate import migrations
from sinks.clickhouse.tables import DEADLETTER, Rows, from_tuples


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
        for statement in migration.statements("some_db", 30, 730):
            repeatable = (
                "IF NOT EXISTS `some_db`.",
                "CREATE OR REPLACE VIEW `some_db`.",
                "ADD COLUMN IF NOT EXISTS ",
            )
            assert any(words in statement for words in repeatable)
            assert "{" not in statement
            assert not statement.endswith(";")
