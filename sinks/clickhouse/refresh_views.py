"""What ClickHouse reckons in the background (refreshable views), reckoned now."""

from typing import Final

from clickhouse_connect.driver.client import Client

_RECENT: Final = ("uptime_recent_mv",)
_ALL: Final = ("uptime_all_mv", "latency_week_mv")


def reckon(client: Client) -> None:
    """Reckons all days and all latencies anew; returns when it is done.

    Raises:
        clickhouse_connect.driver.exceptions.Error: no right to, or not reachable.
    """
    _refresh(client, _ALL)


def reckon_recent(client: Client) -> None:
    """Reckons the last three days anew, so that reports are of now; all, if there is none yet.

    Raises:
        clickhouse_connect.driver.exceptions.Error: no right to, or not reachable.
    """
    there = client.query("SELECT 1 FROM uptime_days LIMIT 1").result_rows
    _refresh(client, _RECENT if there else _ALL)


def _refresh(client: Client, views: tuple[str, ...]) -> None:
    for view in views:
        client.command(f"SYSTEM REFRESH VIEW {view}")
        client.command(f"SYSTEM WAIT VIEW {view}")
