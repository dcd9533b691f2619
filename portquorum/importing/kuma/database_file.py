"""`kuma.db`, the SQLite file of Uptime Kuma, opened for reading alone."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from portquorum.importing.model import Place, Unreadable

_MAGIC: Final = b"SQLite format 3\0"
_MOST_ROWS: Final = 100_000
_MOST_STEPS: Final = 20_000_000
_TABLES: Final = ("monitor", "notification", "proxy", "maintenance")


def is_database(path: Path) -> bool:
    """Whether the file begins as one of SQLite does."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def read(path: Path) -> dict[str, Any] | Unreadable:
    """Its monitors, notifications, proxies and windows, in the form of a backup.

    The file is opened read-only and as immutable: nothing is written beside it, no journal is
    played back (stop Uptime Kuma first, or copy `kuma.db-wal` in by `sqlite3 kuma.db .backup`).
    """
    place = Place(str(path))
    try:
        uri = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE) if hasattr(
                connection, "setconfig"
            ) else None
            connection.execute("PRAGMA trusted_schema = OFF")
            steps = [0]
            connection.set_progress_handler(lambda: _counted(steps), 10_000)
            return _all(connection)
    except (sqlite3.Error, OSError, ValueError) as error:
        return Unreadable(place, f"the database can't be read: {type(error).__name__}")


def _counted(steps: list[int]) -> int:
    steps[0] += 10_000
    return int(steps[0] > _MOST_STEPS)


def _all(connection: sqlite3.Connection) -> dict[str, Any]:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    if "monitor" not in tables:
        raise ValueError("no table of monitors")
    found: dict[str, Any] = {
        f"{name}List": _rows(connection, name) for name in _TABLES if name in tables
    }
    by_id = {row["id"]: row for row in found["monitorList"]}
    if "monitor_notification" in tables:
        for row in _rows(connection, "monitor_notification"):
            monitor = by_id.get(row["monitor_id"])
            if monitor is not None:
                monitor.setdefault("notificationIDList", []).append(row["notification_id"])
    if {"monitor_tag", "tag"} <= tables:
        tags = {row["id"]: row["name"] for row in _rows(connection, "tag")}
        for row in _rows(connection, "monitor_tag"):
            monitor = by_id.get(row["monitor_id"])
            if monitor is not None:
                one = {"name": tags.get(row["tag_id"]), "value": row.get("value")}
                monitor.setdefault("tags", []).append(one)
    windows = {row["id"]: row for row in found.get("maintenanceList", [])}
    if "monitor_maintenance" in tables:
        for row in _rows(connection, "monitor_maintenance"):
            window = windows.get(row["maintenance_id"])
            if window is not None:
                window.setdefault("monitors", []).append(row["monitor_id"])
    if "setting" in tables:
        days = connection.execute("SELECT value FROM setting WHERE key = 'tlsExpiryNotifyDays'")
        found["settings"] = {"tlsExpiryNotifyDays": row[0] for row in days.fetchmany(1)}
    return found


def _rows(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """All rows of a table; `table` is one of our own names. What is binary is left out."""
    rows = connection.execute(f'SELECT * FROM "{table}"').fetchmany(_MOST_ROWS + 1)  # noqa: S608
    if len(rows) > _MOST_ROWS:
        raise ValueError("too many rows")
    return [
        {name: row[name] for name in row.keys() if not isinstance(row[name], bytes)}  # noqa: SIM118
        for row in rows
    ]
