"""Migrations can be repeated, run from several places, and never meet a newer schema."""

import asyncio
from pathlib import Path

import pytest

from foundation.clickhouse import connect, database, internal_database
from sinks.clickhouse import migrate as module
from sinks.clickhouse.migrate import MigrationError, SchemaTooNewError, migrate, refuse_newer
from sinks.clickhouse.tables import ALL
from tests.integration.sinks.clickhouse import rig

FED_BY_RESULTS = {
    "results",
    *rig.ROLL_UPS,
    "region_latencies",
    "failures_daily",
    "certificates",
}
VERSIONS = [migration.version for migration in module.migrations()]


async def test_from_several_places_at_once_and_again(clickhouse: str) -> None:
    settings = rig.place("127.0.0.1:1", clickhouse, "migrate")
    client = rig.client_of(settings)
    applied = await asyncio.gather(*(asyncio.to_thread(migrate, settings) for _ in range(4)))
    assert all(set(versions) <= set(VERSIONS) for versions in applied)
    assert migrate(settings) == []
    there = rig.ask(client, settings, "SELECT DISTINCT version FROM {db}.migrations ORDER BY 1")
    assert [row[0] for row in there] == VERSIONS
    engine = f"SELECT engine FROM system.databases WHERE name = '{database(settings)}'"  # noqa: S608
    assert rig.ask(client, settings, engine) == [("Atomic",)]


async def test_the_tables_have_the_columns_that_are_inserted(clickhouse: str) -> None:
    settings = rig.used_place(rig.NO_KAFKA, clickhouse, "columns")
    client = rig.client_of(settings)
    for table in ALL:
        described = rig.ask(client, settings, f"DESCRIBE TABLE {{db}}.{table.name}")
        stored = [(row[0], row[1]) for row in described if row[2] != "ALIAS"]
        assert stored == list(table.columns)


async def test_every_table_that_is_inserted_into_remembers_an_hour_of_tokens(
    clickhouse: str,
) -> None:
    settings = rig.used_place(rig.NO_KAFKA, clickhouse, "window")
    client = rig.client_of(settings)
    query = "SELECT name, create_table_query FROM system.tables WHERE database IN "
    places = (database(settings), internal_database(database(settings)))
    found = dict(rig.ask(client, settings, f"{query}{places}"))
    windows = {
        name: int(text.partition("non_replicated_deduplication_window = ")[2].split(",")[0])
        for name, text in found.items()
        if "non_replicated_deduplication_window" in text
    }
    # Two inserts at a time: more than a hundred a second are not made.
    least = {name: 360_000 if name in FED_BY_RESULTS else 10_000 for name in windows}
    assert windows.keys() == {table.name for table in ALL} | FED_BY_RESULTS
    assert all(windows[name] >= least[name] for name in windows)


async def test_the_keeping_time_is_the_settings(clickhouse: str) -> None:
    settings = rig.place("127.0.0.1:1", clickhouse, "ttl", results_ttl_days=7)
    migrate(settings)
    client = rig.client_of(settings)
    query = "SELECT create_table_query FROM system.tables WHERE name = 'results' AND database = "
    query += f"'{database(settings)}'"
    assert "toIntervalDay(7)" in rig.ask(client, settings, query)[0][0]
    again = type(settings)(
        clickhouse=settings.clickhouse, results_ttl_days=90, rollups_ttl_days=400
    )
    migrate(again)
    assert "toIntervalDay(90)" in rig.ask(client, settings, query)[0][0]
    kept = (
        "SELECT name FROM system.tables WHERE create_table_query LIKE '%toIntervalDay(400)%' "
        "AND database = currentDatabase() || '_internal' ORDER BY name"
    )
    assert [row[0] for row in connect(settings).query(kept).result_rows] == [
        "certificates",
        "failures_daily",
        "newest_results",
        "region_latencies",
        "regions_hourly",
        "results_daily",
        "results_hourly",
        "uptime_days",
    ]


async def test_who_may_not_create_the_databases_is_told_what_to_grant(clickhouse: str) -> None:
    reader = clickhouse.partition("//")[0] + "//" + clickhouse.rpartition("@")[2]
    settings = rig.place("127.0.0.1:1", reader, "denied")
    name = database(settings)
    with pytest.raises(MigrationError, match=rf"create the database {name}, .*{name}_internal"):
        migrate(settings)


async def test_a_reader_refuses_a_newer_schema_and_takes_none(clickhouse: str) -> None:
    settings = rig.place("127.0.0.1:1", clickhouse, "reads")
    client = rig.client_of(settings)
    refuse_newer(client, settings)
    migrate(settings)
    refuse_newer(client, settings)
    client.insert("migrations", [[9000, "later"]], ["version", "name"], database=database(settings))
    with pytest.raises(SchemaTooNewError, match=r"version 9000.*knows up to \d+"):
        refuse_newer(client, settings)


async def test_a_newer_schema_is_refused(kafka: str, clickhouse: str, tmp_path: Path) -> None:
    settings = rig.place(kafka, clickhouse, "newer")
    migrate(settings)
    client = rig.client_of(settings)
    client.insert("migrations", [[9000, "later"]], ["version", "name"], database=database(settings))
    with pytest.raises(SchemaTooNewError, match=r"version 9000.*knows up to \d+.*upgrade"):
        migrate(settings)
    with rig.SinkProcess(settings, tmp_path / "log") as sink:
        await rig.until(lambda: not sink.running)
