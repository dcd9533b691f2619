"""The drill's own receiver of messages, and the port that it closes."""

import asyncio
import contextlib
import random
import secrets
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from msgspec import Struct

_MOST_BYTES: Final = 2**20

# Below the ephemeral ports of Linux: while it is closed, no connection takes it as its own end.
_PORTS: Final = range(20_000, 32_000)


class _DrillIncident(Struct, frozen=True):
    target: str = ""


class _DrillData(Struct, frozen=True):
    action: str
    title: str = ""
    incident: _DrillIncident = _DrillIncident()


class _DrillCall(Struct, frozen=True):
    data: _DrillData


class DrillMessage(Struct, frozen=True):
    """A message that came: what it asks for, its title and the target that it is about."""

    action: str
    title: str
    target: str


class DrillReceiver:
    """An HTTP server that takes the notifier's webhook; `messages` are those that came."""

    def __init__(self, host: str) -> None:
        """Listens on entering, on a free port of `host`, under a path that nobody can guess."""
        self.messages: asyncio.Queue[DrillMessage] = asyncio.Queue()
        self._host = host
        self._path = f"/{secrets.token_urlsafe(16)}"
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """The channel's URL.

        Raises:
            RuntimeError: it does not listen.
        """
        if self._server is None:
            raise RuntimeError("enter the receiver first: `async with DrillReceiver(…)`")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"webhook+http://{host}:{self._server.server_address[1]}{self._path}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()

        def came(message: DrillMessage) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self.messages.put_nowait, message)

        self._server = _server(self._host, _handler(self._path, came))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            await asyncio.to_thread(self._server.shutdown)
            self._server.server_close()


def _server(host: str, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    class DrillServer(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    return DrillServer((host, 0), handler)


def _handler(path: str, came: Callable[[DrillMessage], None]) -> type[BaseHTTPRequestHandler]:
    class DrillHandler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            size = self.headers.get("Content-Length", "")
            if self.path != path or not size.isdigit() or int(size) > _MOST_BYTES:
                self.send_error(404)
                return
            try:
                data = msgspec.json.decode(self.rfile.read(int(size)), type=_DrillCall).data
            except msgspec.DecodeError:
                self.send_error(400)
                return
            came(DrillMessage(data.action, data.title, data.incident.target))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: the screen is the drill's."""

    return DrillHandler


class DrillListener:
    """The port that is watched; it keeps its number while it is closed."""

    def __init__(self, host: str, port: int) -> None:
        """It is not open before `open`."""
        self.host = host
        self.port = port
        self._server: asyncio.Server | None = None

    @classmethod
    async def start(cls, host: str) -> Self:
        """Listens on a free port of `host`.

        Raises:
            OSError: none of a hundred was free, or the address is not this machine's.
        """
        ports = random.sample(_PORTS, 100)
        for port in ports[:-1]:
            listener = cls(host, port)
            with contextlib.suppress(OSError):
                await listener.open()
                return listener
        listener = cls(host, ports[-1])
        await listener.open()
        return listener

    async def open(self) -> None:
        """Listens (again).

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(_hang_up, self.host, self.port)

    async def close(self) -> None:
        """Closes the port; on return nothing listens on it."""
        if self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.sleep(0)


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()
