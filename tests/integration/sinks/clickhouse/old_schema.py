"""The schema before the roll-ups had a database of their own (migrations 1 to 5)."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from foundation.clickhouse import database
from foundation.settings import Settings
from sinks.clickhouse.apply_views import statements

_FILES = Path(__file__).with_name("schema_0005")


def create_old_schema(client: Client, settings: Settings) -> None:
    """Creates what a portquorum of that time left, without rows."""
    place = f"`{database(settings)}`"
    client.command(f"CREATE DATABASE {place} ENGINE = Atomic")
    client.command(
        f"CREATE TABLE {place}.migrations "
        "(version UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) "
        "ENGINE = ReplacingMergeTree ORDER BY version"
    )
    values = {"{database}": place, "{results_ttl_days}": "30", "{rollups_ttl_days}": "730"}
    for file in sorted(_FILES.glob("*.sql")):
        for statement in statements(file.read_text(), values):
            client.command(statement)
        version, _, name = file.stem.partition("_")
        client.insert(
            "migrations",
            [[int(version), name]],
            column_names=["version", "name"],
            column_type_names=["UInt32", "String"],
            database=database(settings),
        )
