"""The name servers that targets name (`resolver:`), each asked in place of the system's.

Such a server is asked in DNS alone, for the name as it stands: no hosts file, no search domains, no
nsswitch.conf, which say how this machine finds its own names.

Whoever writes the inventory chooses the server, as a target's host, so it is judged as one: the
address policy of the region must allow its address, or no packet is sent (`address_blocked`).
Where its answers lead is judged as always.
"""

import ipaddress
import socket
from typing import Final

import pycares
from msgspec import Struct

from producers.checks.addresses import Failure
from producers.checks.model import Vantage
from producers.checks.name_sources import Source
from producers.checks.resolver import LOOPBACK, Lookup, Resolver, dns_name, is_localhost

PORT: Final = 53
MOST: Final = 50
"""The most servers at a time: each has sockets and a thread of its own while it is asked."""

_DNS: Final = (Source("dns"),)


class Place(Struct, frozen=True):
    """The address and port of a name server."""

    ip: str
    port: int = PORT

    def __str__(self) -> str:
        """As an inventory has it: without the usual port, IPv6 in brackets before another one."""
        if self.port == PORT:
            return self.ip
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


def place_of(text: str) -> Place:
    """The place that `text` names: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[…]:5353`.

    Raises:
        ValueError: it is none; a name can't be, since who would be asked for it?
    """
    host, port = text, str(PORT)
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if rest or not closed:
            port = rest.removeprefix(":") if rest.startswith(":") else ""
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    number = int(port) if port.isascii() and port.isdecimal() else 0
    if _is_address(host) and 0 < number < 65_536:
        return Place(str(ipaddress.ip_address(host)), number)
    wanted = "expected the IP address of a name server, with a port if it is not 53"
    raise ValueError(f"{wanted} (192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:5353), found {text!r}")


def asked(place: "Place | str | None") -> str:
    """The end of a detail that names the server that was asked; empty for the system's own."""
    return "" if place is None else f" (resolver {place})"


def _is_address(host: str) -> bool:
    """Whether it is one without a zone, which would be another on each prober."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


class NameServer(Resolver):
    """Lookups by one server; see `Resolver`."""

    def __init__(self, place: Place) -> None:
        bracketed = f"[{place.ip}]" if ":" in place.ip else place.ip
        super().__init__([f"{bracketed}:{place.port}"])
        self._place = place

    def _begin(self, lookup: Lookup) -> None:
        try:
            name = dns_name(lookup.host)
            if is_localhost(name):
                lookup.found_here(LOOPBACK)
                self._loop.call_soon(self._finish, lookup)
            else:
                # With the final dot no search domain of this machine is tried.
                self._ask_dns(lookup, name.removesuffix(".") + ".", _DNS)
        except (OSError, ValueError, pycares.AresError) as error:
            self._fail(lookup, error)

    def _finish(self, lookup: Lookup) -> None:
        error = lookup.error
        if isinstance(error, socket.gaierror):
            text = f"{error.strerror}{asked(self._place)}"
            lookup.error = socket.gaierror(error.errno, text)
        super()._finish(lookup)


class NameServers:
    """The system's resolver, and those that targets name. Made in a running loop."""

    def __init__(self, system: Resolver) -> None:
        self.system = system
        self._named: dict[str, NameServer] = {}

    def of(self, server: str | None, vantage: Vantage) -> Resolver | Failure:
        """The resolver of a target with this `resolver`, or why it can't be asked.

        To be used at once: one that nobody asks makes room for others.
        """
        if server is None:
            return self.system
        try:
            place = place_of(server)
        except ValueError as error:  # an inventory has none, but [targets] may
            return Failure("prober_error", str(error))
        why = vantage.blocked_because(place.ip)
        if why is not None:
            return Failure("address_blocked", f"resolver {place}: {why}")
        found = self._named.pop(server, None)
        if found is None:
            if len(self._named) >= MOST and not self._make_room():
                text = f"resolver {place}: {MOST} other name servers of targets are being asked"
                return Failure("prober_error", text)
            found = NameServer(place)
        self._named[server] = found  # the last one was used last
        return found

    def close(self) -> None:
        """Closes all of them, the system's too."""
        for one in (self.system, *self._named.values()):
            one.close()
        self._named.clear()

    def _make_room(self) -> bool:
        """Forgets the server that was not asked for the longest time; False if all are asked."""
        idle = next((name for name, one in self._named.items() if not one.busy), None)
        if idle is None:
            return False
        self._named.pop(idle).close()
        return True
