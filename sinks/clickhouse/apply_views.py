"""Views, and comments of tables: SQL files that are applied when they differ.

A view holds no data, so it needs no history: its file says what it is now. A file is a list of
statements that are safe to repeat: `CREATE OR REPLACE VIEW`, with a comment, and an `ALTER TABLE …
COMMENT COLUMN` with the comments of its columns. Views that ClickHouse refreshes in the background
are here, too, since they read other views: dropped and created. Views that feed a table with each
insert are in the migrations: without them rows would be missing. The comments of tables are one
file, `comments.sql`.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from importlib import resources
from typing import Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct

_FILE: Final = re.compile(r"(\w+)\.sql\Z")
_CREATED: Final = re.compile(r"VIEW (?:IF NOT EXISTS )?(\{(?:database|internal)\})\.(\w+)\s")
_RECORD: Final = "applied_views"
_COMMENTS: Final = ("{database}", "comments.sql")
"""Name of the comments among the applied views."""

_NAMED: Final = re.compile(r"\{(?:database|internal)\}\.(\w+)")


class View(Struct, frozen=True):
    """One file."""

    name: str
    place: str
    """Placeholder of its database: `{database}` or `{internal}`."""
    sql: str

    def reads(self) -> set[str]:
        """The tables and views that it reads."""
        return set(_NAMED.findall(self.sql)) - {self.name}


def views() -> list[View]:
    """All views of this portquorum, each after those that it reads.

    Raises:
        ValueError: a file does not create the view of its name.
    """
    found = {}
    for file in (resources.files(__package__) / "views").iterdir():
        match = _FILE.match(file.name)
        if match:
            view = _view(match[1], file.read_text(encoding="utf-8"))
            found[view.name] = view
    order = TopologicalSorter({name: view.reads() & found.keys() for name, view in found.items()})
    # Sorted: the order of files in a folder is not the same everywhere.
    order.prepare()
    ordered = []
    while order.is_active():
        ready = sorted(order.get_ready())
        ordered += [found[name] for name in ready]
        order.done(*ready)
    return ordered


def apply_views(client: Client, places: Mapping[str, str], version: int) -> list[str]:
    """Applies the views and the comments that differ from the last ones; returns their names.

    A view is applied again after a change of its own text, of a view that it reads or of the
    tables, or if it is missing. A view that has no file any more is dropped. Blocks.

    Args:
        client: its user may create and drop views in both databases.
        places: the placeholders of the statements and what they stand for.
        version: the newest migration.

    Raises:
        clickhouse_connect.driver.exceptions.Error: refused, or not reachable.
    """
    record = f"{places['{internal}']}.{_RECORD}"
    client.command(
        f"CREATE TABLE IF NOT EXISTS {record} (place String, name String, hash String, "
        "applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) "
        "ENGINE = ReplacingMergeTree(applied_at) ORDER BY (place, name) "
        "COMMENT 'the views that portquorum made; an empty hash: dropped'"
    )
    known = _applied(client, record)
    there = _there(client, places)
    hashes: dict[str, str] = {}
    rows: list[tuple[str, str, str]] = []
    for view in views():
        below = [hashes[name] for name in sorted(view.reads()) if name in hashes]
        text = "\n".join([str(version), view.sql, *below])
        hashes[view.name] = hashlib.sha256(text.encode()).hexdigest()
        where = (view.place, view.name)
        if known.pop(where, None) == hashes[view.name] and where in there:
            continue
        for statement in statements(view.sql, places):
            client.command(statement)
        rows.append((*where, hashes[view.name]))
    comments = _comment(client, places, version, known.pop(_COMMENTS, None))
    if comments is not None:
        rows.append((*_COMMENTS, comments))
    for place, name in known:
        client.command(f"DROP VIEW IF EXISTS {places[place]}.`{name}`")
        rows.append((place, name, ""))
    # All at the end: what an error leaves unrecorded is applied again, which changes nothing.
    _record(client, places, rows)
    return [name for _, name, _ in rows]


def statements(sql: str, places: Mapping[str, str]) -> list[str]:
    """The statements of a file, for given databases and settings."""
    for placeholder, value in places.items():
        sql = sql.replace(placeholder, value)
    lines = [line for line in sql.splitlines() if not line.lstrip().startswith("--")]
    parts = ("\n".join(lines) + "\n").split(";\n")
    return [part.strip() for part in parts if part.strip(" \n;")]


def _view(name: str, sql: str) -> View:
    created = _CREATED.search(sql)
    if created is None or created[2] != name:
        raise ValueError(
            f"views/{name}.sql: expected CREATE … VIEW {{database}}.{name} or {{internal}}.{name}, "
            f"found {created[0].strip() if created else 'no view'}"
        )
    return View(name, created[1], sql)


def _comment(
    client: Client, places: Mapping[str, str], version: int, last: str | None
) -> str | None:
    """Applies the comments of the tables; their hash, None if they are those of last time."""
    sql = (resources.files(__package__) / _COMMENTS[1]).read_text(encoding="utf-8")
    found = hashlib.sha256(f"{version}\n{sql}".encode()).hexdigest()
    if found == last:
        return None
    for statement in statements(sql, places):
        client.command(statement)
    return found


def _applied(client: Client, record: str) -> dict[tuple[str, str], str]:
    sql = f"SELECT place, name, argMax(hash, applied_at) AS last FROM {record} "  # noqa: S608 - checked names
    rows = client.query(f"{sql} GROUP BY place, name HAVING last != ''").result_rows
    return {(str(place), str(name)): str(last) for place, name, last in rows}


def _there(client: Client, places: Mapping[str, str]) -> set[tuple[str, str]]:
    sql = "SELECT name FROM system.tables WHERE database = %(database)s AND engine LIKE '%%View'"
    return {
        (place, str(row[0]))
        for place in ("{database}", "{internal}")
        for row in client.query(sql, parameters={"database": places[place].strip("`")}).result_rows
    }


def _record(
    client: Client, places: Mapping[str, str], rows: Sequence[tuple[str, str, str]]
) -> None:
    """Keeps place, name and hash of what was applied."""
    if not rows:
        return
    client.insert(
        _RECORD,
        [list(row) for row in rows],
        database=places["{internal}"].strip("`"),
        column_names=["place", "name", "hash"],
        column_type_names=["String", "String", "String"],
        settings={"async_insert": 0},
    )
