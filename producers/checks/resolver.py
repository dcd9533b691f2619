"""Resolves names and caches the answers for their TTL, within limits.

The sources are those of nsswitch.conf, in its order. c-ares asks the servers of /etc/resolv.conf,
both families at once. Its own thread waits for the answers and measures their time, so that a busy
event loop adds nothing. A server that does not answer delays only the checks of the same name.
c-ares does not read /etc/hosts: it merges all lines that share a name or an address, so that
another host would answer (c-ares issue 1049).
"""

import asyncio
import ipaddress
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import pycares

from producers.checks import address_order, system_names
from producers.checks.name_sources import Source, Status
from producers.checks.resolved_address import Address
from producers.checks.system_names import Stamps, SystemNames
from schemas.partition import canonical_host

SHORTEST_S: Final = 5.0
LONGEST_S: Final = 300.0
"""Bounds of the cache time of an answer (its TTL)."""

HOSTS_S: Final = 60.0
"""Cache time of an answer of the hosts file, which has no TTL; a change of the file ends it."""

LOOK_S: Final = 2.0
"""Interval of the look at hosts, nsswitch.conf and resolv.conf. After a change nothing that was
known counts any longer."""

NEGATIVE_S: Final = 0.5
"""Cache time of "no such name", shorter than a retry delay: a retry asks again. Failures and
timeouts of servers are not cached."""

MOST_NAMES: Final = 200_000

# ares_getaddrinfo(3): with the flag ARES_AI_ENVHOSTS the environment names the hosts file.
_NO_HOSTS: Final = "CARES_HOSTS"
_HOSTS_OF_ENVIRONMENT: Final = 1 << 8

_TIMEOUT_S: Final = 1.0
_TRIES: Final = 3
_CHANNEL_S: Final = 4.0
_AFTER_NEGATIVE_S: Final = 0.25
# c-ares has a cache of its own, of up to an hour, that can't be turned off from here. It belongs to
# the channel: a channel younger than our cache time always asks.

