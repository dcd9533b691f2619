"""Where a request comes from: by which machine, by which proxy, from which page. Pure.

Loopback is not enough by itself. A page of a stranger that somebody on this machine has open can
send requests here (foundation/http_origin.py), and a proxy on this machine may pass on those of
anybody.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from foundation.http_origin import Served, is_forwarded, is_loopback, refusal
from portquorum.access.rules import AccessRules, plain_address

if TYPE_CHECKING:
    from litestar.types import HTTPScope

FORWARDED: Final = (
    "expected a request that no proxy passed on, found one that a proxy did: name its address in "
    "PORTQUORUM_WEB_PROXIES, or use ssh -L"
)
ELSEWHERE: Final = (
    "expected a request from this machine, found one from {peer}: from elsewhere use ssh -L, or "
    "give this page TLS (PORTQUORUM_WEB_TLS_CERTIFICATE) or a proxy (PORTQUORUM_WEB_PROXIES)"
)
NO_SUCH_PROXY: Final = (
    "expected a request by a proxy of PORTQUORUM_WEB_PROXIES, found one from {peer}: without TLS "
    "this page speaks to no other machine"
)
_TWICE: Final = "expected one {name} header of the proxy, found {found}"
_NO_SCHEME: Final = "expected X-Forwarded-Proto http or https of the proxy, found {found!r}"
_MOST_GROUPS: Final = 1000

Headers = list[tuple[str, str]]
Scheme = Literal["http", "https"]


class Asker(Struct, frozen=True, kw_only=True):
    """Where a request comes from.

    `address` is the client's, as the peer or the proxies in front of us say. `is_local`: it is
    this machine, and no proxy is between. `user` and `groups` are what such a proxy says (empty:
    nobody). `host` is the one in the browser's address, with port.
    """

    address: str
    scheme: Scheme
    host: str
    is_local: bool
    is_proxied: bool = False
    user: str = ""
    groups: tuple[str, ...] = ()


class ScopeHeaders:
    """The headers of an ASGI scope, as `http_origin` expects them."""

    def __init__(self, items: Headers) -> None:
        """In small letters, as ASGI has them."""
        self._items = items

    def items(self) -> Iterable[tuple[str, str]]:
        """Name and value of each header, with duplicates."""
        return self._items


def headers_of(scope: "HTTPScope") -> Headers:
    """The headers as text (latin-1, as ASGI has them)."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]


def values(headers: Headers, name: str) -> list[str]:
    """All values of a header."""
    return [value.strip() for key, value in headers if key == name]


def asker_of(scope: "HTTPScope", served: Served, rules: AccessRules) -> Asker | str:
    """Where a request comes from; a sentence: it gets 403, whatever it asks for."""
    peer = scope["client"][0] if scope["client"] is not None else "127.0.0.1"
    headers = headers_of(scope)
    if rules.trusts(peer):
        found = _by_proxy(scope, peer, headers, rules)
    else:
        found = _direct(scope, peer, headers, rules)
    if isinstance(found, str):
        return found
    shown = [(name, value) for name, value in headers if name != "host" or not found.is_proxied]
    if found.is_proxied and (found.host or values(headers, "host")):
        shown.append(("host", found.host))
    target = scope["raw_path"].decode("latin-1")
    why = refusal(
        scope["method"],
        ScopeHeaders(shown),
        served,
        target,
        links=True,
        scheme=found.scheme,
    )
    return found if why is None else why


def _direct(scope: "HTTPScope", peer: str, headers: Headers, rules: AccessRules) -> Asker | str:
    is_local = is_loopback(peer)
    if not is_local and rules.tls is None:
        return (NO_SUCH_PROXY if rules.proxies else ELSEWHERE).format(peer=peer)
    if is_forwarded(ScopeHeaders(headers)):
        return FORWARDED
    scheme: Scheme = "https" if scope["scheme"] == "https" else "http"
    host = (values(headers, "host") or [""])[0]
    return Asker(address=peer, scheme=scheme, host=host, is_local=is_local)


def _by_proxy(scope: "HTTPScope", peer: str, headers: Headers, rules: AccessRules) -> Asker | str:
    proto = _last(headers, "x-forwarded-proto") or scope["scheme"]
    if proto not in {"http", "https"}:
        return _NO_SCHEME.format(found=proto[:100])
    hosts = values(headers, "host")
    if len(hosts) > 1:
        return _TWICE.format(name="Host", found=len(hosts))
    user = ""
    groups: tuple[str, ...] = ()
    if rules.user_header:
        users = values(headers, rules.user_header)
        if len(users) > 1:
            # One of them is the client's own.
            return _TWICE.format(name=rules.user_header.title(), found=len(users))
        user = _text("".join(users))
    if user and rules.groups_header:
        lists = values(headers, rules.groups_header)
        if len(lists) > 1:
            return _TWICE.format(name=rules.groups_header.title(), found=len(lists))
        parts = _text("".join(lists)).split(",")[:_MOST_GROUPS]
        groups = tuple(name for part in parts if (name := part.strip()))
    return Asker(
        address=client_address(peer, ",".join(values(headers, "x-forwarded-for")), rules),
        scheme="https" if proto == "https" else "http",
        host=_last(headers, "x-forwarded-host") or "".join(hosts),
        is_local=False,
        is_proxied=True,
        user=user,
        groups=groups,
    )


def client_address(peer: str, forwarded_for: str, rules: AccessRules) -> str:
    """The rightmost address that is none of our proxies: what stands left of it anybody may write.

    What is no address ends the search: the proxy that wrote it does not say who asks.
    """
    found = peer
    for text in reversed(forwarded_for.split(",")):
        address = plain_address(_without_port(text.strip()))
        if address is None:
            break
        found = str(address)
        if not rules.trusts(found):
            break
    return found


def _without_port(text: str) -> str:
    """`192.0.2.1:4711` and `[2001:db8::1]:4711`, as some proxies write."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _last(headers: Headers, name: str) -> str:
    """The last value, which the proxy next to us has written."""
    return ",".join(values(headers, name)).rpartition(",")[2].strip()


def _text(value: str) -> str:
    """UTF-8, which proxies send; ASGI has it as latin-1."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
