"""Resolves names (c-ares) and caches the answers for their TTL, within limits.

c-ares asks the servers of /etc/resolv.conf, both families at once, and reads /etc/hosts. Its own
thread waits for the answers and measures their time, so that a busy event loop adds nothing. A
server that does not answer delays only the checks of the same name.
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
"""Bounds of the cache time of an answer (its TTL); answers of /etc/hosts have no TTL."""

NEGATIVE_S: Final = 0.5
"""Cache time of "no such name", shorter than a retry delay: a retry asks again. Failures and
timeouts of servers are not cached."""

MOST_NAMES: Final = 200_000

_TIMEOUT_S: Final = 1.0
_TRIES: Final = 3
_CHANNEL_S: Final = 4.0
_AFTER_NEGATIVE_S: Final = 0.25
# c-ares has a cache of its own, of up to an hour, that can't be turned off from here. It belongs to
# the channel: a channel younger than our cache time always asks.

_IPV4: Final = int(socket.AF_INET)
_IPV6: Final = int(socket.AF_INET6)


class Address(Struct, frozen=True, gc=False):
    """An address to connect to; `zone` is the scope of a link-local IPv6 address, else 0."""

    family: int
    ip: str
    zone: int = 0

    def endpoint(self, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
        """The argument of connect(2)."""
        if self.family == _IPV6:
            return self.ip.partition("%")[0], port, 0, self.zone
        return self.ip, port


def literal(host: str) -> Address | None:
    """The address that `host` is, None if `host` needs a lookup.

    A name needs one, and an IPv6 address with a zone: the system's resolver knows the number of the
    zone on this machine (RFC 4007, section 11).
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

    `began_at` and `ended_at` are monotonic seconds, None before; `addresses` are in the order of
    connection attempts (RFC 6724); `error` if there are none. `until` is the end of the cache time,
    0 for an answer that is not cached.
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
        """The duration of the lookup itself."""
        if self.began_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.began_at) * 1000

    def found(self, result: Any, number: int | None) -> None:
        """Stores the answer of c-ares; called in any thread."""
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
    """Lookups, at most one for each name at a time, and a cache of recent answers.

    Made inside a running loop. `servers` (`ip` or `ip:port`) replace those of the system.
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
        """The cached lookup of `host` that is still valid, None without one."""
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
        """Drops the lookups that still run."""
        self._closed = True
        self._running.clear()
        self._channel = None  # ends with the last of its lookups

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
    """Maps c-ares errors to EAI codes; unknown means a local fault."""
    text = pycares.errno.strerror(number)
    if number in _NO_NAME:
        return socket.gaierror(socket.EAI_NONAME, text)
    if number in _NO_ANSWER:
        return socket.gaierror(socket.EAI_AGAIN, text)
    return socket.gaierror(socket.EAI_SYSTEM, text)


def _name(host: str) -> str:
    """The name in the DNS question.

    Numbers that are not an address are not a name either: c-ares would read 0177.0.0.1 as
    177.0.0.1, getaddrinfo(3) as 127.0.0.1. No inventory has them, but [targets] may.
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