_IPV4: Final = int(socket.AF_INET)
_IPV6: Final = int(socket.AF_INET6)


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
    0 for an answer that is not cached. `answer` is that of DNS, None if it was not asked.
    """

    __slots__ = (
        "addresses",
        "answer",
        "began_at",
        "ended_at",
        "error",
        "host",
        "until",
        "waiting",
    )

    def __init__(self, host: str) -> None:
        self.host = host
        self.began_at: float | None = None
        self.ended_at: float | None = None
        self.addresses: tuple[Address, ...] = ()
        self.error: OSError | UnicodeError | None = None
        self.until = 0.0
        self.answer: Status | None = None
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
        self.answer = "SUCCESS" if number is None else _STATUS.get(number, "UNAVAIL")
        if number is not None:
            self.error = _error(self.host, number)
            if number in _NEGATIVE:
                self.until = ended_at + NEGATIVE_S
        else:
            nodes = [node for node in result.nodes if node.family in {_IPV4, _IPV6}]
            self.addresses = tuple(dict.fromkeys(map(_address, nodes)))
            if self.addresses:
                ttl_s = float(min(node.ttl for node in nodes))
                self.until = ended_at + min(max(ttl_s, SHORTEST_S), LONGEST_S)
            else:
                self.error = _error(self.host, pycares.errno.ARES_ENODATA)
                self.answer = "NOTFOUND"
        self.ended_at = ended_at

    def found_here(self, addresses: Sequence[Address]) -> None:
        """Stores addresses that this machine itself knows."""
        self.addresses = address_order.in_order(addresses)
        self.error = None
        self.ended_at = time.monotonic()
        self.until = self.ended_at + HOSTS_S


class Resolver:
    """Lookups, at most one for each name at a time, and a cache of recent answers.

    Made inside a running loop. `servers` (`ip` or `ip:port`) replace those of the system.
    """

    def __init__(self, servers: Sequence[str] | None = None) -> None:
        # Not by `lookups="b"`: pycares 5.2.1 frees that text before c-ares copies it.
        os.environ[_NO_HOSTS] = os.devnull
        self._loop = asyncio.get_running_loop()
        self._servers = servers
        self._running: dict[str, Lookup] = {}
        self._found: dict[str, Lookup] = {}
        self._channel: pycares.Channel | None = None
        self._fresh_until = 0.0
        self._closed = False
        self._system: SystemNames | None = None
        self._stamps: Stamps = ()
        self._changed_at = 0.0
        self._reading = False
        self._unread: list[Lookup] = []  # lookups that wait for the first read
        self._timer: asyncio.TimerHandle | None = None

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

    @property
    def busy(self) -> bool:
        """Whether a lookup runs."""
        return bool(self._running)

    def close(self) -> None:
        """Drops the lookups that still run."""
        self._closed = True
        self._running.clear()
        self._unread.clear()
        self._channel = None  # ends with the last of its lookups
        if self._timer is not None:
            self._timer.cancel()

    def _begin(self, lookup: Lookup) -> None:
        try:
            if "%" in lookup.host:  # an address with a zone: the system knows its number
                lookup.addresses = tuple(_with_zone(lookup.host))
                lookup.ended_at = time.monotonic()
                self._loop.call_soon(self._finish, lookup)
                return
            name = dns_name(lookup.host)
            if self._timer is None:
                self._look()
            if self._system is None:
                self._unread.append(lookup)
            else:
                self._ask(lookup, name, self._system.sources)
        except (OSError, ValueError, pycares.AresError) as error:
            self._fail(lookup, error)

    def _ask(self, lookup: Lookup, name: str, sources: Sequence[Source]) -> None:
        """Asks the sources until one of them ends the lookup."""
        if is_localhost(name):
            self._ask_files(lookup, name)
            sources = ()
        for position, source in enumerate(sources):
            status: Status = "UNAVAIL"
            if lookup.addresses and position:  # glibc keeps nothing that it goes on after
                lookup.addresses, lookup.ended_at, lookup.until = (), None, 0.0
            if source.service == "files":
                status = self._ask_files(lookup, name)
            elif source.service == "dns":
                if lookup.answer is None:
                    self._ask_dns(lookup, name, sources[position:])
                    return
                status = lookup.answer
            if status in source.ends:
                break
        if lookup.ended_at is None:
            text = f"{name} is not in {system_names.HOSTS}"
            if not any(source.service == "dns" for source in sources):
                text += f", and {system_names.NSSWITCH} does not name dns for it"
            lookup.error = socket.gaierror(socket.EAI_NONAME, text)
            lookup.ended_at = time.monotonic()
        self._loop.call_soon(self._finish, lookup)

    def _ask_files(self, lookup: Lookup, name: str) -> Status:
        hosts = None if self._system is None else self._system.hosts
        found = () if hosts is None else hosts.get(name.encode(), ())
        if not found and is_localhost(name):
            found = LOOPBACK
        if found:
            lookup.found_here(found)
            return "SUCCESS"
        return "UNAVAIL" if hosts is None else "NOTFOUND"

    def _ask_dns(self, lookup: Lookup, name: str, sources: Sequence[Source]) -> None:
        """`sources` are DNS itself and those after it."""

        def found(result: Any, number: int | None) -> None:
            lookup.found(result, number)
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._judge, lookup, name, sources)

        self._getaddrinfo(name, found)

    def _getaddrinfo(self, name: str, found: Callable[[Any, int | None], None]) -> None:
        self._asking().getaddrinfo(
            name,
            None,
            family=socket.AF_UNSPEC,
            type=socket.SOCK_STREAM,
            flags=_HOSTS_OF_ENVIRONMENT,
            callback=found,
        )

    def _ask_as_it_is(self, lookup: Lookup, name: str, sources: Sequence[Source]) -> None:
        """Asks for the name without search domains, after an error.

        c-ares ends its search at the first domain that a server fails for. glibc then asks for the
        name as it is (resolv/res_query.c), and keeps the error only if there is no such name.
        """
        error, answer = lookup.error, lookup.answer
        lookup.error = lookup.ended_at = None

        def found(result: Any, number: int | None) -> None:
            lookup.found(result, number)
            if number is not None:
                lookup.error, lookup.answer, lookup.until = error, answer, 0.0
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._go_on, lookup, name, sources)

        self._getaddrinfo(f"{name}.", found)

    def _judge(self, lookup: Lookup, name: str, sources: Sequence[Source]) -> None:
        """Goes on with the first answer of DNS."""
        searches = self._system is not None and self._system.searches
        again = lookup.answer == "TRYAGAIN" and searches and not name.endswith(".")
        if again and not self._closed:
            self._ask_as_it_is(lookup, name, sources)
        else:
            self._go_on(lookup, name, sources)

    def _go_on(self, lookup: Lookup, name: str, sources: Sequence[Source]) -> None:
        if len(sources) == 1 or (lookup.answer == "SUCCESS" and "SUCCESS" in sources[0].ends):
            self._finish(lookup)
        elif not self._closed:
            self._ask(lookup, name, sources)

    def _fail(self, lookup: Lookup, error: Exception) -> None:
        lookup.error = error if isinstance(error, OSError | UnicodeError) else _ours(error)
        lookup.ended_at = time.monotonic()
        self._loop.call_soon(self._finish, lookup)

    # The files of the system

    def _look(self) -> None:
        """Reads the files again if they have changed, now and every `LOOK_S`."""
        if self._closed:
            return
        self._timer = self._loop.call_later(LOOK_S, self._look)
        now = system_names.stamps()
        if self._reading or now == self._stamps:
            return
        self._stamps = now
        if system_names.hosts_bytes() <= system_names.SMALL_BYTES:
            self._changed(system_names.read())
            return
        self._reading = True
        threading.Thread(target=self._read, name="hosts file", daemon=True).start()

    def _read(self) -> None:
        """In a thread of its own: a large hosts file takes too long for the loop."""
        system = system_names.read()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed, system)

    def _changed(self, system: SystemNames) -> None:
        self._reading = False
        if self._closed:
            return
        if self._system is not None:  # no lookup was asked before the first read
            self._changed_at = time.monotonic()
        self._system = system
        self._found.clear()
        self._fresh_until = 0.0
        waiting, self._unread = self._unread, []
        for lookup in waiting:
            try:
                self._ask(lookup, dns_name(lookup.host), system.sources)
            except (OSError, ValueError, pycares.AresError) as error:
                self._fail(lookup, error)

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
        if lookup.until and (lookup.began_at or 0.0) >= self._changed_at:
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

# What DNS has said, as nss_dns tells it (resolv/nss_dns/dns-host.c); all others are `UNAVAIL`.
_STATUS: Final[dict[int, Status]] = {
    pycares.errno.ARES_ENODATA: "NOTFOUND",
    pycares.errno.ARES_ENOTFOUND: "NOTFOUND",
    pycares.errno.ARES_EBADNAME: "NOTFOUND",
    pycares.errno.ARES_EBADSTR: "NOTFOUND",
    pycares.errno.ARES_ESERVFAIL: "TRYAGAIN",
    pycares.errno.ARES_EREFUSED: "TRYAGAIN",
    pycares.errno.ARES_ENOTIMP: "TRYAGAIN",
    pycares.errno.ARES_EFORMERR: "TRYAGAIN",
    pycares.errno.ARES_EBADRESP: "TRYAGAIN",
}

_TEXTS: Final[dict[int, str]] = {
    pycares.errno.ARES_ENOTFOUND: "no such name (NXDOMAIN)",
    pycares.errno.ARES_ENODATA: "the name exists, but has no A or AAAA record",
    pycares.errno.ARES_EBADNAME: "not a name that DNS can be asked for",
    pycares.errno.ARES_EBADSTR: "not a name that DNS can be asked for",
    pycares.errno.ARES_ESERVFAIL: "the name server failed (SERVFAIL)",
    pycares.errno.ARES_EREFUSED: "the name server refused to answer (REFUSED)",
    pycares.errno.ARES_ENOTIMP: "the name server does not know such questions (NOTIMP)",
    pycares.errno.ARES_EFORMERR: "the name server did not understand the question (FORMERR)",
    pycares.errno.ARES_EBADRESP: "the answer of the name server can't be understood",
    pycares.errno.ARES_ETIMEOUT: "no name server answered",
    pycares.errno.ARES_ECONNREFUSED: "no name server is there: the connection was refused",
}
_NO_NAME: Final = _NEGATIVE | {pycares.errno.ARES_EBADNAME, pycares.errno.ARES_EBADSTR}


def _error(host: str, number: int) -> socket.gaierror:
    """Maps c-ares errors to EAI codes; unknown means a local fault."""
    text = _TEXTS.get(number)
    if text is None:
        return socket.gaierror(socket.EAI_SYSTEM, f"{host}: {pycares.errno.strerror(number)!s}")
    code = socket.EAI_NONAME if number in _NO_NAME else socket.EAI_AGAIN
    return socket.gaierror(code, f"{host}: {text}")


LOOPBACK: Final = (Address(_IPV6, "::1"), Address(_IPV4, "127.0.0.1"))


def is_localhost(name: str) -> bool:
    """RFC 6761, section 6.3: such names are never asked for in DNS."""
    plain = name.removesuffix(".")
    return plain == "localhost" or plain.endswith(".localhost")


def dns_name(host: str) -> str:
    """The name that is looked up, with the final dot of `host` if it has one.

    With it no search domain is appended, and, as in glibc, the hosts file must have it, too.
    Numbers that are not an address are not a name either: c-ares would read 0177.0.0.1 as
    177.0.0.1, getaddrinfo(3) as 127.0.0.1. No inventory has them, but [targets] may.
    """
    try:
        return canonical_host(host) + ("." if host.endswith(".") else "")
    except ValueError as error:
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from error


def _ours(error: Exception) -> socket.gaierror:
    return socket.gaierror(socket.EAI_SYSTEM, f"{type(error).__name__}: {error}")


def _address(node: Any) -> Address:
    ip = node.addr[0].decode("ascii")
    return Address(int(node.family), ip, int(node.addr[3]) if len(node.addr) > 3 else 0)


def _with_zone(host: str) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror as error:
        zone = host.partition("%")[2]
        text = f"{host}: expected a network interface {zone!r} on this machine, found none"
        raise socket.gaierror(socket.EAI_SYSTEM, text) from error
    return [
        Address(int(family), str(name[0]), int(name[3]) if len(name) > 3 else 0)
        for family, _, _, _, name in found
    ]


def _raise(error: Exception) -> None:
    raise error
