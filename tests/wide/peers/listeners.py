"""What is watched: `python -m tests.wide.peers.listeners COUNT`, one process, all ports.

Accepts and closes each connection. Prints the port of its control: a line `close NAME` or
`open NAME` is answered with `ok` once it holds.
"""

import selectors
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

from tests.wide.peers.fleet import Monitor, failing, monitors

BACKLOG: Final = 64


def _answer(listening: socket.socket) -> None:
    listening.accept()[0].close()


class Listeners:
    """The open ports of a fleet, in one selector."""

    def __init__(self, fleet: list[Monitor]) -> None:
        self._selector = selectors.DefaultSelector()
        self._fleet = {one.name: one for one in fleet}
        self._open: dict[str, socket.socket] = {}

    def open(self, name: str) -> None:
        """Listens from now on."""
        if name in self._open:
            return
        one = self._fleet[name]
        made = socket.create_server((one.host, one.port), backlog=BACKLOG)
        made.setblocking(False)
        self._open[name] = made
        self._selector.register(made, selectors.EVENT_READ, partial(_answer, made))

    def close(self, name: str) -> None:
        """Refuses from now on."""
        made = self._open.pop(name, None)
        if made is not None:
            self._selector.unregister(made)
            made.close()

    def listen_to(self, control: socket.socket) -> None:
        """Takes orders from the connections of `control`."""
        self._selector.register(control, selectors.EVENT_READ, lambda: self._obey(control))

    def run(self) -> None:
        """For ever."""
        while True:
            for key, _ in self._selector.select():
                ready: Callable[[], None] = key.data
                try:
                    ready()
                except OSError:
                    continue  # who connected has gone

    def _obey(self, control: socket.socket) -> None:
        connection, _ = control.accept()
        with connection, connection.makefile("rw") as orders:
            for line in orders:
                order, _, name = line.strip().partition(" ")
                {"open": self.open, "close": self.close}[order](name)
                print("ok", file=orders, flush=True)


def main() -> None:
    """Opens all that do not fail, then serves."""
    fleet = monitors(int(sys.argv[1]))
    refused = failing(fleet)
    listeners = Listeners(fleet)
    for one in fleet:
        if one not in refused:
            listeners.open(one.name)
    control = socket.create_server(("127.0.0.1", 0))
    listeners.listen_to(control)
    sys.stdout.write(f"{control.getsockname()[1]}\n")
    sys.stdout.flush()
    listeners.run()


if __name__ == "__main__":
    main()
