"""The ClickHouse client of every role, configured by the URL of the settings."""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from foundation.settings import Settings

CHDB: Final = "chdb"


def connection_options(settings: Settings) -> dict[str, Any]:
    """Host, port, user, password and database of the settings, as clickhouse-connect takes them."""
    url = urlsplit(settings.clickhouse)
    secure = url.scheme == "https"
    return {
        "host": url.hostname or "127.0.0.1",
        "port": url.port or (8443 if secure else 8123),
        "username": unquote(url.username) if url.username else "default",
        "password": unquote(url.password) if url.password else "",
        "database": database(settings),
        "secure": secure,
    }


def database(settings: Settings) -> str:
    """The database of the settings, `portquorum` by default."""
    url = urlsplit(settings.clickhouse)
    path = url.path.rpartition("/")[2] if url.scheme == CHDB else url.path.strip("/")
    return path or "portquorum"


def internal_database(name: str) -> str:
    """The database beside a database, with what people don't read.

    Its roll-ups and helper views are what the views in the database `name` are made of.
    """
    return f"{name}_internal"


def connect(settings: Settings, **options: Any) -> Client:
    """A client without a session (so that calls may overlap).

    `chdb:///folder/database` is the engine in this process, on a folder that no other process has
    open. The contract tests run against it, too. No setting accepts it.

    Raises:
        clickhouse_connect.driver.exceptions.Error: not reachable, or refused.
    """
    url = urlsplit(settings.clickhouse)
    if url.scheme == CHDB:
        # Only a server has hosts, time-outs and sessions.
        return clickhouse_connect.get_client(
            interface=CHDB,
            path=url.path.rpartition("/")[0],
            database=options.get("database", database(settings)),
        )
    return clickhouse_connect.get_client(
        **(connection_options(settings) | {"autogenerate_session_id": False} | options)
    )
