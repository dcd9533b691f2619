"""Which addresses a prober may connect to: a public region never reaches into private networks."""

import ipaddress
from functools import lru_cache
from typing import Final

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052, section 2.1
_NAMED: Final = (
    ("loopback", "is_loopback"),
    ("link-local", "is_link_local"),
    ("multicast", "is_multicast"),
    ("unspecified", "is_unspecified"),
    ("reserved", "is_reserved"),
    ("private", "is_private"),
)


@lru_cache(maxsize=65_536)
def blocked_because(address: str) -> str | None:
    """Why a region that is not internal may not connect to `address`; None if it may.

    `address` is an IP address as the resolver gave it (an IPv6 zone is allowed). Addresses that
    carry an IPv4 address inside (mapped, 6to4, Teredo, NAT64) are judged by that one too.
    """
    ip = ipaddress.ip_address(address)
    for part in (ip, *_carried(ip)):
        for name, attribute in _NAMED:
            if getattr(part, attribute):
                return f"{part} is a {name} address"
        # What is left without being global: shared address space (RFC 6598), documentation.
        if not part.is_global:
            return f"{part} is not a public address"
    return None


def _carried(ip: _Address) -> list[_Address]:
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    found: list[_Address | None] = [ip.ipv4_mapped, ip.sixtofour]
    if ip.teredo:
        found.extend(ip.teredo)
    if ip in _NAT64:
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]
