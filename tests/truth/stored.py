"""A history in a real ClickHouse: inserts as the sink makes them, answers of views."""

from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from foundation.clickhouse import database
from foundation.settings import Settings
from sinks.clickhouse import tables
from sinks.clickhouse.refresh_views import reckon
from sinks.clickhouse.tables import Table, from_tuples
from sinks.clickhouse.writer import INSERT_SETTINGS
from tests.truth.records import History, Row

BLOCK: Final = 20_000


class Store:
    """A database with the tables of a sink."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self._database = database(settings)
        self._tokens = 0

    def insert(self, history: History, seed: int) -> None:
        """Everything, results in blocks of mixed targets and times."""
        results = list(history.results)
        Random(seed).shuffle(results)  # noqa: S311 - a repeatable order
        self._insert(tables.TARGETS, history.targets)
        self._insert(tables.MAINTENANCE, history.maintenance)
        half = len(history.incidents) // 2
        self._insert(tables.INCIDENTS, history.incidents[:half])
        for begin in range(0, len(results), BLOCK):
            self._insert(tables.RESULTS, results[begin : begin + BLOCK])
        self._insert(tables.INCIDENTS, history.incidents[half:])

    def reckon(self) -> None:
        """Lets the work of the background be done once, and keeps what was reckoned as it is."""
        reckon(self.client)
        self._background("STOP")

    def resume(self) -> None:
        """Lets the background go on."""
        self._background("START")

    def now(self) -> int:
        """The server's clock (UTC ms)."""
        return int(self.client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows[0][0])

    def names(self) -> set[str]:
        """All tables and views that people see."""
        return {row[0] for row in self.client.query("SHOW TABLES").result_rows}

    def view(self, name: str) -> list[Row]:
        """All rows of a view."""
        found = self.client.query(f"SELECT * FROM {name}")  # noqa: S608 - our views
        return [
            dict(zip(found.column_names, map(_utc, row), strict=True)) for row in found.result_rows
        ]

    def _background(self, word: str) -> None:
        places = f"'{self._database}', '{self._database}_internal'"
        sql = f"SELECT database, view FROM system.view_refreshes WHERE database IN ({places})"  # noqa: S608 - our own
        for place, view in self.client.query(sql).result_rows:
            self.client.command(f"SYSTEM {word} VIEW `{place}`.`{view}`")

    def _insert(self, table: Table, rows: list[Row]) -> None:
        if not rows:
            return
        empty = {name: _empty(kind) for name, kind in table.columns}
        made = [tuple(row.get(name, value) for name, value in empty.items()) for row in rows]
        self._tokens += 1
        self.client.insert(
            table.name,
            from_tuples(table, made).columns,
            column_names=list(table.names),
            column_oriented=True,
            database=self._database,
            settings=INSERT_SETTINGS | {"insert_deduplication_token": f"truth-{self._tokens}"},
        )


def _utc(value: Any) -> Any:
    """The client gives a DateTime of seconds in the server's time zone, if that is not UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _empty(kind: str) -> Any:
    if kind.startswith("Nullable"):
        return None
    if kind.startswith("Array"):
        return []
    if kind.startswith("Map"):
        return {}
    return "" if kind in {"String", "LowCardinality(String)"} else 0
