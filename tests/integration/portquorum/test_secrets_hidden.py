"""A secret of a check, looked for everywhere else: topics, tables, logs, outputs, processes."""

import asyncio
import base64
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from aiokafka import AIOKafkaConsumer

from foundation import clickhouse as database
from foundation.settings import Settings
from tests.commands import called

DEADLINE_S = 120.0
pytestmark = pytest.mark.timeout(600)

NAME, MISSING = "PORTQUORUM_SECRET_LOGIN", "PORTQUORUM_SECRET_NOWHERE"
SECRET = f"s3/{uuid.uuid4().hex} + é"

FORMS = (
    SECRET,
    SECRET.partition(" ")[0],
    SECRET[3:15],
    quote(SECRET, safe=""),
    json.dumps(SECRET)[1:-1],
    SECRET.encode().hex(),
    *(base64.b64encode(b" " * before + SECRET.encode()).decode()[4:24] for before in range(3)),
)
"""What is looked for; in Base64 at each offset, without what has bits of its neighbours."""


class Echo:
    """A server that says each line back, in many ways, and remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection, contextlib.suppress(OSError):
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        line = connection.makefile("rb").readline().decode().strip()
        self.heard.append(line)
        said = line.removeprefix("LOGIN ")
        coded = base64.b64encode(f"me:{said}".encode()).decode()
        way = len(self.heard) % 4
        ways = (said, quote(said, safe=""), f"Basic {coded}", json.dumps({"login": said}))
        connection.sendall(f"-ERR no such login: {ways[way]}\n".encode())

    def close(self) -> None:
        self._server.close()


class Mailbox:
    """Takes the notifier's webhooks."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["content-length"])).decode())
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Fleet:
    """All roles with a secret in their environment, and all that they write."""

    def __init__(self, folder: Path, kafka: str, clickhouse: str) -> None:
        self.prefix = f"secrets{uuid.uuid4().hex[:8]}"
        others = {k: v for k, v in os.environ.items() if not k.startswith("PORTQUORUM_")}
        self.env = others | {
            NAME: SECRET,
            "PORTQUORUM_KAFKA": kafka,
            "PORTQUORUM_CLICKHOUSE": f"{clickhouse.rpartition('/')[0]}/{self.prefix}",
            "PORTQUORUM_TOPIC_PREFIX": self.prefix,
            "PORTQUORUM_PARTITIONS": "2",
            "PORTQUORUM_METRICS": "127.0.0.1:0",
            "PORTQUORUM_LOG_LEVEL": "debug",
            "PORTQUORUM_LOG_FORMAT": "json",
            "PORTQUORUM_DATA_DIR": str(folder / "data"),
        }
        self.folder = folder
        self.roles: list[subprocess.Popen[str]] = []
        self.lines: list[str] = []

    def begin(self, *role: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "portquorum.cli", *role],
            env=self.env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.roles.append(process)
        assert process.stdout is not None
        threading.Thread(target=self.lines.extend, args=(process.stdout,), daemon=True).start()

    @property
    def written(self) -> str:
        return "".join(self.lines)

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited for {what}: {self.written[-3000:]}"
            assert all(one.poll() is None for one in self.roles), self.written[-3000:]
            time.sleep(0.2)

    def say(self, *arguments: str) -> str:
        """All that a command writes."""
        done = called(self.folder, self.env, *arguments)
        assert done.returncode in {0, 1}, done.stderr
        return done.stdout + done.stderr

    def ask(self, question: str) -> str:
        """The answer of ClickHouse itself."""
        settings = Settings(clickhouse=self.env["PORTQUORUM_CLICKHOUSE"])
        with contextlib.closing(database.connect(settings)) as client:
            return bytes(client.raw_query(question)).decode()

    def end(self) -> None:
        for one in self.roles:
            one.send_signal(signal.SIGTERM)
        for one in self.roles:
            one.wait(DEADLINE_S)


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    yield made
    made.close()


def inventory(echo: Echo, mailbox: Mailbox) -> str:
    common = "host: 127.0.0.1, port: {}, kind: tcp, interval: 1s, timeout: 800ms, retries: 0"
    login = 'probe: {{steps: [{{send: "LOGIN ${{{}}}\\n", expect: +OK}}], insecure: true}}'
    return (
        "regions: {here: {internal: true}}\n"
        f'routes: {{all: {{urls: ["webhook+http://127.0.0.1:{mailbox.port}/"], default: true, '
        "operators: true}}\n"
        "targets:\n"
        f"- {{id: login, name: Login, {common.format(echo.port)}, {login.format(NAME)}}}\n"
        f"- {{id: other, name: Other, {common.format(echo.port)}, {login.format(MISSING)}}}\n"
    )


