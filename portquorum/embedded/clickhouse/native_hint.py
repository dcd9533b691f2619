"""An answer for clients of ClickHouse's native protocol, which is not spoken here: where to go.

clickhouse-client and many drivers begin at port 9000. There, and where HTTP is spoken, their first
packet (Hello, whose first byte is 0) gets an Exception packet, which they show. What a client sends
is dropped unread: a Hello has a password.

Source: ClickHouse, src/Server/TCPHandler.cpp (receiveHello), src/IO/WriteHelpers.h
(writeException), src/Core/Protocol.h.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from aiohttp import web

from portquorum.embedded.service.addresses import ListenAddress

AUTO: Final = "auto"
OFF: Final = "off"
PORT: Final = 9000
"""Where clients of the native protocol look."""
HTTP_PORT: Final = 8123
"""Only beside ClickHouse's own port for HTTP, `auto` listens."""

_HELLO: Final = b"\x00"
_EXCEPTION: Final = b"\x02"
_NOT_IMPLEMENTED: Final = 48
_NAME: Final = b"DB::Exception"
_MOST_CONNECTIONS: Final = 64
_WITHIN_S: Final = 5.0
"""Lifetime of a connection, in s."""
_MOST_BYTES: Final = 64 << 10
"""Most bytes of a connection, which are dropped."""
_BEGINS_HTTP: Final = (b"G", b"P", b"H", b"O", b"D")

MOST_CONNECTIONS: Final = 500
"""Most connections of HTTP; each may hold a statement or form of 1 MiB that never becomes whole."""
HOLDS: Final = "portquorum.holds"
"""Key of a request whose connection is not closed for a new one: somebody has its turn."""

Answering = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
"""Answers a request."""


def hint(url: str) -> str:
    """The sentence for a client."""
    return (
        "The embedded ClickHouse speaks HTTP, and not the native protocol: "
        f"connect by HTTP to {url} (docs/embedded.md)"
    )


def exception(text: str) -> bytes:
    """The Exception packet: code, name, message, no stack trace, no nested exception."""
    message = _NAME + b": " + text.encode() + b". (NOT_IMPLEMENTED)"
    return (
        _EXCEPTION
        + struct.pack("<i", _NOT_IMPLEMENTED)
        + _string(_NAME)
        + _string(message)
        + _string(b"")
        + b"\x00"
    )


def place(asked: str, http: ListenAddress) -> str | None:
    """`HOST:PORT` for the hint; None if there is none.

    Args:
        asked: `auto`, `off` or `HOST:PORT`.
        http: where HTTP is spoken; only beside its usual port, `auto` is a place.
    """
    if asked == OFF or (asked == AUTO and http.port != HTTP_PORT):
        return None
    return str(ListenAddress(http.host, PORT)) if asked == AUTO else asked


async def listen(address: ListenAddress, url: str) -> asyncio.Server:
    """Answers at an address.

    Args:
        address: where.
        url: of the HTTP interface, without user and password.

    Raises:
        OSError: the address can't be listened on.
    """
    loop = asyncio.get_running_loop()
    open_: set[asyncio.Transport] = set()
    native = exception(hint(url))
    http = (
        f"Port {address.port} is for ClickHouse's native protocol, which is not spoken here. "
        f"Use {url} for HTTP.\n"
    ).encode()
    head = f"HTTP/1.0 400 Bad Request\r\nContent-Length: {len(http)}\r\n\r\n".encode()
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return await loop.create_server(
        lambda: _Hint(open_, native, head + http), address.host, address.port, family=family
    )


class _Hint(asyncio.Protocol):
    """One connection: one answer, and what else comes is dropped."""

    def __init__(self, open_: set[asyncio.Transport], native: bytes, http: bytes) -> None:
        self._open = open_
        self._native = native
        self._http = http
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if len(self._open) >= _MOST_CONNECTIONS:
            self._transport.abort()
            return
        self._open.add(self._transport)
        self._end = asyncio.get_running_loop().call_later(_WITHIN_S, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        if not self._size:
            if data.startswith(_HELLO):
                self._transport.write(self._native)
            elif data.startswith(_BEGINS_HTTP):
                self._transport.write(self._http)
            else:
                self._transport.abort()
                return
            # Not closed at once: with bytes of the client's unread, it would lose the answer.
            self._transport.write_eof()
        self._size += len(data)
        if self._size > _MOST_BYTES:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's)
        if self._transport in self._open:
            self._open.remove(self._transport)
            self._end.cancel()


class HttpServer(web.Server):
    """aiohttp's, with the answer for native clients, and a bound for connections."""

    def __init__(self, url: str, handler: Answering, **options: Any) -> None:
        """Takes the server's URL, for the hint, and what aiohttp's own takes."""
        super().__init__(handler, **options)
        self._native = exception(hint(url))

    def __call__(self) -> web.RequestHandler:
        """The handler of a connection."""
        return _Handler(self, self._native, loop=self._loop, **self._kwargs)

    def make_room(self) -> None:
        """Closes the oldest connection that only waits, if there are too many.

        So whoever opens many and sends nothing, or byte by byte, closes its own.
        """
        # Of those that come at once each one closes another: what is closed is still listed.
        handlers = [one for one in self.connections if isinstance(one, _Handler) and one.is_open]
        if len(handlers) > MOST_CONNECTIONS:
            oldest = next((one for one in handlers if not one.holds), None)
            if oldest is not None and oldest.transport is not None:
                oldest.transport.abort()


class _Handler(web.RequestHandler):
    __slots__ = ("_native", "_room", "_spoke")

    def __init__(self, server: HttpServer, native: bytes, **options: Any) -> None:
        super().__init__(server, **options)
        self._native = native
        self._spoke = False
        self._room = server

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed the connection yet."""
        return self.transport is not None and not self.transport.is_closing()

    @property
    def holds(self) -> bool:
        """Whether a request of this connection has its turn."""
        return self._current_request is not None and bool(self._current_request.get(HOLDS))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._room.make_room()

    def data_received(self, data: bytes) -> None:
        if not self._spoke and data.startswith(_HELLO) and self.transport is not None:
            # No request of HTTP begins so.
            self.transport.write(self._native)
            self.force_close()
            return
        self._spoke = True
        super().data_received(data)


def _string(data: bytes) -> bytes:
    size = len(data)
    made = bytearray()
    while size > 0x7F:
        made.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(made) + bytes([size]) + data
