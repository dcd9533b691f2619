"""Resolves names in threads of its own, timed where the lookup runs, not in the event loop."""

import asyncio
import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

THREADS: Final = 32

_IPV4: Final = int(socket.AF_INET)
_IPV6: Final = int(socket.AF_INET6)


class Address(Struct, frozen=True, gc=False):
    """An address to connect to; `zone` is the scope of a link-local IPv6 address, else 0."""

    family: int
    ip: str
    zone: int = 0

    def endpoint(self, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
        """What connect(2) takes."""
        if self.family == _IPV6:
            return self.ip.partition("%")[0], port, 0, self.zone
        return self.ip, port


def literal(host: str) -> Address | None:
    """The address that `host` spells out, None if it has to be looked up.

    That is a name, or an IPv6 address with a zone: what number the zone has on this machine, if
    any, is for the system's resolver to say (RFC 4007, section 11).
    """
    try:
        if ":" in host:
            ip = ipaddress.IPv6Address(host)
            return None if ip.scope_id is not None else Address(_IPV6, str(ip))
        socket.inet_pton(_IPV4, host)  # takes what IPv4Address takes, at a tenth of its time
    except (OSError, ValueError):
        return None
    return Address(_IPV4, host)


class Lookup:
    """One lookup of one name. Written by a resolver thread, read in the loop.

    `began_at` and `ended_at` are monotonic seconds, None while that has not happened;
    `addresses` in the resolver's order (RFC 6724); `error` if there are none.
    """

    __slots__ = ("addresses", "began_at", "ended_at", "error", "host", "waiting")

    def __init__(self, host: str) -> None:
        self.host = host
        self.began_at: float | None = None
        self.ended_at: float | None = None
        self.addresses: tuple[Address, ...] = ()
        self.error: OSError | UnicodeError | None = None
        self.waiting: list[Callable[[Lookup], None]] = []

    @property
    def took_ms(self) -> float | None:
        """How long the lookup itself took."""
        if self.began_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.began_at) * 1000

    def run(self) -> None:
        """Looks the name up; blocks for as long as the system's resolver does."""
        self.began_at = time.monotonic()
        try:
            found = socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM)
            self.addresses = tuple(
                dict.fromkeys(
                    Address(family, str(name[0]), int(name[3]) if len(name) > 3 else 0)
                    for family, _, _, _, name in found
                    if family in {socket.AF_INET, socket.AF_INET6}
                )
            )
            if not self.addresses:
                self.error = socket.gaierror(socket.EAI_NONAME, "no address of a known family")
        except (OSError, UnicodeError) as error:
            self.error = error
        self.ended_at = time.monotonic()


class Resolver:
    """A pool of threads for getaddrinfo(3); one lookup a name at a time, shared by all who ask.

    A resolver that does not answer thus holds one thread a name, however often it is asked. The
    threads are daemons: a lookup that hangs never holds up the end of the process.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self._loop = asyncio.get_running_loop()
        self._wanted: queue.SimpleQueue[Lookup | None] = queue.SimpleQueue()
        self._running: dict[str, Lookup] = {}
        self._limit = threads
        self._threads: list[threading.Thread] = []

    def lookup(self, host: str, on_done: Callable[[Lookup], None]) -> Lookup:
        """Begins a lookup, or joins the one of that name; `on_done` is called in the loop."""
        running = self._running.get(host)
        if running is None:
            running = self._running[host] = Lookup(host)
            self._wanted.put(running)
            if len(self._threads) < min(self._limit, len(self._running)):
                self._start_thread()
        running.waiting.append(on_done)
        return running

    def close(self) -> None:
        """Lets the threads go; lookups that still run are forgotten."""
        for _ in self._threads:
            self._wanted.put(None)

    def _start_thread(self) -> None:
        name = f"resolver-{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            wanted.run()
            try:
                self._loop.call_soon_threadsafe(self._finish, wanted)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

    def _finish(self, lookup: Lookup) -> None:
        del self._running[lookup.host]
        for on_done in lookup.waiting:
            on_done(lookup)
