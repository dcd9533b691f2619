"""Back-off of sign-in attempts, for each name and for each address. Pure.

Five failures are free, the sixth makes who tries wait a second, each further one twice as long, up
to a quarter of an hour. A day without a failure forgets them.
"""

import hashlib
import ipaddress
from typing import Final

from schemas.duration import DAY_MS
from schemas.web import Lockout

FREE: Final = 5
FIRST_MS: Final = 1_000
LONGEST_MS: Final = 900_000
FORGET_MS: Final = DAY_MS
_MOST: Final = 10**9
_NET6: Final = 64
"""Bits of an IPv6 network that one customer has."""


def id_of_name(name: str) -> str:
    """The id of the Lockout of a user's name, whether there is such a user or not."""
    return _digest(f"name {name.strip().casefold()}")


def id_of_address(address: str) -> str:
    """The id of the Lockout of a client's address; of IPv6 its /64, which one customer has."""
    return _digest(f"address {_client(address)}")


def id_of_page(slug: str, address: str) -> str:
    """The id of the Lockout of a client's address at a locked status page.

    One of its own: readers who mistype lock nobody of their network out of the sign-in, nor the
    other readers of the page out.
    """
    return _digest(f"status page {slug} address {_client(address)}")


def _client(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    found = getattr(found, "ipv4_mapped", None) or found
    if found.version == 6:
        found = ipaddress.ip_network((int(found), _NET6), strict=False).network_address
    return str(found)


def wait_ms(lockout: Lockout | None, now: int) -> int:
    """How long nobody may try again, in ms; 0: now. `now` is UTC ms.

    A clock that was wrong keeps nobody out for longer than `LONGEST_MS`.
    """
    return 0 if lockout is None else min(max(lockout.until - now, 0), LONGEST_MS)


def failed(lockout: Lockout | None, ident: str, now: int) -> Lockout:
    """The record after one more failure."""
    is_old = lockout is not None and abs(now - lockout.last_at) > FORGET_MS
    before = 0 if lockout is None or is_old else lockout.failures
    failures = min(before + 1, _MOST)
    over = failures - FREE
    wait = 0 if over <= 0 else min(FIRST_MS * 2 ** min(over - 1, 20), LONGEST_MS)
    return Lockout(id=ident, failures=failures, last_at=now, until=now + wait)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
