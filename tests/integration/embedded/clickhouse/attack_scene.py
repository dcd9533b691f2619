"""A ClickHouse service between secrets, and whatever of the surroundings could show a leak."""

import base64
import contextlib
import hashlib
import json
import os
import re
import selectors
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote, urlsplit

import psutil

from tests.integration.embedded.clickhouse.pings import Found
from tests.integration.embedded.processes import wait_until
from tests.standstill import Standstill

FILE_MARK: Final = "mark-of-a-file-7f3a"
ENVIRONMENT_MARK: Final = "mark-of-the-environment-91c2"
MARKS: Final = (FILE_MARK, ENVIRONMENT_MARK)
# Where servers of all kinds listen: those that the engine's clients would ask by themselves.
WELL_KNOWN: Final = (22, 53, 80, 443, 1433, 3306, 5432, 6379, 8080, 9000, 9092, 9181, 9440, 27017)
ANSWER_S: Final = 45.0
"""A body that does not go on is given up after 30 s, and its connection after 10 s more."""
_MORE_S: Final = 0.25
"""A request that has no answer by then has perhaps no end."""
_LONG_AGO_NS: Final = 1_000_000_000_000_000_000


def forms(mark: str) -> list[bytes]:
    """A text as it could stand in an answer: plain, in hexadecimal, in base 64, backwards."""
    raw = mark.encode()
    packed = [base64.b64encode(b" " * shift + raw)[4:-4] for shift in range(3)]
    return [raw, raw.hex().encode(), raw.hex().upper().encode(), raw[::-1], *packed]


class Surroundings:
    """A folder that nobody may read or write, around the data directory of a service."""

    def __init__(self, place: Path) -> None:
        """Writes the secrets."""
        self.place = place
        self.data = place / "data"
        self.outside = place / "outside"
        for name in ("data", "outside", "home/.ssh", "tmp", "cwd"):
            (place / name).mkdir(parents=True)
        for path in ("outside/secret.csv", "outside/other.csv", "home/.ssh/id_rsa", "cwd/e.txt"):
            (place / path).write_text(f"{FILE_MARK},1\n")
        (place / "data" / "neighbour.csv").write_text(f"{FILE_MARK},1\n")
        program = self.outside / "run.sh"
        program.write_text(f"#!/bin/sh\ntouch {self.outside}/ran\necho {FILE_MARK}\n")
        program.chmod(0o755)
        with contextlib.closing(sqlite3.connect(self.outside / "secret.sqlite")) as database:
            database.execute("CREATE TABLE secrets (x TEXT)")
            database.execute("INSERT INTO secrets VALUES (?)", (FILE_MARK,))
            database.commit()

    def settle(self) -> None:
        """Sets the times of access back, so that the next reading is seen (`relatime`)."""
        for path in self._files():
            os.utime(path, ns=(_LONG_AGO_NS, path.stat().st_mtime_ns))

    def state(self) -> dict[str, str]:
        """Each file and folder outside of the engine's own: what it is, and whether it was read."""
        found = {}
        for path in [self.place, *self._all()]:
            about = path.lstat()
            read = about.st_atime_ns if path.is_file() else 0
            text = _hash(path) if path.is_file() else ""
            times = f"{about.st_ctime_ns}" if path.is_file() else ""
            found[str(path)] = f"{about.st_ino} {about.st_mode:o} {times} {read} {text}"
        return found

    def _files(self) -> list[Path]:
        return [path for path in self._all() if path.is_file()]

    def _all(self) -> list[Path]:
        own = self.data / "clickhouse"
        inside = [own / name for name in ("data", "inserts", "tmp")]
        return [
            path
            for path in sorted(self.place.rglob("*"))
            if not any(path.is_relative_to(folder) for folder in inside)
            and path.parent.name != "logs"
        ]


