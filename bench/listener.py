"""Ports on loopback that answer: `python -m bench.listener`, until standard input ends.

Prints the ports on one line. Many ports, so that a moment without the processor fills no queue:
a SYN that is dropped comes again after a second, and would be told as the network's time.
"""

import contextlib
import os
import select
import socket
import sys
from collections.abc import Iterator
from typing import Final

PORTS: Final = 16
_BACKLOG: Final = 4096  # the kernel takes net.core.somaxconn if that is less


def serve() -> None:
    """Accepts and closes until standard input ends."""
    with contextlib.ExitStack() as stack:
        servers = {}
        waiting = stack.enter_context(select.epoll())
        for _ in range(PORTS):
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG))
            server.setblocking(False)
            waiting.register(server.fileno(), select.EPOLLIN)
            servers[server.fileno()] = server
        waiting.register(0, select.EPOLLIN)
        print(*(server.getsockname()[1] for server in servers.values()), flush=True)
        while True:
            for number, _ in waiting.poll():
                if number == 0:
                    return
                _accept(servers[number])


def _accept(server: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        for _ in range(_BACKLOG):
            # Without a Python socket around it: the listener must not be what is measured.
            number, _address = server._accept()  # type: ignore[attr-defined]  # noqa: SLF001
            os.close(number)


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A port on loopback whose SYNs nobody answers: its accept queue is full."""
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
