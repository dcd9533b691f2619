"""The HTTP server around the app: uvicorn in the running event loop, with limits."""

import asyncio
import contextlib
import resource
import socket
import ssl
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from foundation import telemetry
from foundation.lifecycle import cancelled
from portquorum.serving.plain_answer import say
from portquorum.serving.scopes import is_http

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

HEAD_S: Final = 10.0
"""A request must be here within this time, from its connection or its first byte on."""
IDLE_S: Final = 30
"""A connection without a request is kept open so long."""
MOST_CONNECTIONS: Final = 1000
"""Connections at a time; the requests of `_SPARE` further ones get 503."""
_SPARE: Final = 50
"""Connections beyond all of these are closed at once: each costs a descriptor."""
_QUEUE: Final = 256
"""Connections that wait to be accepted. asyncio may accept all of them before it asks for any."""
_OTHER_FILES: Final = 450
"""Descriptors for Kafka, ClickHouse, metrics and logs, for `_SPARE` and for `_QUEUE`."""
MOST_HEAD: Final = 16 * 1024
"""The largest head of a request, in bytes."""
WRITE_S: Final = 30.0
"""A client must take what is sent to it within this time, and a second more for each
`SLOWEST_BYTES`; a change of a live stream, too."""
SLOWEST_BYTES: Final = 16 * 1024
MOST_UNSENT: Final = 64 * 1024 * 1024
"""Bytes that wait for all clients together; of more, those that have waited longest are dropped."""
_SENDING: Final = 256 * 1024
"""Bytes on their way to one client in the system's buffer, which may otherwise grow to some MB."""
CLOSE_S: Final = 1
"""Answers that are on their way at the end of the process have so long. `up` waits for all roles
together: one client that takes nothing would have the page killed."""

_log: Final = telemetry.logger(__name__)
_TOO_MANY: Final = b"too many connections are open here: ask again later\n"


async def too_many(scope: "Scope", _receive: "Receive", send: "Send") -> None:
    """503 to each request, and the connection ends."""
    if is_http(scope):
        headers = [(b"retry-after", b"5"), (b"connection", b"close")]
        await say(scope, send, 503, _TOO_MANY, headers)


class Unsent:
    """The bytes that wait for clients, over all connections; the longest wait is first."""

    def __init__(self) -> None:
        self._of: dict[asyncio.Transport, int] = {}
        self._sum = 0

    def add(self, transport: asyncio.Transport) -> None:
        """Counts what waits for a client; drops others, and in the end this one, if it is much."""
        self.forget(transport)
        self._of[transport] = transport.get_write_buffer_size()
        self._sum += self._of[transport]
        while self._sum > MOST_UNSENT:
            dropped = next(iter(self._of))
            self.forget(dropped)
            _reset(dropped)

    def forget(self, transport: asyncio.Transport) -> None:
        """Nothing waits for this client any more."""
        self._sum -= self._of.pop(transport, 0)


