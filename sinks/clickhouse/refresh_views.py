"""Refreshes the views that ClickHouse otherwise refreshes in the background."""

from typing import Final

from clickhouse_connect.driver.client import Client

_RECENT: Final = ("uptime_recent_mv",)
_ALL: Final = ("uptime_all_mv", "latency_week_mv")


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
    there = client.query("SELECT 1 FROM uptime_days LIMIT 1").result_rows
    _refresh(client, _RECENT if there else _ALL)


def _refresh(client: Client, views: tuple[str, ...]) -> None:
    for view in views:
        client.command(f"SYSTEM REFRESH VIEW {view}")
        client.command(f"SYSTEM WAIT VIEW {view}")
