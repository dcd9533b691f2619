"""The installation in which the commands of the pages run: one `portquorum up` and what happened.

`prod-db`, `db1` and `old-host` are down, each with an open incident; that of `web-1` has closed.
Whoever is told is a receiver of the test's own.
"""

import json
import shutil
import socket
import sqlite3
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tests.commands import Said, called
from tests.receivers.neighbourhood import SLACK_URL, Neighbourhood
from tests.system.program import Program, clean_environment, eventually

UP: Final = ("up", "--kafka-listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")
FOLDER: Final = Path(__file__).parent / "folder"
"""The files that the commands name, but for those with the ports of this run in them."""
DOWN: Final = ("db1", "old-host", "prod-db")
OF_THE_PAGE: Final = ("db1.example.com-5432", "old-db", "old-web", "tried-out")
"""Targets that the page has, as if somebody had added them there."""
TOKEN_OF_SLACK: Final = SLACK_URL.removeprefix("slack://").strip("/")

_INVENTORY: Final = """
regions: {{eu-west: {{internal: true}}}}
teams:
  database: {{routes: [db-oncall], slo: 99.9, downtime_cost_per_hour: 900}}
  web: {{routes: [me]}}
routes:
  me: {{urls: ["{me}"], default: true}}
  db-oncall: {{urls: ["{me}", "slack://${{SLACK}}/"]}}
defaults: {{interval: 10s, criticality: important, purpose: orders}}
targets:
  - {{id: prod-db, host: 127.0.0.1, port: {prod_db}, team: database, tags: [rack-7, prod]}}
  - {{id: db1, name: "db1.example.com:5432", host: 127.0.0.1, port: {db1}, team: database}}
  - {{id: old-host, host: 127.0.0.1, port: {old_host}, team: web}}
  - {{id: web-1, host: 127.0.0.1, port: {web_1}, team: web, tags: [rack-7]}}
  - {{id: old-ftp, host: 127.0.0.1, port: {open}}}
  - {{id: nightly-backup, name: Nightly backup, kind: heartbeat, interval: 1d, team: database}}
  - {{id: backup, name: Other backup, kind: heartbeat, interval: 1d}}
""".replace(", purpose: orders", "")


class Installation:
    """`home` is the folder in which commands are called, with the environment `env`."""

    def __init__(self, home: Path, up: Program, ports: "Ports", street: Neighbourhood) -> None:
        self.home, self.ports, self.street = home, ports, street
        done = {one["what"]: one["detail"] for one in up.records if one["event"] == "done"}
        self.place = urlsplit(done["page"]).netloc
        self.env = environment(home, street) | {
            "PORTQUORUM_KAFKA": done["Kafka"],
            "PORTQUORUM_BEAT_URL": f"http://{self.place}",
            "COLUMNS": "200",
        }
        self.incidents: dict[str, str] = {}
        self.event = ""

    def call(self, *words: str, folder: Path | None = None, given: str = "") -> Said:
        return called(folder or self.home, self.env, *words, given=given)

    def json(self, *words: str) -> Any:
        done = self.call(*words, "--json")
        assert done.stdout, (words, done.stderr)
        return json.loads(done.stdout)

    def ask(self, method: str, path: str, body: object, token: str) -> None:
        """A request to the page's API."""
        request = urllib.request.Request(
            f"http://{self.place}/api/v1/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310 - our own page
            pass


class Ports:
    """Ports of this machine: some that nobody listens on, and some that answer."""

    def __init__(self) -> None:
        self._closed = {name: _bound() for name in ("prod_db", "db1", "old_host", "web_1")}
        self._open = socket.create_server(("127.0.0.1", 0))
        self._open_6 = _listening_6()
        self._echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._echo.bind(("127.0.0.1", 0))
        threading.Thread(target=self._answer, daemon=True).start()

    def closed(self, name: str) -> int:
        return int(self._closed[name].getsockname()[1])

    def opens(self, name: str) -> None:
        self._closed[name].listen()

    @property
    def open(self) -> int:
        return int(self._open.getsockname()[1])

    @property
    def open_6(self) -> str:
        """`[::1]:port`; where there is no IPv6 an address of IPv4."""
        host, port = self._open_6.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def echo(self) -> int:
        """A UDP port that sends back what it gets."""
        return int(self._echo.getsockname()[1])

    def _answer(self) -> None:
        while True:
            try:
                said, who = self._echo.recvfrom(2048)
                self._echo.sendto(said, who)
            except OSError:  # closed
                return

    def close(self) -> None:
        for one in (*self._closed.values(), self._open, self._open_6, self._echo):
            one.close()


def _bound() -> socket.socket:
    """A port that is taken, and refuses connections as long as nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return taken


def _listening_6() -> socket.socket:
    try:
        return socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        return socket.create_server(("127.0.0.1", 0))


def environment(home: Path, street: Neighbourhood) -> dict[str, str]:
    return clean_environment(home) | street.environment | {"SLACK": TOKEN_OF_SLACK}


@contextmanager
def running(home: Path) -> Iterator[Installation]:
    """The installation, when everything of the docstring above has happened."""
    fill(home)
    ports = Ports()
    with Neighbourhood(home) as street:
        names = {name: ports.closed(name) for name in ("prod_db", "db1", "old_host", "web_1")}
        text = _INVENTORY.format(me=street.json_url("me"), open=ports.open, **names)
        (home / "inventory.yaml").write_text(text)
        (home / "edited.yaml").write_text(text)
        (home / "routes.yaml").write_text('routes: {chat: {urls: ["console://"]}}\n')
        with Program(home, *UP, **environment(home, street)) as up:
            up.event("up", "portquorum is up")
            installation = Installation(home, up, ports, street)
            _until_it_has_a_history(installation)
            yield installation
            up.end()
    ports.close()


def fill(folder: Path) -> None:
    """The files that the pages name."""
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    with sqlite3.connect(folder / "kuma.db") as connection:
        connection.executescript("""
            CREATE TABLE monitor (id INTEGER PRIMARY KEY, name TEXT, active BOOLEAN, type TEXT,
              hostname TEXT, port INTEGER, interval INTEGER);
            INSERT INTO monitor VALUES (1, 'Shop', 1, 'port', 'shop.example.com', 443, 60);
        """)


def _until_it_has_a_history(installation: Installation) -> None:
    eventually(lambda: _open(installation) == {*DOWN, "web-1"}, "each closed port as an incident")
    installation.ports.opens("web_1")
    token = installation.json("token", "add", "page", "--scope", "admin")["token"]["secret"]
    for name in OF_THE_PAGE:
        entry = {"host": "127.0.0.1", "port": installation.ports.open, "interval": "1h"}
        installation.ask("PUT", f"targets/{name}/entry", entry, token)
    installation.call("status-page", "apply", "status-pages.yaml")
    eventually(lambda: _open(installation) == set(DOWN), "the incident of the opened port to close")
    eventually(lambda: installation.street.json.texts, "somebody to be told")
    found = installation.json("incidents", "--open")
    installation.incidents = {one["target"]: one["incident_id"] for one in found}
    done = installation.call("events", "--type", "opened", "--json")
    installation.event = json.loads(done.stdout.splitlines()[0])["id"]


def _open(installation: Installation) -> set[str]:
    done = installation.call("incidents", "--open", "--json")
    return {one["target"] for one in json.loads(done.stdout or "[]")}
