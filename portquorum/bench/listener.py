"""Ports on loopback that answer and count.

`python -m portquorum.bench.listener`, until standard input ends.

They answer on every address of 127.0.0.0/8 and on nothing else. Prints the ports on one line; for
each line that comes in, how many connections were taken so far. Many ports, so that a moment
without the processor fills no queue: a SYN that is dropped comes again after a second, and would be
told as the network's time.
"""

import contextlib
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Final

PORTS: Final = 16
_BACKLOG: Final = 4096  # the kernel takes net.core.somaxconn if that is less


class Answering:
    """A listener in a process of its own."""

    def __init__(self, to: IO[bytes], told: IO[bytes]) -> None:
        self._to = to
        self._told = told
        self.ports = tuple(map(int, told.readline().split()))

    def count(self) -> int:
        """Number of connections accepted so far."""
        self._to.write(b"\n")
        self._to.flush()
        return int(self._told.readline())


@contextlib.contextmanager
def answering(module: str = "portquorum.bench.listener") -> Iterator[Answering]:
    """The listener, or another that is spoken to in the same way; ended afterwards.

    It ends with this process in any case: its standard input does.
    """
    with subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,  # Ctrl-C is for us
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("expected pipes to the listener, found none")
        try:
            yield Answering(process.stdin, process.stdout)
        finally:
            process.stdin.close()


def address_of(number: int) -> str:
    """A loopback address for each target."""
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


def serve() -> None:
    """Accepts, closes and counts until standard input ends."""
    count = 0
    with contextlib.ExitStack() as stack:
        servers = {}
        waiting = stack.enter_context(select.epoll())
        for _ in range(PORTS):
            server = stack.enter_context(loopback_server(_BACKLOG))
            waiting.register(server.fileno(), select.EPOLLIN)
            servers[server.fileno()] = server
        waiting.register(0, select.EPOLLIN)
        print(*(server.getsockname()[1] for server in servers.values()), flush=True)
        while True:
            for number, _ in waiting.poll():
                if number != 0:
                    count += _accept(servers[number])
                elif not os.read(0, 1):
                    return
                else:
                    count += sum(map(_accept, servers.values()))
                    print(count, flush=True)


def loopback_server(backlog: int) -> socket.socket:
    """A non-blocking server, on one port of all loopback addresses only."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    server.bind(("0.0.0.0", 0))
    server.listen(backlog)
    server.setblocking(False)
    return server


def _accept(server: socket.socket) -> int:
    count = 0
    with contextlib.suppress(BlockingIOError):
        for _ in range(_BACKLOG):
            # Without a Python socket around it: the listener must not be what is measured.
            number, _address = server._accept()  # type: ignore[attr-defined]  # noqa: SLF001
            count += 1
            os.close(number)
    return count


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A loopback port that never answers a SYN: its accept queue is full."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


if __name__ == "__main__":
    serve()
    sys.exit(0)
