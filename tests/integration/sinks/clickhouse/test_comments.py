"""What a person finds who knows nothing: SHOW TABLES, and the comments of what it shows."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from clickhouse_connect.driver.client import Client

from foundation.clickhouse import connect
from sinks.clickhouse.apply_views import views
from sinks.clickhouse.tables import ALL
from tests.integration.sinks.clickhouse import rig

UNITS = {
    r"_s\Z": r"\bin s\b",
    r"_ms\Z": r"\bin ms\b",
    r"_us\Z": r"\bin µs\b",
    r"_percent\Z": "percent|%|100 ×",
    r"_at\Z|\A(day|hour|month|since|at)\Z": r"\bUTC\b",
}
"""By the end of a column's name, what its comment says."""


@pytest.fixture(scope="module")
def client(clickhouse: str) -> Iterator[Client]:
    settings = rig.used_place(rig.NO_KAFKA, clickhouse, "comments", for_file=True)
    with closing(connect(settings)) as found:
        yield found


def test_show_tables_has_what_people_read_alone(client: Client) -> None:
    shown = {row[0] for row in client.query("SHOW TABLES").result_rows}
    theirs = {view.name for view in views() if view.place == "{database}"}
    assert shown == {table.name for table in ALL} | theirs | {"migrations"}


def test_every_table_view_and_column_says_what_it_is(client: Client) -> None:
    bare = client.query(
        "SELECT name FROM system.tables WHERE comment = '' "
        "AND database IN (currentDatabase(), currentDatabase() || '_internal')"
    ).result_rows
    assert bare == []
    bare = client.query(
        "SELECT table, name FROM system.columns "
        "WHERE database = currentDatabase() AND comment = '' ORDER BY table, position"
    ).result_rows
    assert bare == []


@pytest.mark.parametrize(("end", "unit"), UNITS.items())
def test_a_comment_says_the_unit_that_the_name_ends_with(
    client: Client, end: str, unit: str
) -> None:
    found = client.query(
        "SELECT table, name, comment FROM system.columns WHERE database = currentDatabase()"
    ).result_rows
    named = [row for row in found if re.search(end, row[1])]
    assert named
    assert [row for row in named if not re.search(unit, row[2])] == []