def _hash(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOATIME)
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def own_state(folder: Path) -> dict[str, str]:
    """The engine's files, by their content; those that it writes by itself are left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and name.partition("/")[0] not in {"status", "tmp", "uuid"}:
            found[name] = _hash(path)
    return found


class Listeners:
    """Takes every connection and datagram, and remembers that it came."""

    def __init__(self, ports: Sequence[int]) -> None:
        """Listens on all addresses; the first port is a free one."""
        self.seen: list[str] = []
        self._selector = selectors.DefaultSelector()
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            for port in (0 if kind == socket.SOCK_STREAM else self.port, *ports):
                server = socket.socket(socket.AF_INET6, kind)
                server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                server.bind(("::", port))
                if kind == socket.SOCK_STREAM:
                    server.listen()
                if not port:
                    self.port: int = server.getsockname()[1]
                server.setblocking(False)
                self._selector.register(server, selectors.EVENT_READ)
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            for key, _ in self._selector.select():
                server = key.fileobj
                assert isinstance(server, socket.socket)
                with contextlib.suppress(OSError):
                    if server.type == socket.SOCK_DGRAM:
                        data, source = server.recvfrom(4096)
                        self.seen.append(f"datagram {data!r} from {source}")
                    else:
                        taken, source = server.accept()
                        taken.close()
                        self.seen.append(f"connection to {server.getsockname()[1]} from {source}")


class Service:
    """The service as a child; what it says is kept."""

    def __init__(self, surroundings: Surroundings, module: str) -> None:
        """Starts it and waits for its address."""
        environment = {
            name: text for name, text in os.environ.items() if not name.startswith("PORTQUORUM_")
        }
        environment |= {
            "HOME": str(surroundings.place / "home"),
            "TMPDIR": str(surroundings.place / "tmp"),
            "PYTHONPATH": os.getcwd(),  # noqa: PTH109
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_SECRET_ACCESS_KEY": ENVIRONMENT_MARK,
            "A_SECRET": ENVIRONMENT_MARK,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "--listen", "127.0.0.1:0", "--data", surroundings.data],
            cwd=surroundings.place / "cwd",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.said = bytearray()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        announced = surroundings.data / "services.json"
        wait_until(lambda: announced.exists() or self.ended, 60, f"start: {self.said!r}")
        assert not self.ended, self.said
        parts = urlsplit(json.loads(announced.read_text())["clickhouse"])
        self.port = parts.port or 0
        self.password = unquote(parts.password or "")
        self.owner = {"X-ClickHouse-User": "portquorum", "X-ClickHouse-Key": self.password}
        watched = psutil.Process(self.process.pid)
        wait_until(lambda: self._engine_of(watched) is not None, 10, "the engine")
        engine = self._engine_of(watched)
        assert engine is not None
        self.engine = engine
        self.own = surroundings.data / "clickhouse" / "data"

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def ask(
        self,
        sql: str,
        *,
        owner: bool,
        params: str = "",
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of a POST's answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            who = self.owner if owner else {}
            body = sql.encode(errors="surrogatepass")
            connection.request("POST", f"/?{params}", body, who | dict(headers or {}))
            with connection.getresponse() as answer:
                return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()

    def value(self, sql: str) -> str:
        """What the owner's statement gives."""
        status, _, body = self.ask(sql, owner=True)
        assert status == 200, body
        return body.decode()

    def stop(self) -> float:
        """Seconds until it has ended after SIGTERM, without those in which nothing could run."""
        with Standstill() as standstill:
            begun_at = time.monotonic()
            self.process.terminate()
            self.process.wait(60)
            self._listening.join(5)
            took_s = time.monotonic() - begun_at
        return max(0.0, took_s - standstill.lost_s)

    def kill(self) -> None:
        if not self.ended:
            self.process.kill()
            self.process.wait()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            while part := os.read(said.fileno(), 1 << 16):
                self.said += part

    @staticmethod
    def _engine_of(process: psutil.Process) -> psutil.Process | None:
        for child in process.children():
            with contextlib.suppress(psutil.Error):
                if "portquorum.embedded.clickhouse.engine_process" in child.cmdline():
                    return child
        return None


class Pings:
    """Another process (pings.py) that asks for `/ping` all the while."""

    def __init__(self, port: int) -> None:
        """Starts with `with`; what it found is there at the end."""
        self._command = [
            sys.executable,
            "-m",
            "tests.integration.embedded.clickhouse.pings",
            str(port),
        ]
        self.found = Found()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        said, _error = self._process.communicate(timeout=60)
        self.found = Found(**json.loads(said))


@contextlib.contextmanager
def running(surroundings: Surroundings, module: str) -> Iterator[Service]:
    """A service, killed at the end if nothing else ended it."""
    service = Service(surroundings, module)
    try:
        yield service
    finally:
        service.kill()


def read_answer(connection: socket.socket, answer: bytearray) -> None:
    """Reads one answer; of a request that has no end, says so, and reads what there is.

    Raises:
        TimeoutError: the server neither answers nor closes.
    """
    connection.settimeout(_MORE_S)
    try:
        while not _is_whole(answer):
            part = connection.recv(1 << 16)
            if not part:
                return
            answer += part
    except TimeoutError:
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(ANSWER_S)
        while part := connection.recv(1 << 16):
            answer += part


def _is_whole(answer: bytearray) -> bool:
    """Whether the first answer has its end."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found or head.startswith(b"HTTP/1.1 100"):
        return False
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if length is not None:
        return len(body) >= int(length[1])
    return body.endswith(b"0\r\n\r\n")
