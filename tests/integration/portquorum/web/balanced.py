"""Web processes as users start them, a balancer before them, and a viewer who connects again."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from foundation.settings import Settings
from tests.installed import missing
from tests.integration.sinks.notifier import rig


def port_in(log: Path, event: str = "page served") -> int:
    """The port of an address that a web process says in its log; 0 if it has not yet."""
    for line in log.read_text().splitlines():
        if f'"{event}"' in line:
            return urlsplit(json.loads(line)["address"]).port or 0
    return 0


class NotYetError(Exception):
    """503: the process does not know yet who may come in."""


class WebProcess:
    """`portquorum web` on a free port."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, port: int) -> None:
        self.process = process
        self.port = port
        self._log = log

    @classmethod
    async def start(
        cls,
        settings: Settings,
        log: Path,
        program: Sequence[str] = ("-m", "portquorum.cli", "web", "--listen", "127.0.0.1:0"),
    ) -> Self:
        """Starts it, or another program of Python that does the same; it listens on return."""
        env = {name: value for name, value in os.environ.items() if "PORTQUORUM" not in name} | {
            "PORTQUORUM_KAFKA": settings.kafka,
            "PORTQUORUM_CLICKHOUSE": settings.clickhouse,
            "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
            "PORTQUORUM_PARTITIONS": str(settings.partitions),
            "PORTQUORUM_METRICS": "127.0.0.1:0",
            "PORTQUORUM_PUBLIC_LISTEN": "127.0.0.1:0",
            "PORTQUORUM_STATUS_DOMAINS": "status.example.org=shop",
            "PORTQUORUM_LOG_FORMAT": "json",
            "PORTQUORUM_DATA_DIR": str(log.parent),
        }
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *program),
                env=env,
                stderr=file,
                stdout=file,
            )
        await rig.until(lambda: port_in(log) > 0 or process.returncode is not None, "the page")
        return cls(process, log, port_in(log))

    @property
    def public_port(self) -> int:
        """The port of the listener for strangers."""
        return port_in(self._log, "status pages served")

    async def get(self, path: str) -> Any:
        """What the API answers."""
        return json.loads(await _asked(self.port, path))

    async def viewers(self) -> int:
        """How many watch live at this process."""
        text = await _asked(port_in(self._log, "metrics served"), "/metrics")
        (line,) = re.findall(rb"^portquorum_web_viewers\S* (\S+)$", text, re.MULTILINE)
        return int(float(line))

    async def until(self, path: str, condition: Any, what: str) -> Any:
        """Asks until the answer is as wanted."""
        found: list[Any] = []

        async def holds() -> bool:
            try:
                found[:] = [await self.get(path)]
            except NotYetError:
                return False
            return bool(condition(found[0]))

        await rig.until(holds, what)
        return found[0]

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; returns its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 15)


async def _asked(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    if b" 503 " in head.splitlines()[0]:
        raise NotYetError(body.decode())
    assert b" 200 " in head.splitlines()[0], head
    return body


@asynccontextmanager
async def web(settings: Settings, log: Path) -> AsyncIterator[WebProcess]:
    """A process for as long as the context."""
    one = await WebProcess.start(settings, log)
    try:
        yield one
    finally:
        await one.end(signal.SIGKILL)


HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  retries 3
  option redispatch
  retry-on all-retryable-errors
frontend page
  bind fd@{listening}
  default_backend webs
backend webs
  balance source
  option httpchk
  http-check send meth GET uri /healthz hdr Host localhost
  timeout check 20s
  default-server check inter 1s fall 3 rise 1
"""
"""Whoever comes from one address comes to one process, as long as that one answers."""


@asynccontextmanager
async def haproxy(ports: list[int], folder: Path) -> AsyncIterator[int]:
    """HAProxy before web processes, as their operators run it; gives its port."""
    program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        missing("haproxy")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = folder / "haproxy.cfg"
        lines = [f"  server web{number} 127.0.0.1:{one}" for number, one in enumerate(ports)]
        config.write_text(HAPROXY.format(listening=listening.fileno()) + "\n".join(lines) + "\n")
        with (folder / "haproxy.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(program, "-db", "-f", str(config)),
                pass_fds=[listening.fileno()],
                stdout=log,
                stderr=log,
            )
        try:
            yield int(listening.getsockname()[1])
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class Viewer:
    """Watches live as a browser does: connects again, with the id of the last event."""

    def __init__(self, port: int, since: str) -> None:
        self._port = port
        self.position = since
        self.connections = 0
        self.seen: list[tuple[str, Any]] = []
        """Kind and data of each event."""

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._connection()
            await asyncio.sleep(0.05)

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(
                f"GET /api/v1/events HTTP/1.0\r\nHost: localhost\r\n"
                f"Last-Event-ID: {self.position}\r\n\r\n".encode()
            )
            await reader.readuntil(b"\r\n\r\n")
            self.connections += 1
            while True:
                self._take((await reader.readuntil(b"\n\n")).decode())
        finally:
            writer.close()

    def _take(self, event: str) -> None:
        fields = dict(
            line.split(": ", 1) for line in event.splitlines() if ": " in line and line[0] != ":"
        )
        if "data" in fields:
            self.seen.append((fields["event"], json.loads(fields["data"])))
            self.position = fields.get("id", self.position)

    def incidents(self) -> set[str]:
        """The targets of the incidents that it was told of."""
        return {data["incident"]["target"] for kind, data in self.seen if kind == "incident"}
