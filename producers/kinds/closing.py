"""The orderly end of TCP connections (FIN), beside the checks that made them.

A reset is what servers write into their logs and count as an aborted connection. So a connection
over which something was said ends as RFC 9293, section 3.6, has it: our FIN, the server's FIN. The
wait for the server's FIN is bounded, and no check waits for it.
"""

import asyncio
import contextlib
import socket
import struct
import time
from collections import Counter
from typing import Final

from msgspec import Struct

MOST: Final = 100
"""The most connections that wait for the server's FIN; with more the oldest is closed at once."""

WITHIN_S: Final = 0.1
"""The longest wait for the server's FIN."""

TICK_S: Final = 0.01
"""Between two looks at the waiting connections."""

MOST_BYTES: Final = 65_536
"""The most bytes that are read after the check; a server that sends more gets a reset."""

FIRST_FINS: Final = 5_000
"""The most connections to one address and port within `_SPAN_S` that we close before the server."""

_SPAN_S: Final = 60.0
_CHUNK: Final = 16_384
_FIN_ON_CLOSE: Final = struct.pack("ii", 0, 0)
_SOL_SOCKET: Final = int(socket.SOL_SOCKET)
_SO_LINGER: Final = int(socket.SO_LINGER)

Peer = tuple[str, int]
"""Address and port of the server."""


class FirstFins:
    """Counts the connections that we closed before the server did, for each peer.

    Whoever sends the first FIN keeps the local port for a minute (TIME_WAIT), and Linux has about
    28,000 ports for all connections to one address and port. Beyond `FIRST_FINS` in each of two
    spans a connection ends by a reset, which keeps no port. Times are monotonic seconds.
    """

    def __init__(self) -> None:
        self._now: Counter[Peer] = Counter()
        self._since = 0.0

    def allows(self, peer: Peer, now: float) -> bool:
        """Whether we may send the first FIN to this peer; counts it."""
        if now - self._since >= _SPAN_S:
            self._now.clear()
            self._since = now
        self._now[peer] += 1
        return self._now[peer] <= FIRST_FINS


class _Waiting(Struct, gc=False):
    sock: socket.SocketType
    peer: Peer
    until: float
    first: bool
    """Whether our FIN was sent first; it is counted already."""
    received: int = 0


class Closer:
    """Closes connections after their check. One a loop; made inside it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Event = asyncio.Event()
        self._empty.set()
        self._ended = False
        self._first_fins = FirstFins()

    def __len__(self) -> int:
        """The number of connections that are not closed yet, each with a file descriptor."""
        return len(self._waiting)

    def close(self, sock: socket.SocketType, peer: Peer, *, server_first: bool) -> None:
        """Takes over a connected socket and closes it soon.

        `server_first`: the server was told goodbye and closes by itself, so that its side keeps
        the port. Otherwise our FIN is sent at once. Never blocks, raises nothing.
        """
        now = time.monotonic()
        if not server_first:
            if not self._first_fins.allows(peer, now):
                sock.close()  # SO_LINGER is still 0: a reset
                return
            try:
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                sock.close()
                return
        if self._ended:
            self._end(_Waiting(sock, peer, now, not server_first), now)
            return
        if len(self._waiting) >= MOST:
            self._end(self._waiting.pop(0), now)
        self._waiting.append(_Waiting(sock, peer, now + WITHIN_S, not server_first))
        if self._timer is None:
            self._empty.clear()
            self._timer = self._loop.call_later(TICK_S, self._look)

    async def closed(self, within_s: float) -> None:
        """Returns when no connection is left to close, or after `within_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._empty.wait()

    def end(self) -> None:
        """Closes all connections at once, and from now on each as it comes."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = time.monotonic()
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            self._end(one, now)
        self._empty.set()

    def _look(self) -> None:
        now = time.monotonic()
        self._waiting = [one for one in self._waiting if not self._over(one, now)]
        if self._waiting:
            self._timer = self._loop.call_later(TICK_S, self._look)
        else:
            self._timer = None
            self._empty.set()

    def _over(self, one: _Waiting, now: float) -> bool:
        over = _server_closed(one)
        if over is None:
            if now < one.until:
                return False
            self._end(one, now)
            return True
        if over:
            _close_with_fin(one.sock)
        else:
            one.sock.close()
        return True

    def _end(self, one: _Waiting, now: float) -> None:
        """Closes a connection whose server has not closed, or not yet."""
        over = _server_closed(one)
        if over or (over is None and (one.first or self._first_fins.allows(one.peer, now))):
            _close_with_fin(one.sock)
        else:
            one.sock.close()


def _server_closed(one: _Waiting) -> bool | None:
    """Reads what is there: True at the server's FIN, None before it, False if a reset must do.

    Unread bytes would turn our FIN into a reset (RFC 2525, section 2.17).
    """
    try:
        while one.received < MOST_BYTES:
            data = one.sock.recv(_CHUNK)
            if not data:
                return True
            one.received += len(data)
    except BlockingIOError:
        return None
    except OSError:
        return False
    return False


def _close_with_fin(sock: socket.SocketType) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(_SOL_SOCKET, _SO_LINGER, _FIN_ON_CLOSE)
    sock.close()
