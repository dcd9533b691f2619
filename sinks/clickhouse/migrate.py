"""Migrations: numbered SQL files, applied in order, safe to repeat and to run concurrently.

They make and change tables, in the database of the settings and in the internal one beside it, and
the views that feed a table with each insert. All other views are made after them (`apply_views`).
"""

import asyncio
import re
from contextlib import suppress
from importlib import resources
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from msgspec import Struct

from foundation.backoff import Backoff
from foundation.clickhouse import connect, database, internal_database
from foundation.settings import Settings, SettingsError
from foundation.telemetry import logger
from sinks.clickhouse.apply_views import apply_views, statements
from sinks.clickhouse.errors import FAILURES, in_words
from sinks.clickhouse.threads import in_thread

_FILE: Final = re.compile(r"(\d{4})_(\w+)\.sql\Z")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
_BACKOFF: Final = Backoff(first_s=0.25, longest_s=5.0)
_RACES: Final = 10
"""Attempts of a migration that another one runs at the same time."""
_RACED: Final = ("UNKNOWN_TABLE", "TABLE_ALREADY_EXISTS", "TABLE_IS_DROPPED")
_RECKONED: Final = "uptime_all_mv"
_ENDS: Final = "outage_ends_mv"
_KEPT_BY: Final = {
    "results_hourly": "hour",
    "results_daily": "day",
    "regions_hourly": "hour",
    "region_latencies": "hour",
    "failures_daily": "day",
    "certificates": "toDateTime(seen_at)",
    "newest_results": "toDateTime(appended_at)",
    "uptime_days": "day",
}
"""Internal tables with a retention, and the column with the time that decides it."""


class SchemaTooNewError(RuntimeError):
    """A newer portquorum created the tables."""


class MigrationError(RuntimeError):
    """ClickHouse refused a request; the text says what and why."""


class Migration(Struct, frozen=True):
    """One file: statements that are safe to run any number of times."""

    version: int
    name: str
    sql: str


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
    """Creates or upgrades both databases; returns the applied migrations.

    Blocks. Also applies the views that differ, and the settings for the retention of results and
    roll-ups.

    Raises:
        SchemaTooNewError: names both versions and what to do.
        SettingsError: the database's name is not an identifier.
        MigrationError: ClickHouse refused a statement, or us.
        clickhouse_connect.driver.exceptions.Error: not reachable.
    """
    name = database(settings)
    if not _NAME.match(name):
        raise SettingsError(f"clickhouse: expected an identifier as database, found {name!r}")
    done: list[int] = []
    for attempt in range(_RACES):
        try:
            _migrate(settings, done)
            break
        except OperationalError:
            raise
        except DatabaseError as error:
            # Between a look at a table and its move another migration may have moved it.
            if attempt + 1 < _RACES and any(code in str(error) for code in _RACED):
                continue
            url = settings.clickhouse.rpartition("@")[2]
            raise MigrationError(f"ClickHouse at {url} refused: {in_words(error)}") from error
    return done


def _migrate(settings: Settings, done: list[int]) -> None:
    """Adds to `done` what it has applied."""
    name = database(settings)
    internal = internal_database(database(settings))
    places = {
        "{database}": f"`{name}`",
        "{internal}": f"`{internal}`",
        "{results_ttl_days}": str(settings.results_ttl_days),
        "{rollups_ttl_days}": str(settings.rollups_ttl_days),
    }
    known = migrations()
    client = connect(settings, database="default")
    try:
        _create_database(client, settings, name)
        _prepare(client, name)
        there = _applied(client, name)
        _refuse_newer(settings, name, there)
        _create_database(client, settings, internal)
        for migration in known:
            if migration.version in there:
                continue
            for statement in statements(migration.sql, places):
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
        applied = apply_views(client, places, known[-1].version)
        if there and _RECKONED in applied:
            # Days that were reckoned by other formulas: the next daily run may be a day away. They
            # read when outages ended, so that comes first (if it fails, again in 5 minutes).
            client.command(f"SYSTEM REFRESH VIEW `{internal}`.{_ENDS}")
            with suppress(DatabaseError):
                client.command(f"SYSTEM WAIT VIEW `{internal}`.{_ENDS}")
            client.command(f"SYSTEM REFRESH VIEW `{internal}`.{_RECKONED}")
        _keep(client, name, "results", "toDateTime(appended_at)", settings.results_ttl_days)
        for table, column in _KEPT_BY.items():
            _keep(client, internal, table, column, settings.rollups_ttl_days)
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
    client.command(
        f"CREATE TABLE IF NOT EXISTS `{name}`.migrations "
        "(version UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) "
        "ENGINE = ReplacingMergeTree ORDER BY version"
    )


def _create_database(client: Client, settings: Settings, name: str) -> None:
    """Creates one of the two databases, unless it exists: then no right to create one is needed."""
    exists = "SELECT count() FROM system.databases WHERE name = %(name)s"
    if client.query(exists, parameters={"name": name}).result_rows[0][0]:
        return
    try:
        client.command(f"CREATE DATABASE IF NOT EXISTS `{name}` ENGINE = Atomic")
    except OperationalError:
        raise
    except DatabaseError as error:
        url = settings.clickhouse.rpartition("@")[2]
        found = database(settings)
        raise MigrationError(
            f"ClickHouse at {url}: expected the right to create the database {name}, found: "
            f"{in_words(error)}; grant the sink's user all rights on {found} and "
            f"{internal_database(found)} (docs/deploy.md)"
        ) from error


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
