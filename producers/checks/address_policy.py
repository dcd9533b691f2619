"""The address policy: the addresses that a prober may connect to.

A public region connects to public addresses only. The policy judges the resolved address of the
connection, never a name: odd spellings of an address do not matter.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

_V4 = ipaddress.IPv4Address
_V6 = ipaddress.IPv6Address
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_Named = tuple[tuple[str, tuple[_Network, ...]], ...]


def _named(**networks: str) -> _Named:
    return tuple(
        (name.replace("_", " ").replace("7", "-"), tuple(map(ipaddress.ip_network, text.split())))
        for name, text in networks.items()
    )


# IANA's registries of special-purpose addresses, and multicast. A copy, since Python's `is_global`
# and `is_private` changed in 3.11.10, 3.12.4 and 3.13.
_SPECIAL_V4: Final = _named(
    # Azure's (168.63.129.16) is in the public range, and local to each machine there.
    cloud_metadata="169.254.169.254/32 168.63.129.16/32 100.100.100.200/32 192.0.0.192/32",
    loopback="127.0.0.0/8",
    link7local="169.254.0.0/16",
    private="10.0.0.0/8 172.16.0.0/12 192.168.0.0/16",
    shared="100.64.0.0/10",  # RFC 6598, carrier-grade NAT
    unspecified="0.0.0.0/8",  # connect(2) to 0.0.0.0 reaches this machine
    documentation="192.0.2.0/24 198.51.100.0/24 203.0.113.0/24",
    benchmarking="198.18.0.0/15",
    multicast="224.0.0.0/4",
    reserved="192.0.0.0/24 192.88.99.0/24 240.0.0.0/4",
)
_SPECIAL_V6: Final = _named(
    cloud_metadata="fd00:ec2::254/128 fd00:ec2::23/128 fd20:ce::254/128",
    loopback="::1/128",
    unspecified="::/128",
    link7local="fe80::/10",
    private="fc00::/7 fec0::/10 64:ff9b:1::/48",  # the last: RFC 8215, translated within a site
    documentation="2001:db8::/32 3fff::/20",
    multicast="ff00::/8",
    reserved="2001::/23 5f00::/16 100::/64",  # the first has Teredo, ORCHID, benchmarking
)

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052, section 2.1
_TRANSLATED: Final = ipaddress.IPv6Network("::ffff:0:0:0/96")  # RFC 2765, section 2.1
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")  # RFC 4291, section 2.5.5.1
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")  # the range that IANA allocates
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})  # RFC 5214, section 6.1

Networks = tuple[str, ...]


@lru_cache(maxsize=200_000)
def blocked_because(address: str, allow: Networks = (), deny: Networks = ()) -> str | None:
    """The reason why a region that is not internal may not connect to `address`; None if it may.

    `address` is a resolved IP address (an IPv6 zone is allowed). An embedded IPv4 address (mapped,
    compatible, translated, 6to4, Teredo, NAT64, ISATAP) is judged, too. Addresses in a network of
    `allow` count as public, unless they are in a network of `deny`; both come from `network`.
    """
    ip = ipaddress.ip_address(address)
    parts = tuple(_parts(ip))
    refused = _denied(parts, deny)
    if refused is not None or _in_any(ip, allow):
        return refused
    for part in parts:
        if not _in_any(part, allow) and (why := _not_public(part)) is not None:
            return why
    return None


@lru_cache(maxsize=200_000)
def denied_because(address: str, deny: Networks) -> str | None:
    """The reason why even an internal region may not connect: `address` is in `deny`."""
    return _denied(_parts(ipaddress.ip_address(address)), deny)


@lru_cache(maxsize=1_024)
def network(text: str) -> _Network:
    """The network that `text` names, in CIDR form; one address is a network, too.

    Raises:
        ValueError: not a network, or bits are set after its length.
    """
    return ipaddress.ip_network(text)


def networks(texts: Iterable[str]) -> Networks:
    """The networks of those `texts` that are valid.

    An inventory has no invalid ones, but [policy] may; they must not end a prober.
    """
    return tuple(text for text in texts if _names_network(text))


def _names_network(text: str) -> bool:
    try:
        network(text)
    except ValueError:
        return False
    return True


def _denied(parts: Iterable[_Address], deny: Networks) -> str | None:
    for part in parts:
        for text in deny:
            if part in network(text):
                return f"{part} lies in the denied network {text}"
    return None


def _in_any(part: _Address, networks: Networks) -> bool:
    return any(part in network(text) for text in networks)


def _not_public(part: _Address) -> str | None:
    for name, networks in _SPECIAL_V4 if isinstance(part, _V4) else _SPECIAL_V6:
        if any(part in one for one in networks):
            article = "an" if name[0] in "aeiou" else "a"
            return f"{part} is {article} {name} address"
    if isinstance(part, _V6) and part not in _UNICAST and not _only_carries(part):
        return f"{part} is a reserved address"
    # Ranges that a later Python knows and this table does not.
    if not part.is_global and not (isinstance(part, _V6) and _only_carries(part)):
        return f"{part} is not a public address"
    return None


def _only_carries(ip: _V6) -> bool:
    """Whether `ip` only embeds another address, and is as public as that one."""
    # Python 3.13 calls all of 6to4 private, whatever is inside.
    return ip.ipv4_mapped is not None or ip.sixtofour is not None or ip in _NAT64


def _parts(ip: _Address) -> Iterator[_Address]:
    """The address and those embedded in it: packets may reach any of them.

    Linux connects 0.0.0.0 and :: to the loopback addresses.
    """
    for part in _embedded(ip):
        yield part
        if part.is_unspecified:
            yield _V4("127.0.0.1") if isinstance(part, _V4) else _V6("::1")


def _embedded(ip: _Address) -> Iterator[_Address]:
    yield ip
    if isinstance(ip, _V4):
        return
    number = int(ip)
    last = _V4(number & 0xFFFF_FFFF)
    if ip.ipv4_mapped is not None or ip in _NAT64 or ip in _TRANSLATED:
        yield last
    if ip in _COMPATIBLE and number > 1:
        yield last
    if ip.sixtofour is not None:
        yield ip.sixtofour
    if ip.teredo is not None:
        yield from ip.teredo
    if number >> 32 & 0xFFFF_FFFF in _ISATAP:
        yield last
