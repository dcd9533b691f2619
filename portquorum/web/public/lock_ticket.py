"""Tickets: what a browser keeps that was let in to a locked status page. Pure.

`EXPIRES.VIA.MAC`: seconds since 1970 in hex, `p` (came by the password) or the id of a key, and an
HMAC-SHA256 of both and the page's slug. Its key is what nobody outside knows and what changes with
the password: so nothing is stored, and a new password, or a key that is revoked, ends it.
"""

import hashlib
import hmac
import re
from typing import Final

from msgspec import Struct

LONGEST_S: Final = 30 * 86_400
BY_PASSWORD: Final = "p"  # noqa: S105 - a way in
_FORM: Final = re.compile(r"([0-9a-f]{8,12})\.(p|[0-9a-f]{8})\.([0-9a-f]{64})")


class Ticket(Struct, frozen=True):
    """A ticket taken apart, not yet believed; `expires_s` in s since 1970."""

    expires_s: int
    via: str
    mac: str


def written(secret: str, slug: str, via: str, expires_s: int) -> str:
    """A ticket; `secret` is its key."""
    return f"{expires_s:08x}.{via}.{_mac(secret, slug, via, expires_s)}"


def read(text: str) -> Ticket | None:
    """A ticket of a cookie; None: it is none."""
    found = _FORM.fullmatch(text)
    return None if found is None else Ticket(int(found[1], 16), found[2], found[3])


def is_good(ticket: Ticket, secret: str, slug: str, now_s: int) -> bool:
    """True if it was made with this secret for this page, and is not over."""
    if not secret or not now_s < ticket.expires_s <= now_s + LONGEST_S:
        return False
    wanted = _mac(secret, slug, ticket.via, ticket.expires_s)
    return hmac.compare_digest(wanted, ticket.mac)


def _mac(secret: str, slug: str, via: str, expires_s: int) -> str:
    said = f"status page\n{slug}\n{via}\n{expires_s}"
    return hmac.new(secret.encode(), said.encode(), hashlib.sha256).hexdigest()
