"""Views are what their files say, whatever was there; views of others stay."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from clickhouse_connect.driver.client import Client

from foundation.clickhouse import connect, database, internal_database
from foundation.settings import Settings
from sinks.clickhouse.migrate import migrate
from tests.integration.sinks.clickhouse import rig


@pytest.fixture(scope="module")
def settings(clickhouse: str) -> Settings:
    found = rig.place("127.0.0.1:1", clickhouse, "applied")
    migrate(found)
    return found


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with closing(connect(settings)) as found:
        yield found


def shown(client: Client) -> set[str]:
    return {row[0] for row in client.query("SHOW TABLES").result_rows}


def record(client: Client, settings: Settings, name: str, text: str) -> None:
    """Writes that portquorum made a view from a text with this hash."""
    client.insert(
        "applied_views",
        [["{database}", name, text]],
        column_names=["place", "name", "hash"],
        database=internal_database(database(settings)),
    )


def test_one_that_was_dropped_is_back_and_one_of_others_stays(
    settings: Settings, client: Client
) -> None:
    before = shown(client)
    client.command("CREATE VIEW somebodys AS SELECT 1 AS one")
    client.command("DROP VIEW targets_current")
    migrate(settings)
    assert shown(client) == before | {"somebodys"}
    client.command("DROP VIEW somebodys")


def test_one_without_a_file_is_dropped_once(settings: Settings, client: Client) -> None:
    before = shown(client)
    client.command("CREATE VIEW of_an_older_version AS SELECT 1 AS one")
    record(client, settings, "of_an_older_version", "any")
    migrate(settings)
    assert shown(client) == before
    # From now on a view of that name is somebody else's.
    client.command("CREATE VIEW of_an_older_version AS SELECT 1 AS one")
    migrate(settings)
    assert shown(client) == before | {"of_an_older_version"}
    client.command("DROP VIEW of_an_older_version")


def test_one_of_another_text_is_replaced(settings: Settings, client: Client) -> None:
    client.command("CREATE OR REPLACE VIEW missed_daily AS SELECT 1 AS one")
    record(client, settings, "missed_daily", "of another text")
    migrate(settings)
    columns = [row[0] for row in client.query("DESCRIBE missed_daily").result_rows]
    assert columns == ["day", "region", "missed", "checks", "missed_percent"]
    comment = "SELECT comment != '' FROM system.columns WHERE database = currentDatabase() "
    comment += "AND table = 'missed_daily'"
    assert {row[0] for row in client.query(comment).result_rows} == {1}
