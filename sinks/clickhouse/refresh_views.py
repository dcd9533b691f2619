"""Refreshes the views that ClickHouse otherwise refreshes in the background."""

from typing import Final

from clickhouse_connect.driver.client import Client

from foundation.clickhouse import internal_database

_ENDS: Final = ("outage_ends_mv", "flapping_ends_mv")
_RECENT: Final = (*_ENDS, "uptime_recent_mv")
_ALL: Final = (*_ENDS, "uptime_all_mv", "latency_week_mv")


def reckon(client: Client) -> None:
    """Refreshes all days and all latencies; returns when it is done.

    Raises:
        clickhouse_connect.driver.exceptions.Error: no right to, or not reachable.
    """
    _refresh(client, _ALL)


def reckon_recent(client: Client) -> None:
    """Refreshes the last three days, for reports up to date; all days if there are none.

    Raises:
        clickhouse_connect.driver.exceptions.Error: no right to, or not reachable.
    """
    sql = f"SELECT 1 FROM {_internal(client)}.uptime_days LIMIT 1"  # noqa: S608 - a checked name
    there = client.query(sql).result_rows
    _refresh(client, _RECENT if there else _ALL)


def _refresh(client: Client, views: tuple[str, ...]) -> None:
    for view in views:
        client.command(f"SYSTEM REFRESH VIEW {_internal(client)}.{view}")
        client.command(f"SYSTEM WAIT VIEW {_internal(client)}.{view}")


def _internal(client: Client) -> str:
    return f"`{internal_database(str(client.database))}`"