async def everything_on(kafka: str, prefix: str) -> dict[str, str]:
    """What is on each topic of ours: keys, values and headers, unpacked."""
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as asked:
        topics = [one for one in await asked.topics() if one.startswith(prefix)]
    found: dict[str, list[str]] = {topic: [] for topic in topics}
    reader = AIOKafkaConsumer(
        *topics, bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False
    )
    async with reader:
        ends = await reader.end_offsets(reader.assignment())
        left = {place for place, end in ends.items() if end}
        deadline = time.monotonic() + DEADLINE_S
        while left:
            assert time.monotonic() < deadline, left
            for place, records in (await reader.getmany(timeout_ms=500)).items():
                for one in records:
                    parts = (one.key, one.value, *(part for _, part in one.headers))
                    found[place.topic] += [(part or b"").decode(errors="replace") for part in parts]
            left = {place for place in left if await reader.position(place) < ends[place]}
    return {topic: "\n".join(texts) for topic, texts in found.items()}


def test_a_secret_is_nowhere_but_at_the_server(
    echo: Echo, mailbox: Mailbox, kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(inventory(echo, mailbox))
    fleet = Fleet(tmp_path, kafka, clickhouse)
    found: dict[str, str] = {}
    try:
        fleet.begin("sink")
        fleet.begin("stream")
        fleet.begin("notify")
        fleet.begin("probe", "--region", "here")
        found["inventory apply"] = fleet.say("inventory", "apply", str(path))
        fleet.until(lambda: len(echo.heard) >= 8, "checks")
        fleet.until(lambda: "secrets_missing" in "".join(mailbox.bodies), "missing secrets")
        fleet.until(lambda: '"opened"' in "".join(mailbox.bodies), "an incident")
        events = "SELECT count() FROM region_events WHERE event = 'region.secrets_missing'"
        fleet.until(lambda: fleet.ask(f"{events} FORMAT TSV").strip() == "1", "stored events")
        found |= asyncio.run(everything_on(kafka, fleet.prefix))
        for table in fleet.ask("SHOW TABLES FORMAT TSV").split():
            every = f"SELECT * FROM {table} FORMAT JSONEachRow"  # noqa: S608 - a name of ours
            found[f"table {table}"] = fleet.ask(every)
        found |= said_by_commands(fleet, path, echo.port)
        family = [one for role in fleet.roles for one in family_of(role.pid)]
        found["command lines"] = "\n".join(" ".join(one.cmdline()) for one in family)
        judges = [one for one in family if "producers.judging" in " ".join(one.cmdline())]
        found["environment of judges"] = "\n".join(str(one.environ()) for one in judges)
    finally:
        fleet.end()
    found |= {"logs": fleet.written, "messages": "\n".join(mailbox.bodies)}

    assert set(echo.heard) - {""} == {f"LOGIN {SECRET}"}  # a check that the end cut short
    leaks = [
        (where, text[max(0, text.find(form) - 80) :][:200])
        for where, text in found.items()
        for form in FORMS
        if form in text
    ]
    assert leaks == []
    # The search looks where such texts are: the masks and the missing variable are found.
    for where in (f"{fleet.prefix}.results", "table results", "check", "messages"):
        assert "***" in found[where], where
    for where in (
        f"{fleet.prefix}.incidents",
        "table region_events",
        "health --json",
        "messages",
        "logs",
    ):
        assert MISSING in found[where], where
    assert "secret_missing" in found["table results"]


def said_by_commands(fleet: Fleet, path: Path, port: int) -> dict[str, str]:
    """What people and programs read, by the command."""
    probe = f'{{steps: [{{send: "LOGIN ${{{NAME}}}\\n", expect: +OK}}], insecure: true}}'
    check = ("check", f"127.0.0.1:{port}", "--kind", "tcp", "--probe", probe)
    commands = {
        "check": check,
        "check --json": (*check, "--json"),
        "inventory diff": ("inventory", "diff", str(path)),
    } | {
        words: tuple(words.split())
        for words in (
            "status",
            "status --json",
            "incidents --json",
            "events --json --limit 0",
            "health --json",
            "explain login --json",
            "report reliability --json",
        )
    }
    with ThreadPoolExecutor(4) as pool:
        said = pool.map(lambda words: fleet.say(*words), commands.values())
        found = dict(zip(commands, said, strict=True))
    for url in re.findall(r"http://[\d.:]+/metrics", fleet.written):
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - an address of ours
            found[url] = answer.read().decode()
    return found


def family_of(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
