"""No page in a real browser reads anything of ours, or makes a server of ours do anything."""

import os
import re
import subprocess
import sys
import threading
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import clickhouse_connect
import pytest
from playwright.sync_api import Page

from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from tests.browser.browser import CONTENT, Server, attacked

ORIGINS = {
    "another port of the same address": "http://127.0.0.1:{}/",
    "another port of localhost": "http://localhost:{}/",
    "another site": "http://evil.example:{}/",
}
# Every attack at every role from every origin is for the wide run: one of each is for all others.
every_origin = pytest.mark.parametrize(
    "origin",
    [
        pytest.param(url, id=name, marks=() if name == "another site" else pytest.mark.wide)
        for name, url in ORIGINS.items()
    ],
)

ROLES = {
    "probe": ("probe", "--region", "here"),
    "stream": ("stream",),
    "sink": ("sink",),
    "notify": ("notify",),
}
EVERYWHERE = "a listener on all addresses"
# One server in all roles: its other names are tried at two of them.
HOSTS = [
    pytest.param(
        role, host, marks=() if (role, host) == ("stream", "127.0.0.1") else pytest.mark.wide
    )
    for role, host in (
        *((role, "127.0.0.1") for role in (*ROLES, EVERYWHERE)),
        *((role, host) for role in ("stream", EVERYWHERE) for host in ("localhost", "0.0.0.0")),
    )
]
READABLE = (
    *("fetch", "fetch_credentials", "fetch_header", "post", "post_json", "put", "xhr", "xhr_post"),
)
# What the frame without an origin has read may come too late to be seen.
SENT = (
    *READABLE,
    "sandboxed",
    *("fetch_no_cors", "fetch_no_referrer", "post_no_cors", "keepalive", "image", "script"),
    *("image_no_referrer", "style", "video", "object", "frame", "form_get", "form_post", "popup"),
    *("events", "socket", "beacon"),
)


@every_origin
def test_a_server_that_refuses_nothing_is_read_and_written(
    page: Page, attacker: Server, origin: str
) -> None:
    """The attacks do reach a server, so that it is ours that holds them off."""
    victim = Server()
    try:
        base = f"http://127.0.0.1:{victim.port}"
        found = attacked(page, origin.format(attacker.port), base, "/metrics", "SELECT 1")
        ways = {way for _, way in victim.asked}
        assert ways >= set(SENT)
        assert {way for way, text in found.items() if text == CONTENT} >= set(READABLE)
        methods = {method for method, _ in victim.asked}
        assert methods >= {"GET", "POST", "PUT", "OPTIONS"}
    finally:
        victim.close()


class Metrics(NamedTuple):
    port: int

    @property
    def text(self) -> str:
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return str(answer.read().decode())

    def answers(self) -> Counter[str]:
        """How many requests have been answered with each status."""
        found = re.findall(r'portquorum_metrics_answers_total\{status="(\d+)"\} (\S+)', self.text)
        return Counter({status: int(float(count)) for status, count in found})


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(role, marks=() if role == "stream" else pytest.mark.wide)
        for role in (*ROLES, EVERYWHERE)
    ],
)
def metrics(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A role's own port; the role waits for a Kafka that never comes."""
    role = ROLES.get(request.param, ("stream",))
    listen = "127.0.0.1:0" if request.param in ROLES else "0.0.0.0:0"
    env = {
        "PORTQUORUM_KAFKA": "127.0.0.1:1",
        "PORTQUORUM_METRICS": listen,
        "PORTQUORUM_LOG_FORMAT": "json",
        "PORTQUORUM_DATA_DIR": str(tmp_path_factory.mktemp("data")),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "portquorum.cli", *role],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | env,
    )
    try:
        yield Metrics(_metrics_port(process))
    finally:
        process.kill()
        process.wait()


def _metrics_port(process: "subprocess.Popen[str]") -> int:
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"http://[^/]*:(\d+)/metrics", line)
        if found:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return int(found[1])
    pytest.fail("the role serves no metrics")


