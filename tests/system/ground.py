"""What the tests' targets stand on: listeners, a packet filter, a mail catcher, all on loopback."""

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec

TABLE = f"portquorum_test_{os.getpid()}"
"""Of this process: several that run tests are in one namespace."""


class Listener:
    """A TCP port that the kernel answers; nobody needs to accept for a connect to succeed."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self.open()

    def open(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(1024)
        self._socket = listener
        self._thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        self._thread.start()

    @staticmethod
    def _accept(listener: socket.socket) -> None:
        while True:
            try:
                listener.accept()[0].close()
            except OSError:
                return

    def close(self) -> None:
        assert self._socket is not None
        assert self._thread is not None
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


class Filter:
    """Drops packets between two addresses: a region that cannot reach a host."""

    def __init__(self) -> None:
        self._nft(
            f"add table inet {TABLE}; add chain inet {TABLE} input "
            "{ type filter hook input priority 0; }"
        )

    def drop(self, sources: list[str], host: str) -> None:
        for source in sources:
            self._nft(
                f"add rule inet {TABLE} input ip saddr {source} ip daddr {host} tcp dport != 0 "
                f'counter drop comment "{source}>{host}"'
            )

    def lift(self, source: str, host: str) -> None:
        self._lift(f"{source}>{host}")

    def _lift(self, comment: str) -> None:
        listed = self._nft(f"-a list chain inet {TABLE} input")
        for line in listed.splitlines():
            if f'"{comment}"' in line:
                handle = line.rsplit(" ", 1)[1]
                self._nft(f"delete rule inet {TABLE} input handle {handle}")

    @contextlib.contextmanager
    def silent(self, port: int) -> Iterator[None]:
        """Packets to `port` are dropped: nobody is refused, and nobody is answered."""
        word = f"silent {port}"
        self._nft(f'add rule inet {TABLE} input tcp dport {port} counter drop comment "{word}"')
        try:
            yield
        finally:
            self._lift(word)

    def remove(self) -> None:
        self._nft(f"delete table inet {TABLE}")

    @staticmethod
    def _nft(text: str) -> str:
        flags, _, rest = text.partition(" ") if text.startswith("-") else ("", "", text)
        command = ["nft", *([flags] if flags else []), rest]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
        assert done.returncode == 0, done.stderr
        return done.stdout


class Redis:
    """A real Redis server on an address of its own."""

    def __init__(self, host: str, port: int, folder: Path) -> None:
        self.host, self.port, self._folder = host, port, folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "redis-server",
                    "--bind",
                    self.host,
                    "--port",
                    str(self.port),
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                    "--dir",
                    str(self._folder),
                ],
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    @property
    def answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


class Mailbox:
    """Takes what Apprise posts to `json://`; keeps the titles in order."""

    def __init__(self) -> None:
        titles: list[tuple[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                message = msgspec.json.decode(self.rfile.read(length), type=dict[str, object])
                titles.append((str(message.get("title")), str(message.get("message"))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.messages = titles
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self._server.server_port}/"

    def about(self, name: str) -> list[str]:
        """The titles that name a target."""
        return [title for title, body in self.messages if name in title or name in body]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
