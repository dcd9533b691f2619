"""Asks ClickHouse: its version, the schema, the newest result, the inventory as it is stored."""

from typing import Any, Final
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from foundation import clickhouse
from foundation.settings import Settings
from portquorum.health.facts import ClickHouseFacts
from schemas.result import RECEIVER
from sinks.clickhouse.errors import FAILURES, in_words
from sinks.clickhouse.migrate import migrations

_REFUSED: Final = ("ACCESS_DENIED", "NOT_ENOUGH_PRIVILEGES", "Code: 497")

_NEWEST: Final = "SELECT toUnixTimestamp64Milli(max(appended_at)), count() > 0 FROM results"

_INVENTORY: Final = """
SELECT region, count(), min(interval_ms), any(total)
FROM
(
    SELECT regions, interval_ms, count() OVER () AS total
    FROM
    (
        SELECT target, removed, regions, interval_ms
        FROM targets
        ORDER BY appended_at DESC, removed ASC, version DESC
        LIMIT 1 BY target
    )
    WHERE removed = 0
)
ARRAY JOIN regions AS region
GROUP BY region
"""


def silent(settings: Settings, timeout_s: float) -> ClickHouseFacts:
    """The facts of a ClickHouse that has not answered in time."""
    server = _server(settings)
    why = f"ClickHouse can't be reached at {server}: no answer within {timeout_s:g} s"
    return ClickHouseFacts(server=server, error=why)


def ask(settings: Settings, timeout_s: float) -> ClickHouseFacts:
    """What ClickHouse says, within about `timeout_s` for each question. Blocks; never raises."""
    server = _server(settings)
    newest_schema = migrations()[-1].version
    try:
        client = clickhouse.connect(
            settings,
            database="default",
            connect_timeout=timeout_s,
            send_receive_timeout=timeout_s,
            query_retries=0,
        )
    except FAILURES as error:
        return ClickHouseFacts(
            server=server, error=_why(server, error), newest_schema=newest_schema
        )
    try:
        return _ask(client, clickhouse.database(settings), server, newest_schema)
    except FAILURES as error:
        return ClickHouseFacts(
            server=server, error=_why(server, error), newest_schema=newest_schema
        )
    finally:
        client.close()


def _ask(client: Client, name: str, server: str, newest_schema: int) -> ClickHouseFacts:
    version = str(client.server_version)
    facts: dict[str, Any] = {"server": server, "version": version, "newest_schema": newest_schema}
    client.database = name
    try:
        (found,) = _rows(client, f"SELECT max(version), count() FROM `{name}`.migrations")  # noqa: S608
        facts["schema"] = int(found[0]) if found[1] else None
        (newest,) = _rows(client, _NEWEST)
        facts["newest_result"] = int(newest[0]) if newest[1] else None
        regions = _rows(client, _INVENTORY)
    except DatabaseError as error:
        text = str(error)
        if "UNKNOWN_DATABASE" in text or "UNKNOWN_TABLE" in text:
            return ClickHouseFacts(**facts)
        if any(sign in text for sign in _REFUSED):
            return ClickHouseFacts(**facts, hidden=f"ClickHouse refused: {in_words(error)}")
        raise
    return ClickHouseFacts(
        **facts,
        targets=max((int(row[3]) for row in regions), default=0),
        by_region={str(row[0]): int(row[1]) for row in regions},
        shortest_interval_ms=min(
            (int(row[2]) for row in regions if row[0] != RECEIVER), default=None
        ),
    )


def _server(settings: Settings) -> str:
    """`host:port`, without user and password."""
    return urlsplit(settings.clickhouse).netloc.rpartition("@")[2]


def _rows(client: Client, sql: str) -> list[Any]:
    return list(client.query(sql).result_rows)


def _why(server: str, error: BaseException) -> str:
    if isinstance(error, ClickHouseError) and "DB::Exception" in str(error):
        return f"ClickHouse at {server} refused: {in_words(error)}"
    return f"ClickHouse can't be reached at {server}: {in_words(error)}"
