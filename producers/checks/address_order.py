"""The order in which the addresses of a name are tried (RFC 6724, section 6)."""

import contextlib
import ipaddress
import socket
from collections.abc import Iterable
from typing import Final

from producers.checks.resolved_address import Address

_ANY_PORT: Final = 65_535
_GLOBAL: Final = 0xE

# The default policy table (RFC 6724, section 2.1): network, precedence, label. Longest first.
_POLICY: Final = tuple(
    (ipaddress.IPv6Network(network), precedence, label)
    for network, precedence, label in (
        ("::1/128", 50, 0),
        ("::ffff:0:0/96", 35, 4),
        ("::/96", 1, 3),
        ("2001::/32", 5, 5),
        ("2002::/16", 30, 2),
        ("3ffe::/16", 1, 12),
        ("fec0::/10", 1, 11),
        ("fc00::/7", 3, 13),
        ("::/0", 40, 1),
    )
)


def in_order(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """The addresses by preference, those of equal preference in the given order.

    Rules 1 (there is a route), 2 (the scope of the source), 5 (label), 6 (precedence) and 8
    (smaller scope). The others need more than a socket tells.
    """
    found = tuple(addresses)
    return found if len(found) < 2 else tuple(sorted(found, key=_preference))


def _preference(address: Address) -> tuple[bool, bool, bool, int, int]:
    """A smaller one is better."""
    ip = _mapped(address.ip)
    source = _source(address)
    precedence, label = _policy(ip)
    if source is None:
        return True, True, True, -precedence, _scope(ip)
    return False, _scope(source) != _scope(ip), _policy(source)[1] != label, -precedence, _scope(ip)


def _source(address: Address) -> ipaddress.IPv6Address | None:
    """The source address of packets to `address`, None without a route. Nothing is sent."""
    with contextlib.suppress(OSError), socket.socket(address.family, socket.SOCK_DGRAM) as sock:
        sock.connect(address.endpoint(_ANY_PORT))
        return _mapped(str(sock.getsockname()[0]))
    return None


def _mapped(ip: str) -> ipaddress.IPv6Address:
    plain = ip.partition("%")[0]
    return ipaddress.IPv6Address(plain if ":" in plain else f"::ffff:{plain}")


def _policy(ip: ipaddress.IPv6Address) -> tuple[int, int]:
    return next((precedence, label) for network, precedence, label in _POLICY if ip in network)


def _scope(ip: ipaddress.IPv6Address) -> int:
    """RFC 6724, section 3.1 and 3.2: private addresses of IPv4 are global."""
    plain = ip.ipv4_mapped or ip
    if plain.is_multicast and isinstance(plain, ipaddress.IPv6Address):
        return plain.packed[1] & 0xF
    if plain.is_loopback or plain.is_link_local:
        return 2
    return 5 if ip.is_site_local else _GLOBAL
