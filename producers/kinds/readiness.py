"""The wait until a socket can be read or written, for all checks of an engine."""

import asyncio
import contextlib
import select
from typing import Final, Protocol

_BULK: Final = 128
"""The most sockets that are told at once, before the event loop continues with other work."""

_WRITE: Final = select.EPOLLOUT | select.EPOLLONESHOT if hasattr(select, "epoll") else 0
_READ: Final = select.EPOLLIN | select.EPOLLONESHOT if hasattr(select, "epoll") else 0


class Readiness(Protocol):
    """Waits for sockets, each for one thing at a time. `number` is the file descriptor."""

    async def wait(self, number: int, *, write: bool) -> None:
        """Returns when the socket can be written or read, or has an error."""

    def forget(self, number: int) -> None:
        """To be called before the socket is closed."""

    def close(self) -> None:
        """Ends all waits without a result. May be called again."""


class LoopReadiness:
    """By the event loop alone: works everywhere."""

    async def wait(self, number: int, *, write: bool) -> None:
        """See `Readiness`."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        add = loop.add_writer if write else loop.add_reader
        remove = loop.remove_writer if write else loop.remove_reader
        add(number, _set, done)
        try:
            await done
        finally:
            remove(number)

    def forget(self, number: int) -> None:
        """See `Readiness`."""

    def close(self) -> None:
        """See `Readiness`."""


class EpollReadiness:
    """By an epoll set inside the loop's: a socket is added once and changed at each wait.

    The loop itself would add and remove it at each wait, with a handle each, which is a tenth of
    the processor time of a whole handshake. Made inside the running loop.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._waiting: dict[int, asyncio.Future[None] | None] = {}
        self._loop.add_reader(self._epoll.fileno(), self._tell)

    async def wait(self, number: int, *, write: bool) -> None:
        """See `Readiness`. After `close` it never returns."""
        done: asyncio.Future[None] = self._loop.create_future()
        if not self._epoll.closed:
            # One shot: a socket that nobody waits for any more is not told again and again.
            events = _WRITE if write else _READ
            if number in self._waiting:
                self._epoll.modify(number, events)
            else:
                self._epoll.register(number, events)
            self._waiting[number] = done
        await done

    def forget(self, number: int) -> None:
        """See `Readiness`."""
        # Not by close(2) alone: a forked child may still hold the socket, which then would be told
        # under a number that another socket has by now.
        if self._waiting.pop(number, self) is not self and not self._epoll.closed:
            with contextlib.suppress(OSError):
                self._epoll.unregister(number)

    def close(self) -> None:
        """See `Readiness`."""
        if not self._epoll.closed:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _tell(self) -> None:
        waiting = self._waiting
        for number, _ in self._epoll.poll(0, _BULK):
            done = waiting.get(number)
            if done is not None:
                waiting[number] = None
                _set(done)


def _set(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)
