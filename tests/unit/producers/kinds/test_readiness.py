"""Both ways to wait for a socket keep one contract."""

import asyncio
import contextlib
import os
import select
import selectors
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from producers.kinds.readiness import EpollReadiness, LoopReadiness, Readiness

WAYS = [
    LoopReadiness,
    pytest.param(
        EpollReadiness,
        marks=pytest.mark.skipif(not hasattr(select, "epoll"), reason="this system has no epoll"),
    ),
]


@pytest.fixture(params=WAYS)
async def readiness(request: pytest.FixtureRequest) -> AsyncIterator[Readiness]:
    way: Callable[[], Readiness] = request.param
    made = way()
    yield made
    made.close()


@contextlib.contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


def fill(sock: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(b"x" * 65_536)


async def within(waiting: "asyncio.Future[None]", seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        await waiting


async def turns(number: int = 20) -> None:
    """Lets the loop look at its sockets so many times."""
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_socket_is_waited_for_by_turns(readiness: Readiness) -> None:
    with pair() as (ours, theirs):
        for _ in range(3):
            await readiness.wait(ours.fileno(), write=True)
            reading = asyncio.ensure_future(readiness.wait(ours.fileno(), write=False))
            await turns()
            assert not reading.done()  # it can be written, which is not what was asked
            theirs.send(b"x")
            await within(reading)
            ours.recv(1)
            fill(ours)
            writing = asyncio.ensure_future(readiness.wait(ours.fileno(), write=True))
            await turns()
            assert not writing.done()
            while not writing.done():
                with contextlib.suppress(BlockingIOError):
                    theirs.recv(1 << 20)
                await asyncio.sleep(0)
            with contextlib.suppress(BlockingIOError):
                while theirs.recv(1 << 20):
                    pass
        readiness.forget(ours.fileno())


async def test_the_end_of_the_peer_is_something_to_read(readiness: Readiness) -> None:
    with pair() as (ours, theirs):
        waiting = asyncio.ensure_future(readiness.wait(ours.fileno(), write=False))
        await turns()
        theirs.close()
        await within(waiting)
        assert ours.recv(1) == b""
        readiness.forget(ours.fileno())


async def test_a_refused_connect_is_told_as_written(readiness: Readiness) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
    with socket.socket() as ours:
        ours.setblocking(False)
        ours.connect_ex(place)
        await within(asyncio.ensure_future(readiness.wait(ours.fileno(), write=True)))
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
        readiness.forget(ours.fileno())


async def test_a_wait_that_was_given_up_is_followed_by_another(readiness: Readiness) -> None:
    with pair() as (ours, theirs):
        first = asyncio.ensure_future(readiness.wait(ours.fileno(), write=False))
        await turns()
        first.cancel()
        theirs.send(b"x")
        await turns()
        assert first.cancelled()
        await within(asyncio.ensure_future(readiness.wait(ours.fileno(), write=False)))
        readiness.forget(ours.fileno())


class Counting(selectors.DefaultSelector):
    """Counts the turns of the loop."""

    turns = 0

    def select(self, timeout: float | None = None) -> "list[tuple[selectors.SelectorKey, int]]":
        self.turns += 1
        return super().select(timeout)


@pytest.mark.parametrize("way", WAYS)
def test_a_socket_that_nobody_waits_for_wakes_nobody(way: Callable[[], Readiness]) -> None:
    selector = Counting()

    async def leave_alone() -> int:
        readiness = way()
        with pair() as (ours, theirs):
            await readiness.wait(ours.fileno(), write=True)
            theirs.send(b"x")
            before = selector.turns
            await asyncio.sleep(0.2)
            told = selector.turns - before
            readiness.forget(ours.fileno())
        readiness.close()
        return told

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        assert runner.run(leave_alone()) < 20


async def test_a_number_that_is_used_again_is_another_socket(readiness: Readiness) -> None:
    with pair() as (old, its_peer), pair() as (new, _):
        number = old.fileno()
        waiting = asyncio.ensure_future(readiness.wait(number, write=False))
        await turns()
        waiting.cancel()
        await turns()
        held = os.dup(number)  # as by a child that has not begun its program yet
        try:
            readiness.forget(number)
            os.dup2(new.fileno(), number)
            again = asyncio.ensure_future(readiness.wait(number, write=False))
            await turns()
            its_peer.send(b"for the old one")
            await turns()
            assert not again.done()
            again.cancel()
            await turns()
            readiness.forget(number)
        finally:
            os.close(held)


async def test_more_sockets_than_are_told_at_once(readiness: Readiness) -> None:
    with contextlib.ExitStack() as stack:
        pairs = [stack.enter_context(pair()) for _ in range(300)]
        waiting = [asyncio.ensure_future(readiness.wait(a.fileno(), write=False)) for a, _ in pairs]
        await turns()
        for _, theirs in pairs:
            theirs.send(b"x")
        for one in waiting:
            await within(one)
        for ours, _ in pairs:
            readiness.forget(ours.fileno())


async def test_after_the_end_a_check_can_still_be_cancelled(readiness: Readiness) -> None:
    with pair() as (ours, _), pair() as (later, _):
        before = asyncio.ensure_future(readiness.wait(ours.fileno(), write=False))
        await turns()
        readiness.close()
        readiness.close()
        after = asyncio.ensure_future(readiness.wait(later.fileno(), write=False))
        await turns()
        for one in (before, after):
            one.cancel()
            with pytest.raises(asyncio.CancelledError):
                await one
        readiness.forget(ours.fileno())
        readiness.forget(later.fileno())
