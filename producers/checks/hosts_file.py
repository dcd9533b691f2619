"""The hosts file as glibc reads it (hosts(5); nss/nss_files/files-hosts.c).

The addresses of a name are those of all lines that contain it, as canonical name or as alias, in
the order of the file. Lines that share only another alias or an address do not belong to it.
"""

import socket
from collections.abc import Mapping
from typing import Final

from producers.checks.resolved_address import Address

MOST_BYTES: Final = 16 << 20
"""The most bytes of the file that are read: about 400,000 lines. Names after them are not found."""

Hosts = Mapping[bytes, tuple[Address, ...]]
"""The addresses of each name, in lower case."""

_IPV4: Final = int(socket.AF_INET)
_IPV6: Final = int(socket.AF_INET6)


def parsed(data: bytes) -> Hosts:
    """The names of a hosts file.

    A `#` begins a comment, white space separates fields, a NUL ends a line. A line whose first
    field is no plain address (no shortened one, no zone) is skipped, as is one without a name.
    """
    found: dict[bytes, dict[Address, None]] = {}  # ordered sets
    known: dict[bytes, Address | None] = {}
    for line in data.split(b"\n"):
        text = line.partition(b"\0")[0].partition(b"#")[0]
        ip, *names = text.split() or (b"",)
        if not names:
            continue
        if ip not in known:
            known[ip] = _address(ip)
        address = known[ip]
        if address is None:
            continue
        for name in names:
            found.setdefault(name.lower(), {})[address] = None
    return {name: tuple(addresses) for name, addresses in found.items()}


def _address(text: bytes) -> Address | None:
    for family in (_IPV4, _IPV6):
        try:
            packed = socket.inet_pton(family, text.decode("ascii"))
        except (OSError, ValueError):
            continue
        return Address(family, socket.inet_ntop(family, packed))
    return None
