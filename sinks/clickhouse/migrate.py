"""Migrations: numbered SQL files, applied in order, safe to repeat and to run concurrently."""

import asyncio
import re
from importlib import resources
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from msgspec import Struct

from foundation.backoff import Backoff
from foundation.clickhouse import connect, database
from foundation.settings import Settings, SettingsError
from foundation.telemetry import logger
from sinks.clickhouse.errors import FAILURES, in_words
from sinks.clickhouse.threads import in_thread

_FILE: Final = re.compile(r"(\d{4})_(\w+)\.sql\Z")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
_BACKOFF: Final = Backoff(first_s=0.25, longest_s=5.0)
_KEPT_BY: Final = {
    "results": "toDateTime(appended_at)",
    "results_hourly": "hour",
    "results_daily": "day",
    "regions_hourly": "hour",
    "failures_daily": "day",
    "certificates": "toDateTime(seen_at)",
    "uptime_days": "day",
}
"""Tables with a retention, and the column with the time that decides it."""


class SchemaTooNewError(RuntimeError):
    """A newer portquorum created the tables."""


class MigrationError(RuntimeError):
    """ClickHouse refused a request; the text says what and why."""


class Migration(Struct, frozen=True):
    """One file: statements that are safe to run any number of times."""

    version: int
    name: str
    sql: str

    def statements(
        self, database_name: str, results_ttl_days: int, rollups_ttl_days: int
    ) -> list[str]:
        """The statements for a given database."""
        filled = (
            self.sql.replace("{database}", f"`{database_name}`")
            .replace("{results_ttl_days}", str(results_ttl_days))
            .replace("{rollups_ttl_days}", str(rollups_ttl_days))
        )
        lines = [line for line in filled.splitlines() if not line.lstrip().startswith("--")]
        return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip(" \n;")]


def migrations() -> list[Migration]:
    """All migrations of this portquorum, in order."""
    found = []
    for file in (resources.files(__package__) / "migrations").iterdir():
        match = _FILE.match(file.name)
        if match:
            text = file.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), match[2], text + "\n"))
    return sorted(found, key=lambda migration: migration.version)


def migrate(settings: Settings) -> list[int]:
    """Creates or upgrades the database and its tables; returns the applied migrations.

    Blocks. Also applies the settings for the retention of results and roll-ups.

    Raises:
        SchemaTooNewError: names both versions and what to do.
        SettingsError: the database's name is not an identifier.
        MigrationError: ClickHouse refused a statement, or us.
        clickhouse_connect.driver.exceptions.Error: not reachable.
    """
    name = database(settings)
    if not _NAME.match(name):
        raise SettingsError(f"clickhouse: expected an identifier as database, found {name!r}")
    try:
        return _migrate(settings, name)
    except OperationalError:
        raise
    except DatabaseError as error:
        url = settings.clickhouse.rpartition("@")[2]
        raise MigrationError(f"ClickHouse at {url} refused: {in_words(error)}") from error


def _migrate(settings: Settings, name: str) -> list[int]:
    known = migrations()
    client = connect(settings, database="default")
    try:
        _prepare(client, name)
        there = _applied(client, name)
        _refuse_newer(settings, name, there)
        done = []
        for migration in known:
            if migration.version in there:
                continue
            for statement in migration.statements(
                name, settings.results_ttl_days, settings.rollups_ttl_days
            ):
                client.command(statement)
            client.insert(
                "migrations",
                [[migration.version, migration.name]],
                column_names=["version", "name"],
                column_type_names=["UInt32", "String"],
                database=name,
                settings={"async_insert": 0},
            )
            done.append(migration.version)
        for table, column in _KEPT_BY.items():
            is_raw = table == "results"
            days = settings.results_ttl_days if is_raw else settings.rollups_ttl_days
            _keep(client, name, table, column, days)
        return done
    finally:
        client.close()


async def migrated(settings: Settings) -> None:
    """Calls `migrate` once ClickHouse is there; logs once that it waits.

    Raises:
        SchemaTooNewError, SettingsError, MigrationError: as `migrate`.
    """
    log = logger(__name__)
    wait_s: float | None = None
    waiting = False
    while True:
        try:
            done = await in_thread(lambda: migrate(settings))
        except FAILURES as error:
            if not waiting:
                url = settings.clickhouse.rpartition("@")[2]
                log.warning("waiting for ClickHouse", url=url, error=in_words(error))
                waiting = True
            wait_s = _BACKOFF.next(wait_s)
            await asyncio.sleep(wait_s)
        else:
            if done:
                log.info("ClickHouse migrated", versions=done)
            return


def refuse_newer(client: Client, settings: Settings) -> None:
    """Checks that the tables are not newer than this version; they may be older, or missing.

    Raises:
        SchemaTooNewError: they are; names both versions and what to do.
        clickhouse_connect.driver.exceptions.Error: not reachable.
    """
    name = database(settings)
    if client.query(f"EXISTS TABLE `{name}`.migrations").result_rows[0][0]:
        _refuse_newer(settings, name, _applied(client, name))


def _refuse_newer(settings: Settings, name: str, there: set[int]) -> None:
    newest = migrations()[-1].version
    if there and max(there) > newest:
        raise SchemaTooNewError(
            f"the database {name} at {settings.clickhouse.rpartition('@')[2]} has schema "
            f"version {max(there)}, this portquorum knows up to {newest}: "
            "upgrade portquorum, or point PORTQUORUM_CLICKHOUSE at another database"
        )


def _prepare(client: Client, name: str) -> None:
    client.command(f"CREATE DATABASE IF NOT EXISTS `{name}` ENGINE = Atomic")
    client.command(
        f"CREATE TABLE IF NOT EXISTS `{name}`.migrations "
        "(version UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) "
        "ENGINE = ReplacingMergeTree ORDER BY version"
    )


def _applied(client: Client, name: str) -> set[int]:
    sql = f"SELECT DISTINCT version FROM `{name}`.migrations"  # noqa: S608 - a checked name
    return {int(row[0]) for row in client.query(sql).result_rows}


def _keep(client: Client, name: str, table: str, column: str, days: int) -> None:
    """Sets a table's TTL to the present setting."""
    sql = "SELECT create_table_query FROM system.tables WHERE database = %(d)s AND name = %(t)s"
    found = client.query(sql, parameters={"d": name, "t": table}).result_rows
    if f"toIntervalDay({days})" not in str(found[0][0]):
        client.command(
            f"ALTER TABLE `{name}`.{table} MODIFY TTL {column} + toIntervalDay({days:d})"
        )
