"""What the long proofs of the prober stand on: ports on loopback, and a prober as it is shipped."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import psutil

from foundation.settings import Settings

END_S: Final = 30.0

_LISTENER: Final = """
import os, select, socket, sys
servers = {}
epoll = select.epoll()
for text in sys.argv[1:]:
    server = socket.create_server(("0.0.0.0", int(text)), backlog=4096)
    server.setblocking(False)
    servers[server.fileno()] = server
    epoll.register(server.fileno(), select.EPOLLIN)
print("ready", flush=True)
while True:
    for number, _ in epoll.poll():
        for _ in range(4096):
            try:
                os.close(servers[number]._accept()[0])
            except BlockingIOError:
                break
"""


class Door:
    """TCP ports, on every address of this machine; open or closed. A process of its own."""

    def __init__(self, *ports: int) -> None:
        self._ports = ports
        self._process: subprocess.Popen[str] | None = None

    def open(self) -> None:
        """Returns when connections are taken."""
        self._process = subprocess.Popen(
            [sys.executable, "-IS", "-c", _LISTENER, *map(str, self._ports)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def close(self) -> None:
        """From here on connections are refused."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextmanager
def doors(*ports: int) -> Iterator[Door]:
    """Open ports."""
    door = Door(*ports)
    try:
        door.open()
        yield door
    finally:
        door.close()


@contextmanager
def silent_port() -> Iterator[int]:
    """A port whose SYNs nobody answers, on every address: its accept queue is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=0))
        port = int(server.getsockname()[1])
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        yield port


def free_ports(count: int) -> list[int]:
    """Ports that nobody has on any address, at this moment."""
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("", 0))) for _ in range(count)]
        return [int(server.getsockname()[1]) for server in servers]


class Prober:
    """`portquorum probe` as a process, watched from outside."""

    def __init__(self, settings: Settings, region: str, log: Path) -> None:
        self.log = log
        self._metrics = f"127.0.0.1:{free_ports(1)[0]}"
        chosen = {
            "KAFKA": settings.kafka,
            "TOPIC_PREFIX": settings.topic_prefix,
            "PARTITIONS": settings.partitions,
            "METRICS": self._metrics,
            "DATA_DIR": settings.data_dir,
            "PROBE_SPOOL_MEMORY_RESULTS": settings.probe_spool_memory_results,
            "LOG_FORMAT": "json",
        }
        variables = {f"PORTQUORUM_{name}": str(value) for name, value in chosen.items()}
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "portquorum.cli", "probe", "--region", region],
                env=os.environ | variables,
                stdout=output,
                stderr=output,
            )
        self._watched = psutil.Process(self.process.pid)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def cpu_s(self) -> float:
        """User and system."""
        times = self._watched.cpu_times()
        return float(times.user + times.system)

    @property
    def most_memory_mb(self) -> float:
        """Resident, the most there ever was (VmHWM)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024 / 1e6

    def metrics(self) -> dict[str, float]:
        """What it tells Prometheus, by name and labels."""
        with urllib.request.urlopen(f"http://{self._metrics}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    async def tells(self, name: str) -> float:
        """One of its metrics; 0 while it does not answer yet."""
        assert self.running, f"the prober ended by itself: {self.log}"
        try:
            found = await asyncio.to_thread(self.metrics)
        except OSError:
            return 0.0
        return found.get(name, 0.0)

    async def end(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, END_S)


@asynccontextmanager
async def probing(settings: Settings, region: str, log: Path) -> AsyncIterator[Prober]:
    """A prober; it is gone afterwards."""
    prober = Prober(settings, region, log)
    try:
        yield prober
    finally:
        if prober.running:
            prober.process.kill()
        await asyncio.to_thread(prober.process.wait)