def _reset(transport: asyncio.Transport) -> None:
    """Ends a connection and forgets what waits for its client, in the system's buffer too."""
    opened = transport.get_extra_info("socket")
    if opened is not None:
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class BoundedConnection(H11Protocol):
    """A connection that is closed when a request takes too long to come, or an answer to be taken.

    uvicorn bounds only the time between two requests. Its `limit_concurrency` is also that of
    connections, whose requests get 503 beyond it.
    """

    head_s: ClassVar[float] = HEAD_S
    write_s: ClassVar[float] = WRITE_S
    busy: "ASGIApp" = staticmethod(too_many)
    _unsent: ClassVar[Unsent] = Unsent()
    _waiting: asyncio.TimerHandle | None = None
    _sending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request is waited for."""
        super().connection_made(transport)
        if self._is_beyond_all():
            transport.abort()
            return
        opened = transport.get_extra_info("socket")
        if opened is not None:
            # asyncio does so only if the listening socket names its protocol (IPPROTO_TCP), which
            # socket.create_server() does not: head and body of an answer would be 40 ms apart.
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENDING)
        # So that `pause_writing` tells of each byte that waits, also behind the end of an answer.
        # asyncio's TLS pauses at the limit already, its TCP above it: 0 would never let TLS write.
        is_tls = transport.get_extra_info("ssl_object") is not None
        transport.set_write_buffer_limits(high=1 if is_tls else 0, low=0)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """A part of a request: the rest of it is waited for."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_more()
        elif self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for."""
        self._wait_no_more()
        self._sent()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """From now on uvicorn's own limit counts."""
        self._wait_no_more()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no request; what belongs to a request before it ends that one."""
        if self.conn.our_state is h11.IDLE:
            super().send_400_response(msg)
            return
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        self.transport.close()

    def pause_writing(self) -> None:
        """Bytes wait for the client: it has a time to take them."""
        super().pause_writing()
        seconds = self.write_s + self.transport.get_write_buffer_size() / SLOWEST_BYTES
        self._sending = self.loop.call_later(seconds, _reset, self.transport)
        self._unsent.add(self.transport)

    def resume_writing(self) -> None:
        """The client has all that was sent so far."""
        self._sent()
        super().resume_writing()

    def _is_beyond_all(self) -> bool:
        """Decides what becomes of this connection if there are too many."""
        if self.limit_concurrency is None:
            return False
        beyond = len(self.connections) - self.limit_concurrency
        if beyond > 0:
            self.app = self.busy
        self.limit_concurrency += _SPARE + 1  # uvicorn's 503 says nothing of when to come again
        return beyond > _SPARE

    def _sent(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        self._unsent.forget(self.transport)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.head_s, self._too_late)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_late(self) -> None:
        self._waiting = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


def connections_limit(listeners: int = 1) -> int:
    """Connections at a time: `MOST_CONNECTIONS`, or as many as the limit of open files allows.

    Each of several listeners of this process has its share of its own: who floods one of them
    leaves the others theirs. The soft limit of this process is raised for them as far as the hard
    one lets it.
    """
    wanted = listeners * MOST_CONNECTIONS + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return MOST_CONNECTIONS
    better = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (better, hard))
        soft = better
    return max(1, min(MOST_CONNECTIONS, (soft - _OTHER_FILES) // listeners))


class _Server(uvicorn.Server):
    """Signals are the role's business (foundation.lifecycle), and TLS has a limit of its own."""

    tls: ssl.SSLContext | None = None
    busy: "ASGIApp" = staticmethod(too_many)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens; uvicorn would wait a minute for who begins no TLS."""
        await super().startup(sockets=[])
        loop = asyncio.get_running_loop()
        for listening in sockets or ():
            self.servers.append(
                await loop.create_server(
                    self._connection,
                    sock=listening,
                    ssl=self.tls,
                    backlog=_QUEUE,
                    ssl_handshake_timeout=None if self.tls is None else HEAD_S,
                )
            )

    def _connection(self) -> asyncio.Protocol:
        connection = BoundedConnection(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        connection.busy = self.busy
        return connection

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    app: "ASGIApp",
    listening: socket.socket,
    closing: asyncio.Event,
    stop: asyncio.Event,
    *,
    tls: ssl.SSLContext | None = None,
    busy: "ASGIApp" = too_many,
    listeners: int = 1,
) -> None:
    """Serves until `stop` is set, and then lets answers that are on their way end.

    `closing` is set first: live streams end by it. `listening` is closed on return. `tls` None:
    plain HTTP. `busy` answers connections beyond the limit, which this process has for each of its
    `listeners`.

    Raises:
        RuntimeError: the server ended by itself.
    """
    server = _Server(
        uvicorn.Config(
            app,
            http=BoundedConnection,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_QUEUE,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=CLOSE_S + 1,
            limit_concurrency=connections_limit(listeners),
            h11_max_incomplete_event_size=MOST_HEAD,
        )
    )
    server.tls = tls
    server.busy = busy
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        closing.set()
        server.should_exit = True
        await asyncio.wait({serving}, timeout=CLOSE_S)
        for connection in list(server.server_state.connections):
            _reset(connection.transport)
        await asyncio.wait({serving})
        if not stop.is_set():
            raise RuntimeError("the HTTP server ended by itself") from serving.exception()
        serving.result()
    finally:
        await cancelled(stopping, serving)
        listening.close()
