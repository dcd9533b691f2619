"""The servers that the clients are held against: portquorum's schema with a past in each."""

import contextlib
import os
import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from foundation.clickhouse import connect, internal_database
from foundation.settings import Settings
from sinks.clickhouse.migrate import migrate
from tests.integration.sinks.clickhouse.past import Past, write
from tests.services import running_clickhouse
from tests.wide.clients.asked import Place, place

REAL: Final = "PORTQUORUM_TEST_CLICKHOUSE"
"""Names a real server: `http[s]://user:password@host:port/`; its user may make databases, and
users if READER names none."""

READER: Final = "PORTQUORUM_TEST_CLICKHOUSE_READER"
"""Names a reader that is there, `user:password`, with SELECT on databases that begin with `wide_`;
without it a user is made for the test."""


class Scene(Struct, frozen=True):
    """A server with a past; `look` is a connection of the owner that is no client's."""

    name: str
    version: str
    owner: Place
    reader: Place
    look: Client

    @property
    def is_real(self) -> bool:
        return self.name == "real"

    def tables(self) -> list[str]:
        return [row[0] for row in self.look.query("SHOW TABLES").result_rows]

    def columns(self, table: str) -> list[str]:
        return [row[0] for row in self.look.query(f"DESCRIBE TABLE `{table}`").result_rows]

    def size(self, table: str) -> int:
        # As a client reads it: a table of changes may have rows that are merged away.
        return int(self.look.query(f"SELECT count() FROM `{table}`").result_rows[0][0])  # noqa: S608

    def running(self, mark: str) -> int:
        """The number of running queries whose text has the mark."""
        found = self.look.query(
            "SELECT countIf(position(query, {mark:String}) > 0 AND query NOT LIKE '%processes%')"
            " FROM system.processes",
            parameters={"mark": mark},
        )
        return int(found.result_rows[0][0])


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Scene]:
    """The embedded server as `portquorum up` has it: its readers are `default`, no password."""
    with running_clickhouse(folder) as url, _filled(url) as look:
        owner = place(url, "portquorum")
        yield Scene("embedded", _version(look), owner, owner.as_user("default", ""), look)


@contextlib.contextmanager
def real(url: str) -> Iterator[Scene]:
    """A server that is there: databases and a reader of our own, as docs/deploy.md has them."""
    name = f"wide_{uuid.uuid4().hex[:8]}"
    password = f"Aa1!{secrets.token_hex(12)}"
    there = urlsplit(url)._replace(path=f"/{name}").geturl()
    owner = place(url, name)
    with _filled(there) as look, contextlib.ExitStack() as ends:
        for database in (name, internal_database(name)):
            ends.callback(look.command, f"DROP DATABASE IF EXISTS {database}")
        if given := os.environ.get(READER):
            user, _, password = given.partition(":")
        else:
            user = name
            look.command(f"CREATE USER {name} IDENTIFIED BY '{password}'")
            ends.callback(look.command, f"DROP USER IF EXISTS {name}")
            for database in (name, internal_database(name)):
                look.command(f"GRANT SELECT ON {database}.* TO {name}")
        yield Scene("real", _version(look), owner, owner.as_user(user, password), look)


@contextlib.contextmanager
def _filled(url: str) -> Iterator[Client]:
    settings = Settings(clickhouse=url)
    migrate(settings)
    with contextlib.closing(connect(settings)) as client:
        write(Past(client, settings))
        yield client


def _version(client: Client) -> str:
    return str(client.command("SELECT version()"))