@every_origin
@pytest.mark.parametrize(("metrics", "host"), HOSTS, indirect=["metrics"])
def test_metrics(page: Page, attacker: Server, metrics: Metrics, origin: str, host: str) -> None:
    before = metrics.answers()
    base = f"http://{host}:{metrics.port}"
    found = attacked(page, origin.format(attacker.port), base, "/metrics", "SELECT 1")
    assert set(found.values()) == {""}, found
    after = metrics.answers()
    # Ours alone were answered.
    assert after["200"] - before["200"] == 1
    if host != "0.0.0.0":  # which the browser itself may refuse
        assert after["403"] - before["403"] >= len(SENT)


def test_metrics_by_a_name_that_was_made_to_lead_here(page: Page, metrics: Metrics) -> None:
    """DNS rebinding: page and server are of one origin for the browser."""
    before = metrics.answers()
    page.goto(f"http://evil.example:{metrics.port}/")
    text = page.evaluate(
        "async () => { const a = await fetch('/metrics'); return `${a.status} ${await a.text()}` }"
    )
    assert text.startswith("403 expected in Host")
    assert metrics.answers()["200"] - before["200"] == 1


def test_a_person_who_types_the_address_sees_them(page: Page, metrics: Metrics) -> None:
    answer = page.goto(f"http://localhost:{metrics.port}/metrics")
    assert answer is not None
    assert answer.status == 200
    assert "portquorum_metrics_answers_total" in answer.text()


class ClickHouse(NamedTuple):
    place: str
    owner: Any
    marker: str
    folder: Path

    def statements(self) -> int:
        """How many the engine has run; each look is one, and the same number of ours."""
        asked = "SELECT value FROM system.events WHERE event = 'Query'"
        return int(self.owner.query(asked).result_rows[0][0])

    def tables(self) -> set[str]:
        return {row[0] for row in self.owner.query("SELECT name FROM system.tables").result_rows}


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    folder = tmp_path_factory.mktemp("clickhouse")
    with EmbeddedClickHouse(folder, "127.0.0.1:0") as service:
        url = urlsplit(service.url)
        owner = clickhouse_connect.get_client(dsn=service.url, autogenerate_session_id=False)
        marker = f"marker{uuid.uuid4().hex}"
        owner.command("CREATE TABLE secrets (text String) ENGINE = MergeTree ORDER BY text")
        owner.insert("secrets", [[marker]], column_names=["text"])
        yield ClickHouse(f"127.0.0.1:{url.port}", owner, marker, folder)
        owner.close()


STATEMENTS = (
    "SELECT text FROM portquorum.secrets",
    "INSERT INTO portquorum.secrets VALUES ('written')",
    "CREATE TABLE portquorum.made (x Int8) ENGINE = Memory",
    "SELECT 1 INTO OUTFILE 'written'",
)


@every_origin
@pytest.mark.parametrize(
    "statement",
    [STATEMENTS[0], *(pytest.param(one, marks=pytest.mark.wide) for one in STATEMENTS[1:])],
)
def test_clickhouse_as_a_reader_without_a_password(
    page: Page, attacker: Server, clickhouse: ClickHouse, origin: str, statement: str
) -> None:
    files = {path for path in clickhouse.folder.rglob("*") if "written" in path.name}
    tables, rows = clickhouse.tables(), clickhouse.owner.query("SELECT * FROM secrets").result_rows
    one = clickhouse.statements()
    look = clickhouse.statements() - one
    for path in (f"/?query={quote(statement)}", "/?x=1"):
        before = clickhouse.statements()
        base = f"http://{clickhouse.place}"
        found = attacked(page, origin.format(attacker.port), base, path, statement)
        assert set(found.values()) == {""}, found
        assert clickhouse.statements() - before == look, "nothing but our look was run"
    assert clickhouse.tables() == tables
    assert clickhouse.owner.query("SELECT * FROM secrets").result_rows == rows
    assert {path for path in clickhouse.folder.rglob("*") if "written" in path.name} == files


def test_clickhouse_by_a_name_that_was_made_to_lead_here(
    page: Page, clickhouse: ClickHouse
) -> None:
    port = clickhouse.place.rpartition(":")[2]
    page.goto(f"http://evil.example:{port}/")
    text = page.evaluate(
        """async () => {
          const body = 'SELECT text FROM portquorum.secrets'
          const get = await fetch('/?query=' + encodeURIComponent(body))
          const post = await fetch('/', {method: 'POST', body})
          return `${get.status} ${await get.text()} ${post.status} ${await post.text()}`
        }"""
    )
    assert clickhouse.marker not in text
    assert text.count("403") == 2
