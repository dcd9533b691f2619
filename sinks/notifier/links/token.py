"""Signed, expiring tokens of links in messages: what the link does, to which outage. Pure.

A token is `PAYLOAD.TAG`: a msgpack array in URL-safe Base64 (RFC 4648, section 5), and the
HMAC-SHA256 (RFC 2104) of that text in lower-case Base32. The tag is compared as text, so no other
spelling of it is one. It ends in a letter or digit: programs that make links of text leave out a
`-` or `_` at the end.
"""

import base64
import hashlib
import hmac
from typing import Final, Literal

import msgspec
from msgspec import Struct

from schemas.duration import DAY_MS

LinkAction = Literal["ack", "silence"]

LIFE_MS: Final = 3 * DAY_MS
"""How long a link in a message is valid, in ms. A reminder has a new one."""

LONGEST: Final = 700
"""Characters of the longest token. A longer text is not looked at."""

_PURPOSE: Final = b"portquorum link 1\0"
"""Keeps the tags apart from whatever else the same key may sign."""


class LinkError(ValueError):
    """The text is no valid token; the message says so in one sentence."""


class LinkExpiredError(LinkError):
    """The token was valid until its end."""


class LinkClaim(Struct, frozen=True, array_like=True):
    """What a token allows: one action on one outage of an incident, until `expires_at` (UTC s)."""

    action: LinkAction
    incident_id: str
    episode: int
    expires_at: int


def signed(claim: LinkClaim, key: str) -> str:
    """The token of a claim."""
    payload = base64.urlsafe_b64encode(msgspec.msgpack.encode(claim)).rstrip(b"=").decode()
    return f"{payload}.{_tag(payload, key)}"


def verified(token: str, key: str, now: int) -> LinkClaim:
    """The claim of a token; `now` is UTC ms.

    Raises:
        LinkExpiredError: it is over.
        LinkError: it was not signed with this key, or is cut or changed.
    """
    payload, found, tag = token.partition(".")
    # The same time for each wrong tag (compare_digest takes ASCII alone).
    fits = token.isascii() and len(token) <= LONGEST and bool(found)
    if not fits or not hmac.compare_digest(tag, _tag(payload, key)):
        raise LinkError("expected the whole link of a message, found one that is cut or changed")
    try:
        raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        claim = msgspec.msgpack.decode(raw, type=LinkClaim)
    except (ValueError, msgspec.DecodeError) as error:  # signed by another version
        raise LinkError("expected a link of this version, found one of another") from error
    if claim.expires_at * 1000 <= now:
        raise LinkExpiredError(
            "this link has expired: take the one of a newer message, or `portquorum ack`"
        )
    return claim


def _tag(payload: str, key: str) -> str:
    digest = hmac.digest(key.encode(), _PURPOSE + payload.encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().rstrip("=").lower()
