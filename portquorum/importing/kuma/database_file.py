"""`kuma.db`, the SQLite file of Uptime Kuma, opened for reading alone."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from portquorum.importing.model import MOST_BYTES, Place, Unreadable
from portquorum.inventory.plain_file import read_bytes

_MAGIC: Final = b"SQLite format 3\0"
_MOST_ROWS: Final = 100_000
_MOST_CHARACTERS: Final = 4 * MOST_BYTES
_MOST_STEPS: Final = 20_000_000
_LISTS: Final = ("monitor", "notification", "proxy", "maintenance", "docker_host")
_READ: Final = (
    *_LISTS,
    *("monitor_notification", "monitor_tag", "tag", "monitor_maintenance", "setting"),
)


def is_database(path: Path) -> bool:
    """Whether the file begins as one of SQLite does."""
    try:
        return path.is_file() and read_bytes(path, len(_MAGIC)) == _MAGIC
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
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
            steps = [0]
            connection.set_progress_handler(lambda: _counted(steps), 10_000)
            return _all(connection)
    except (sqlite3.Error, OSError, ValueError, KeyError) as error:
        return Unreadable(place, f"the database can't be read: {type(error).__name__}")


def _counted(steps: list[int]) -> int:
    steps[0] += 10_000
    return int(steps[0] > _MOST_STEPS)


def _all(connection: sqlite3.Connection) -> dict[str, Any]:
    named = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {row[0] for row in named}
    if "monitor" not in tables:
        raise ValueError("no table of monitors")
    rows = {name: _rows(connection, name) if name in tables else [] for name in _READ}
    monitors = {row["id"]: row for row in rows["monitor"]}
    for row in rows["monitor_notification"]:
        _append(monitors, row["monitor_id"], "notificationIDList", row["notification_id"])
    names = {row["id"]: row["name"] for row in rows["tag"]}
    for row in rows["monitor_tag"]:
        one = {"name": names.get(row["tag_id"]), "value": row.get("value")}
        _append(monitors, row["monitor_id"], "tags", one)
    windows = {row["id"]: row for row in rows["maintenance"]}
    for row in rows["monitor_maintenance"]:
        _append(windows, row["maintenance_id"], "monitors", row["monitor_id"])
    days = [row["value"] for row in rows["setting"] if row.get("key") == "tlsExpiryNotifyDays"]
    found: dict[str, Any] = {f"{name}List": rows[name] for name in _LISTS if name in tables}
    return found | ({"settings": {"tlsExpiryNotifyDays": days[0]}} if days else {})


def _append(rows: dict[Any, dict[str, Any]], key: object, name: str, value: object) -> None:
    row = rows.get(key)
    if row is not None:
        row.setdefault(name, []).append(value)


def _rows(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """All rows of a table; `table` is one of our own names. What is binary is left out."""
    found: list[dict[str, Any]] = []
    size = 0
    for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608
        size += sum(len(one) for one in row if isinstance(one, str | bytes))
        if len(found) >= _MOST_ROWS or size > _MOST_CHARACTERS:
            raise ValueError("too many rows")
        names = row.keys()
        found.append({name: row[name] for name in names if not isinstance(row[name], bytes)})
    return found
