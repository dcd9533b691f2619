"""Who is let in: this machine alone, as long as the page has no users.

Loopback is not enough by itself. A page of a stranger that somebody on this machine has open can
send requests here (foundation/http_origin.py), and a proxy on this machine may pass on those of
anybody.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from foundation.http_origin import Served, is_forwarded, is_loopback, refusal

if TYPE_CHECKING:
    from litestar.types import HTTPScope

FORWARDED: Final = (
    "expected a request from this machine that no proxy passed on, found one that a proxy did: the "
    "page has no users and passwords yet; from elsewhere use ssh -L"
)
ELSEWHERE: Final = "expected a request from this machine, found one from {peer}; use ssh -L"


class ScopeHeaders:
    """The headers of an ASGI scope, as `http_origin` expects them."""

    def __init__(self, scope: "HTTPScope") -> None:
        """Decodes them (latin-1, as ASGI has them)."""
        self._items = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]

    def items(self) -> Iterable[tuple[str, str]]:
        """Name and value of each header, with duplicates."""
        return self._items


def refused(scope: "HTTPScope", served: Served) -> str | None:
    """Why a request gets 403, in one sentence; None if it is let in."""
    peer = scope["client"]
    if peer is not None and not is_loopback(peer[0]):
        return ELSEWHERE.format(peer=peer[0])
    headers = ScopeHeaders(scope)
    if is_forwarded(headers):
        return FORWARDED
    target = scope["raw_path"].decode("latin-1")
    return refusal(scope["method"], headers, served, target, links=True)
