"""The orderly end of TCP connections (FIN), beside the checks that made them.

A reset is what servers write into their logs and count as an aborted connection. So a connection
over which something was said ends as RFC 9293, section 3.6, has it: our FIN, the server's FIN. The
wait for the server's FIN is bounded, and no check waits for it.
"""

import asyncio
import contextlib
import socket
import time
from collections import Counter, deque
from typing import Final

from msgspec import Struct

from producers.checks import tcp_socket

MOST: Final = 200
"""The most connections that wait for the server's FIN; with more the oldest is closed at once."""

WITHIN_S: Final = 0.1
"""The longest wait for the server's FIN."""

TICK_S: Final = 0.01
"""Between two looks at the waiting connections."""

OUR_FIN_AFTER_S: Final = 0.06
"""From then on our FIN is the first: a server may wait for it. Exim does for 200 ms after QUIT."""

MOST_BYTES: Final = 65_536
"""The most bytes that are read after the check; a server that sends more gets a reset."""

FIRST_FINS: Final = 5_000
"""The most connections to one address and port within `_SPAN_S` that we close before the server."""

_SPAN_S: Final = 60.0
_CHUNK: Final = 16_384

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
    first: bool
    """Whether our FIN was sent first; it is counted already."""
    received: int = 0


class Closer:
    """Closes connections after their check. One a loop; made inside it.

    Each connection is looked at after one or two ticks, which nearly always is enough, then when
    our FIN is due, and at the end of its time.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._new: list[_Waiting] = []
        self._next: list[_Waiting] = []
        self._slow: deque[tuple[float, _Waiting]] = deque()
        self._last: deque[tuple[float, _Waiting]] = deque()
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Event = asyncio.Event()
        self._empty.set()
        self._ended = False
        self._first_fins = FirstFins()

    def __len__(self) -> int:
        """The number of connections that are not closed yet, each with a file descriptor."""
        return self._count

    def close(self, sock: socket.SocketType, peer: Peer, *, server_first: bool) -> None:
        """Takes over a connected socket without SO_LINGER and closes it soon.

        `server_first`: the server was told goodbye and closes by itself, so that its side keeps
        the port. Otherwise our FIN is sent at once. Never blocks, raises nothing.
        """
        if not server_first:
            if not self._first_fins.allows(peer, time.monotonic()):
                _reset(sock)
                return
            try:
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                sock.close()
                return
        one = _Waiting(sock, peer, not server_first)
        if self._ended:
            self._end(one)
            return
        if self._count >= MOST:
            self._end(self._oldest())
        else:
            self._count += 1
        self._new.append(one)
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
        while self._count:
            self._count -= 1
            self._end(self._oldest())
        self._empty.set()

    def _oldest(self) -> _Waiting:
        late = self._last or self._slow
        if late:
            return late.popleft()[1]
        return self._next.pop(0) if self._next else self._new.pop(0)

    def _look(self) -> None:
        now = time.monotonic()
        while self._last and self._last[0][0] <= now:
            self._count -= 1
            self._end(self._last.popleft()[1])
        while self._slow and self._slow[0][0] <= now:
            one = self._slow.popleft()[1]
            if _closed(one) or not self._send_fin(one, now):
                self._count -= 1
            else:
                self._last.append((now + WITHIN_S - OUR_FIN_AFTER_S, one))
        looked_at, self._next, self._new = self._next, self._new, []
        for one in looked_at:
            if _closed(one):
                self._count -= 1
            else:
                self._slow.append((now + OUR_FIN_AFTER_S - 2 * TICK_S, one))
        if self._count:
            self._timer = self._loop.call_later(TICK_S, self._look)
        else:
            self._timer = None
            self._empty.set()

    def _send_fin(self, one: _Waiting, now: float) -> bool:
        """Sends our FIN where it may still be the first; whether the connection is open then."""
        if not one.first and self._first_fins.allows(one.peer, now):
            try:
                one.sock.shutdown(socket.SHUT_WR)
            except OSError:
                one.sock.close()
                return False
            one.first = True
        return True

    def _end(self, one: _Waiting) -> None:
        """Closes a connection, even if its server has not closed, or not yet."""
        if _closed(one):
            return
        if one.first or self._first_fins.allows(one.peer, time.monotonic()):
            one.sock.close()
        else:
            _reset(one.sock)


def _closed(one: _Waiting) -> bool:
    """Closes the connection if the server has, or if only a reset ends it.

    All is read before: unread bytes would turn our FIN into a reset (RFC 2525, section 2.17).
    """
    sock = one.sock
    try:
        while one.received < MOST_BYTES:
            data = sock.recv(_CHUNK)
            if not data:
                break
            one.received += len(data)
        else:
            tcp_socket.reset_on_close(sock)
    except BlockingIOError:
        return False
    except OSError:
        pass  # reset by the server
    sock.close()
    return True


def _reset(sock: socket.SocketType) -> None:
    with contextlib.suppress(OSError):
        tcp_socket.reset_on_close(sock)
    sock.close()
