"""Hosts that only probers within a network reach."""

from typing import Final

from producers.checks import address_policy
from schemas.partition import canonical_host

_SUFFIXES: Final = (
    ".local",
    ".localhost",
    ".localdomain",
    ".lan",
    ".home",
    ".home.arpa",
    ".internal",
    ".intranet",
    ".corp",
    ".private",
    ".svc",
    ".cluster.local",
    ".docker",
    ".test",
)
"""RFC 6761, 6762, 8375, ICANN's `.internal`, and those that people use without asking."""


def is_private(host: str) -> bool:
    """Whether `host` is an address that is not public, or most likely a name of a local network."""
    try:
        name = canonical_host(host)
    except ValueError:
        return False
    if is_address(name):
        return address_policy.blocked_because(name) is not None
    return "." not in name or name.endswith(_SUFFIXES)


def is_address(name: str) -> bool:
    """Whether a canonical host is an IP address."""
    return ":" in name or name.replace(".", "").isdecimal()
