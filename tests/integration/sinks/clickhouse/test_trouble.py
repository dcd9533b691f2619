"""ClickHouse is there and in trouble: partitions wait, the group stays as it is, all lands once."""

from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from foundation.clickhouse import database, internal_database
from foundation.settings import Settings
from sinks.clickhouse.migrate import migrate
from tests.integration.sinks.clickhouse import rig


def run(client: Client, settings: Settings, statement: str) -> None:
    name = database(settings)
    statement = statement.replace("{internal}", f"`{internal_database(name)}`")
    client.command(statement.replace("{db}", f"`{name}`"))


def said(log: Path, text: str) -> int:
    return sum(text in line["event"] for line in rig.log_of(log))


async def test_too_many_parts_are_waited_for(kafka: str, clickhouse: str, tmp_path: Path) -> None:
    settings = rig.place(kafka, clickhouse, "parts")
    producer = await rig.ready(settings)
    migrate(settings)
    client = rig.client_of(settings)
    log = tmp_path / "log"
    try:
        with rig.SinkProcess(settings, log) as sink:
            await rig.send_results(producer, settings, rig.results(0, 600))
            await rig.until(lambda: rig.stored(client, settings) == 600)
            run(client, settings, "SYSTEM STOP MERGES {db}.results")
            few = "parts_to_delay_insert = 1, parts_to_throw_insert = 1"
            run(client, settings, f"ALTER TABLE {{db}}.results MODIFY SETTING {few}")
            await rig.send_results(producer, settings, rig.results(600, 600))
            await rig.until(lambda: said(log, "ClickHouse does not take inserts"))
            # What it says is why: the server's own word.
            (why, *_) = (line for line in rig.log_of(log) if "does not take" in line["event"])
            assert "TOO_MANY_PARTS" in why["error"]
            reset = "parts_to_delay_insert, parts_to_throw_insert"
            run(client, settings, f"ALTER TABLE {{db}}.results RESET SETTING {reset}")
            run(client, settings, "SYSTEM START MERGES {db}.results")
            await rig.until(lambda: rig.stored(client, settings) >= 1_200)
            assert sink.end() == 0
        rig.counts_agree(client, settings, 1_200)
        assert said(log, "partitions assigned") == 1
    finally:
        await producer.stop()


@pytest.mark.parametrize("name", ["{db}.results", "{internal}.results_hourly"])
async def test_an_insert_that_failed_halfway_is_made_up_for(
    kafka: str, clickhouse: str, tmp_path: Path, name: str
) -> None:
    """The rows are in, some roll-ups are not: the same token again gives what is missing alone."""
    settings = rig.place(kafka, clickhouse, "halfway")
    producer = await rig.ready(settings)
    migrate(settings)
    client = rig.client_of(settings)
    log = tmp_path / "log"
    run(client, settings, "CREATE TABLE {db}.stop (x UInt8) ENGINE = Memory")
    run(client, settings, "INSERT INTO {db}.stop VALUES (1)")
    broken = "throwIf((SELECT count() FROM {db}.stop) > 0)"
    run(
        client,
        settings,
        f"CREATE MATERIALIZED VIEW {{db}}.b ENGINE = Null AS SELECT {broken} FROM {name}",  # noqa: S608
    )
    try:
        with rig.SinkProcess(settings, log) as sink:
            await rig.send_results(producer, settings, rig.results(0, 600))
            await rig.until(lambda: said(log, "ClickHouse does not take inserts"))
            await rig.until(lambda: rig.count(client, settings))
            run(client, settings, "TRUNCATE TABLE {db}.stop")
            await rig.send_results(producer, settings, rig.results(600, 600))
            await rig.until(lambda: rig.stored(client, settings) >= 1_200)
            assert sink.end() == 0
        rig.counts_agree(client, settings, 1_200)
        assert said(log, "partitions assigned") == 1
    finally:
        await producer.stop()
