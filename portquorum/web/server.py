"""The HTTP server around the app: uvicorn in the running event loop, with limits."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from foundation import telemetry
from foundation.lifecycle import cancelled
from portquorum.web.edge import Edge

HEAD_S: Final = 10.0
"""A request must be here within this time, from its connection or its first byte on."""
IDLE_S: Final = 30
"""A connection without a request is kept open so long."""
MOST_CONNECTIONS: Final = 1000
"""Connections at a time; further ones get 503."""
_OTHER_FILES: Final = 200
"""Descriptors for Kafka, ClickHouse, metrics and logs."""
MOST_HEAD: Final = 16 * 1024
"""The largest head of a request, in bytes."""
CLOSE_S: Final = 3
"""Answers that are on their way at the end of the process have so long."""

_log: Final = telemetry.logger(__name__)


class BoundedConnection(H11Protocol):
    """A connection that is closed when a request takes too long to come.

    uvicorn bounds only the time between two requests.
    """

    head_s = HEAD_S
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request is waited for."""
        super().connection_made(transport)
        # asyncio does so only if the listening socket names its protocol (IPPROTO_TCP), which
        # socket.create_server() does not: head and body of an answer would be 40 ms apart.
        opened = transport.get_extra_info("socket")
        if opened is not None:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """From now on uvicorn's own limit counts."""
        self._wait_no_more()
        super().on_response_complete()

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


def connections_limit() -> int:
    """Connections at a time: `MOST_CONNECTIONS`, or as many as the limit of open files allows.

    The soft limit of this process is raised for them as far as the hard one lets it.
    """
    wanted = MOST_CONNECTIONS + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return MOST_CONNECTIONS
    better = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (better, hard))
        soft = better
    return max(1, min(MOST_CONNECTIONS, soft - _OTHER_FILES))


class _Server(uvicorn.Server):
    """Signals are the role's business (foundation.lifecycle)."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    app: Edge, listening: socket.socket, closing: asyncio.Event, stop: asyncio.Event
) -> None:
    """Serves until `stop` is set, and then lets answers that are on their way end.

    `closing` is set first: live streams end by it. `listening` is closed on return.

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
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=CLOSE_S,
            limit_concurrency=connections_limit(),
            h11_max_incomplete_event_size=MOST_HEAD,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        closing.set()
        server.should_exit = True
        await asyncio.wait({serving})
        if not stop.is_set():
            raise RuntimeError("the HTTP server ended by itself") from serving.exception()
        serving.result()
    finally:
        await cancelled(stopping, serving)
        listening.close()
