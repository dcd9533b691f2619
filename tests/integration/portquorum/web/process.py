"""The server over fakes as a process."""

import http.client
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[4]
PROGRAM = Path(__file__).with_name("served.py")


class Served:
    """The process and its port."""

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def tell(self, subject: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{subject}\n")
        self.process.stdin.flush()

    def ask(self, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        return connection.getresponse()

    def raw(self, data: bytes, *, receives: int | None = None) -> socket.socket:
        """`receives`: bytes that the system takes from the server without being asked."""
        opened = socket.socket()
        opened.settimeout(20)
        if receives is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        opened.connect(("127.0.0.1", self.port))
        opened.sendall(data)
        return opened

    def end(self) -> tuple[int, float]:
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20), time.monotonic() - began

    def logged(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
