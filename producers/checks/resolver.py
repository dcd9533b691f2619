"""Resolves names (c-ares) and keeps the answers for as long as they say, within limits.

c-ares asks the servers of /etc/resolv.conf, both families at once, and reads /etc/hosts; its own
thread waits for the answers and takes their time, so that a busy event loop is no part of it. A
server that does not answer holds up nobody but those who asked for the same name.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import pycares
from msgspec import Struct

from schemas.partition import canonical_host

SHORTEST_S: Final = 5.0
LONGEST_S: Final = 300.0
"""An answer is believed for its TTL within these bounds; one of /etc/hosts has none."""

NEGATIVE_S: Final = 0.5
"""That there is no such name is believed for less than a retry waits: a retry asks again. A server
that failed or did not answer is always asked again."""

MOST_NAMES: Final = 200_000

_TIMEOUT_S: Final = 1.0
_TRIES: Final = 3
_CHANNEL_S: Final = 4.0
_AFTER_NEGATIVE_S: Final = 0.25
# c-ares has a cache of its own that can't be turned off from here, and believes what it has for up
# to an hour. It lies in the channel: one that is younger than any answer of ours really asks.

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
    """One lookup of one name.

    `began_at` and `ended_at` are monotonic seconds, None while that has not happened; `addresses`
    in the order in which they are to be tried (RFC 6724); `error` if there are none. `until`: for
    how long it may be believed, 0 if not at all.
    """

    __slots__ = ("addresses", "began_at", "ended_at", "error", "host", "until", "waiting")

    def __init__(self, host: str) -> None:
        self.host = host
        self.began_at: float | None = None
        self.ended_at: float | None = None
        self.addresses: tuple[Address, ...] = ()
        self.error: OSError | UnicodeError | None = None
        self.until = 0.0
        self.waiting: list[Callable[[Lookup], None]] = []

    @property
    def took_ms(self) -> float | None:
        """How long the lookup itself took."""
        if self.began_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.began_at) * 1000

    def found(self, result: Any, number: int | None) -> None:
        """Takes down what c-ares found; in whatever thread that happened."""
        ended_at = time.monotonic()
        if number is not None:
            self.error = _error(number)
            if number in _NEGATIVE:
                self.until = ended_at + NEGATIVE_S
        else:
            nodes = [node for node in result.nodes if node.family in {_IPV4, _IPV6}]
            self.addresses = tuple(dict.fromkeys(map(_address, nodes)))
            if self.addresses:
                ttl_s = float(min(node.ttl for node in nodes))
                self.until = ended_at + min(max(ttl_s, SHORTEST_S), LONGEST_S)
            else:
                self.error = _error(pycares.errno.ARES_ENODATA)
        self.ended_at = ended_at


class Resolver:
    """One lookup a name at a time, shared by all who ask, and what was found lately.

    Made inside a running loop. `servers` (`ip` or `ip:port`) instead of those of the system.
    """

    def __init__(self, servers: Sequence[str] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._servers = servers
        self._running: dict[str, Lookup] = {}
        self._found: dict[str, Lookup] = {}
        self._channel: pycares.Channel | None = None
        self._fresh_until = 0.0
        self._closed = False

    def known(self, host: str) -> Lookup | None:
        """A lookup of `host` that may still be believed; asking for it takes no time."""
        found = self._found.get(host)
        if found is None or found.until <= time.monotonic():
            return None
        return found

    def lookup(self, host: str, on_done: Callable[[Lookup], None]) -> Lookup:
        """Begins a lookup, or joins the one of that name.

        `on_done` is called in the loop, never before this has returned.
        """
        running = self._running.get(host)
        if running is None:
            running = self._running[host] = Lookup(host)
            running.began_at = time.monotonic()
            self._begin(running)
        running.waiting.append(on_done)
        return running

    def close(self) -> None:
        """Lookups that still run are forgotten."""
        self._closed = True
        self._running.clear()
        self._channel = None  # ends when the last of its lookups has ended

    def _begin(self, lookup: Lookup) -> None:
        def found(result: Any, number: int | None) -> None:
            lookup.found(result, number)
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._finish, lookup)

        try:
            if "%" in lookup.host:  # an address with a zone: the system knows its number
                lookup.addresses = tuple(_with_zone(lookup.host))
                lookup.ended_at = time.monotonic()
                self._loop.call_soon(self._finish, lookup)
                return
            channel = self._asking()
            channel.getaddrinfo(
                _name(lookup.host),
                None,
                family=socket.AF_UNSPEC,
                type=socket.SOCK_STREAM,
                callback=found,
            )
        except (OSError, ValueError, pycares.AresError) as error:
            lookup.error = error if isinstance(error, OSError | UnicodeError) else _ours(error)
            lookup.ended_at = time.monotonic()
            self._loop.call_soon(self._finish, lookup)

    def _asking(self) -> pycares.Channel:
        now = time.monotonic()
        if self._channel is None or now >= self._fresh_until:
            self._channel = pycares.Channel(
                timeout=_TIMEOUT_S, tries=_TRIES, servers=self._servers or None
            )
            self._fresh_until = now + _CHANNEL_S
        return self._channel

    def _finish(self, lookup: Lookup) -> None:
        if self._closed:
            return
        del self._running[lookup.host]
        if lookup.error is not None:
            self._fresh_until = min(self._fresh_until, time.monotonic() + _AFTER_NEGATIVE_S)
        if lookup.until:
            self._keep(lookup)
        waiting, lookup.waiting = lookup.waiting, []
        for on_done in waiting:
            try:
                on_done(lookup)
            except Exception as error:  # noqa: BLE001  (others wait for the same name)
                self._loop.call_soon(_raise, error)

    def _keep(self, lookup: Lookup) -> None:
        if len(self._found) >= MOST_NAMES:
            now = time.monotonic()
            kept = {host: one for host, one in self._found.items() if one.until > now}
            self._found = kept if len(kept) < MOST_NAMES else {}
        self._found[lookup.host] = lookup


_NEGATIVE: Final = frozenset({pycares.errno.ARES_ENODATA, pycares.errno.ARES_ENOTFOUND})
_NO_NAME: Final = _NEGATIVE | {pycares.errno.ARES_EBADNAME, pycares.errno.ARES_EBADSTR}
_NO_ANSWER: Final = frozenset(
    {
        pycares.errno.ARES_ESERVFAIL,
        pycares.errno.ARES_ETIMEOUT,
        pycares.errno.ARES_ECONNREFUSED,
        pycares.errno.ARES_EREFUSED,
        pycares.errno.ARES_EFORMERR,
        pycares.errno.ARES_ENOTIMP,
        pycares.errno.ARES_EBADRESP,
    }
)


def _error(number: int) -> socket.gaierror:
    """As getaddrinfo(3) would say it; what is neither is this machine's."""
    text = pycares.errno.strerror(number)
    if number in _NO_NAME:
        return socket.gaierror(socket.EAI_NONAME, text)
    if number in _NO_ANSWER:
        return socket.gaierror(socket.EAI_AGAIN, text)
    return socket.gaierror(socket.EAI_SYSTEM, text)


def _name(host: str) -> str:
    """The name as it is asked for.

    Numbers that are no address are no name either: c-ares would read 0177.0.0.1 as 177.0.0.1,
    getaddrinfo(3) as 127.0.0.1. No inventory has them, but [targets] may.
    """
    try:
        return canonical_host(host)
    except ValueError as error:
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from error


def _ours(error: Exception) -> socket.gaierror:
    return socket.gaierror(socket.EAI_SYSTEM, f"{type(error).__name__}: {error}")


def _address(node: Any) -> Address:
    ip = node.addr[0].decode("ascii")
    return Address(int(node.family), ip, int(node.addr[3]) if len(node.addr) > 3 else 0)


def _with_zone(host: str) -> list[Address]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [
        Address(int(family), str(name[0]), int(name[3]) if len(name) > 3 else 0)
        for family, _, _, _, name in found
    ]


def _raise(error: Exception) -> None:
    raise error
