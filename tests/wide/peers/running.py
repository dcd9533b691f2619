"""All three beside each other, on the same monitors, each as it is by default.

What runs is told in a file, so that another process can measure: `Running`.
"""

import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
import psutil
from msgspec import Struct
from playwright.sync_api import Browser

from tests.wide.peers.fleet import INTERVAL_S, Monitor, monitors

START_S: Final = 300.0
STOP_S: Final = 60.0
USER: Final = "peer"
PASSWORD: Final = secrets.token_urlsafe()


class Tool(Struct, frozen=True):
    """One of them: `server` is the process that answers browsers, `root` has started all others."""

    name: str
    version: str
    url: str
    server: int
    root: int
    state: str | None = None
    """What the browser must have to be let in: a file of Playwright's storage state."""


class Running(Struct, frozen=True):
    """What runs: the monitors, the port that closes and opens them, the tools."""

    count: int
    control: int
    began: float
    """UTC, seconds."""
    tools: list[Tool]


@contextmanager
def running(
    count: int, folder: Path, gatus: Path | None, kuma: Path | None, browser: Browser
) -> Iterator[Running]:
    """All of it for as long as the context; a peer that is None is left out.

    `gatus` is the program, `kuma` a folder with its server and built pages.
    """
    fleet = monitors(count)
    processes: list[subprocess.Popen[str]] = []
    try:
        ports = subprocess.Popen(
            [sys.executable, "-m", "tests.wide.peers.listeners", str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(ports)
        control = int(_line(ports))
        tools = [_ours(fleet, folder, processes)]
        if gatus is not None:
            tools.append(_gatus(fleet, folder, gatus, processes))
        if kuma is not None:
            tools.append(_kuma(fleet, folder, kuma, browser, processes))
        yield Running(count, control, time.time(), tools)
    finally:
        for process in reversed(processes):
            _end(process)


def order(control: int, *orders: str) -> None:
    """Has ports opened or closed: `close NAME`, `open NAME`."""
    with (
        socket.create_connection(("127.0.0.1", control)) as connection,
        connection.makefile("rw") as lines,
    ):
        for one in orders:
            print(one, file=lines, flush=True)
            if lines.readline() != "ok\n":
                raise RuntimeError(f"not done: {one}")


def got(url: str, **headers: str) -> bytes:
    """The body of an answer as it is on the wire; any status is one."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def _ours(fleet: list[Monitor], folder: Path, processes: list[subprocess.Popen[str]]) -> Tool:
    inventory = folder / "inventory.json"
    targets = [
        {
            "name": one.name,
            "host": one.host,
            "port": one.port,
            "team": one.team,
            "interval": f"{INTERVAL_S}s",
        }
        for one in fleet
    ]
    teams: dict[str, dict[str, str]] = {one.team: {} for one in fleet}
    regions = {"local": {"internal": True}}
    written = {"regions": regions, "teams": teams, "targets": targets}
    inventory.write_text(json.dumps(written))
    page, kafka, clickhouse = (f"127.0.0.1:{_free_port()}" for _ in range(3))
    process = _start(
        [
            *(str(Path(sys.executable).with_name("portquorum")), "up"),
            *("--inventory", str(inventory), "--data", str(folder / "portquorum")),
            *("--web-listen", page, "--kafka-listen", kafka, "--clickhouse-listen", clickhouse),
        ],
        {},
        folder / "portquorum.log",
        processes,
    )
    url = f"http://{page}/"
    _answers(f"{url}healthz", process)
    [server] = [
        child.pid
        for child in psutil.Process(process.pid).children()
        if child.cmdline()[2:4] == ["portquorum.cli", "web"]
    ]
    return Tool("portquorum", _commit(), url, server, process.pid)


def _gatus(
    fleet: list[Monitor], folder: Path, program: Path, processes: list[subprocess.Popen[str]]
) -> Tool:
    port = _free_port()
    endpoints = [
        {
            "name": one.name,
            "group": one.team,
            "url": f"tcp://{one.host}:{one.port}",
            "interval": f"{INTERVAL_S}s",
            "conditions": ["[CONNECTED] == true"],
        }
        for one in fleet
    ]
    config = folder / "gatus.yaml"
    config.write_bytes(
        msgspec.yaml.encode({"web": {"address": "127.0.0.1", "port": port}, "endpoints": endpoints})
    )
    process = _start(
        [str(program)], {"GATUS_CONFIG_PATH": str(config)}, folder / "gatus.log", processes
    )
    url = f"http://127.0.0.1:{port}/"
    _answers(url, process)
    return Tool("Gatus", _version(program), url, process.pid, process.pid)


def _version(program: Path) -> str:
    """What the Go linker wrote into it."""
    told = subprocess.run(
        ["go", "version", "-m", program], check=True, capture_output=True, text=True
    )
    words = [line.split() for line in told.stdout.splitlines()]
    return next((one[2] for one in words if len(one) > 2 and "TwiN/gatus" in one[1]), "unknown")


def _kuma(
    fleet: list[Monitor],
    folder: Path,
    program: Path,
    browser: Browser,
    processes: list[subprocess.Popen[str]],
) -> Tool:
    """The account is made by its own form, the monitors are written into its own database."""
    data = folder / "kuma"
    data.mkdir()
    port = _free_port()
    url = f"http://127.0.0.1:{port}/"
    env = {
        "DATA_DIR": f"{data}/",
        "UPTIME_KUMA_DB_TYPE": "sqlite",
        "UPTIME_KUMA_HOST": "127.0.0.1",
        "UPTIME_KUMA_PORT": str(port),
    }
    command = ["node", "server/server.js"]
    log = folder / "kuma.log"
    first = _start(command, env, log, processes, program)
    _answers(f"{url}setup", first)
    state = folder / "kuma-login.json"
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(START_S * 1000)
    page.goto(f"{url}setup")
    page.fill("#floatingInput", USER)
    page.fill("#floatingPassword", PASSWORD)
    page.fill("#repeat", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/dashboard")
    page.wait_for_function("localStorage.token")
    context.storage_state(path=state)
    context.close()
    _end(first)
    _written(data / "kuma.db", fleet)
    process = _start(command, env, log, processes, program)
    _answers(url, process)
    version = json.loads((program / "package.json").read_text())["version"]
    return Tool("Uptime Kuma", version, url, process.pid, process.pid, str(state))


def _written(database: Path, fleet: list[Monitor]) -> None:
    """A group a team, as its form would make it, and the ports in it."""
    with sqlite3.connect(database) as db:
        # It would ask its makers for news.
        db.execute(
            "INSERT OR REPLACE INTO setting (key, value, type)"
            " VALUES ('checkUpdate', 'false', 'general')"
        )
        groups: dict[str, int | None] = {}
        for team in sorted({one.team for one in fleet}):
            groups[team] = db.execute(
                "INSERT INTO monitor (name, type, user_id, interval, retry_interval, timeout)"
                " VALUES (?, 'group', 1, ?, ?, 48)",
                (team, INTERVAL_S, INTERVAL_S),
            ).lastrowid
        db.executemany(
            "INSERT INTO monitor (name, type, user_id, interval, retry_interval, timeout, hostname,"
            " port, parent) VALUES (?, 'port', 1, ?, ?, 48, ?, ?, ?)",
            [
                (one.name, INTERVAL_S, INTERVAL_S, one.host, one.port, groups[one.team])
                for one in fleet
            ],
        )
    db.close()


def _start(
    command: Sequence[str],
    env: dict[str, str],
    log: Path,
    processes: list[subprocess.Popen[str]],
    folder: Path | None = None,
) -> subprocess.Popen[str]:
    with log.open("a") as out:
        process = subprocess.Popen(
            command,
            env={**os.environ, **env},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            text=True,
        )
    processes.append(process)
    return process


def _answers(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            got(url)
        except (OSError, HTTPException):
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _line(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise RuntimeError("nothing is read from the process")
    return process.stdout.readline()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _commit() -> str:
    here = Path(__file__).parent
    told = ["git", "-C", str(here), "rev-parse", "--short", "HEAD"]
    return subprocess.run(told, capture_output=True, text=True, check=True).stdout.strip()
