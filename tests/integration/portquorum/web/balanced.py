"""Web processes as users start them, a balancer before them, and a viewer who connects again."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from foundation.settings import Settings
from tests.integration.sinks.notifier import rig


def port_in(log: Path) -> int:
    """The port that a web process says in its log; 0 if it has not yet."""
    for line in log.read_text().splitlines():
        if '"page served"' in line:
            return int(json.loads(line)["address"].rstrip("/").rpartition(":")[2])
    return 0


class WebProcess:
    """`portquorum web` on a free port."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, port: int) -> None:
        self.process = process
        self.port = port
        self._log = log

    @classmethod
    async def start(cls, settings: Settings, log: Path) -> Self:
        """Starts it; it listens on return."""
        env = {name: value for name, value in os.environ.items() if "PORTQUORUM" not in name} | {
            "PORTQUORUM_KAFKA": settings.kafka,
            "PORTQUORUM_CLICKHOUSE": settings.clickhouse,
            "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
            "PORTQUORUM_PARTITIONS": str(settings.partitions),
            "PORTQUORUM_METRICS": "127.0.0.1:0",
            "PORTQUORUM_LOG_FORMAT": "json",
            "PORTQUORUM_DATA_DIR": str(log.parent),
        }
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "portquorum.cli", "web", "--listen", "127.0.0.1:0"),
                env=env,
                stderr=file,
                stdout=file,
            )
        await rig.until(lambda: port_in(log) > 0 or process.returncode is not None, "the page")
        return cls(process, log, port_in(log))

    async def get(self, path: str) -> Any:
        """What the API answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        assert b" 200 " in head.splitlines()[0], head
        return json.loads(body)

    async def until(self, path: str, condition: Any, what: str) -> Any:
        """Asks until the answer is as wanted."""
        found: list[Any] = []

        async def holds() -> bool:
            found[:] = [await self.get(path)]
            return bool(condition(found[0]))

        await rig.until(holds, what)
        return found[0]

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; returns its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 15)


@asynccontextmanager
async def web(settings: Settings, log: Path) -> AsyncIterator[WebProcess]:
    """A process for as long as the context."""
    one = await WebProcess.start(settings, log)
    try:
        yield one
    finally:
        await one.end(signal.SIGKILL)


class Balancer:
    """Gives connections to backends in turn, and to the next one if one does not listen."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._turn = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Listens for as long as the context."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            there, back = await self._backend()
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass(reader, back), _pass(there, writer))

    async def _backend(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self._ports:
            port = self._ports[self._turn % len(self._ports)]
            self._turn += 1
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        raise OSError("no backend listens")


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()


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
