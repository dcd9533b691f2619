"""Origin check for HTTP requests: refuses pages of other origins and foreign host names.

A browser sends requests to this machine for any page that its user opens. Three headers distinguish
such a request from one of our own clients:

- `Host` (RFC 9110, section 7.2) is the name in the address. The owner of `evil.example` may change
  its address to 127.0.0.1 after the page is loaded (DNS rebinding); the browser then sees page and
  server as one origin, and only the name in `Host` shows it.
- `Sec-Fetch-Site` (W3C, Fetch Metadata Request Headers, section 2.4) is the relation of the page to
  our server. `same-site` is not enough: all ports of localhost are one site. Browsers send it only
  to https, to localhost and to loopback addresses.
- `Origin` (RFC 6454, section 7) and `Referer` (RFC 9110, section 10.1.3) name the page. A browser
  sends no `Origin` with a GET for an image or a script.

A page can neither set nor remove any of these (Fetch, "forbidden request-header"). One gap remains:
`<img src="http://192.168.0.7:9402/">` with `referrerpolicy="no-referrer"` has none of the three,
since the address is not a loopback one. The page can't read the answer; a GET must therefore be
harmless there, or need a password.

No sockets, no framework: values in, values out.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

SETTING: Final = "PORTQUORUM_HTTP_HOSTS"
"""The variable with the host names of our servers."""

_AUTHORITY: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]+(?:%[\w.~%-]+)?\]|[\w.-]+)(?::(\d{1,5}))?", re.ASCII
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SHOWN: Final = 80
"""The most characters of a header in an error text."""

_FORWARDED: Final = frozenset(
    {
        "forwarded",  # RFC 7239
        "via",  # RFC 9110, section 7.6.3
        "max-forwards",  # RFC 9110, section 7.6.2
        "cdn-loop",  # RFC 8586
        "x-forwarded",  # before RFC 7239
        "x-real-ip",  # https://nginx.org/en/docs/http/ngx_http_realip_module.html
        "x-nginx-proxy",  # the common configurations of nginx
        "x-client-ip",  # https://httpd.apache.org/docs/2.4/mod/mod_remoteip.html
        "client-ip",
        "x-scheme",  # https://kubernetes.github.io/ingress-nginx/
        "x-rewrite-url",  # IIS
        "front-end-https",  # Microsoft
        "x-cluster-client-ip",  # Rackspace, Riverbed
        "true-client-ip",  # https://techdocs.akamai.com (also Cloudflare)
        "fastly-client-ip",  # https://www.fastly.com/documentation/reference/http/http-headers/
        "fly-client-ip",  # https://fly.io/docs/networking/request-headers/
        "x-appengine-user-ip",  # https://cloud.google.com/appengine/docs/standard/reference
        "x-cloud-trace-context",  # https://cloud.google.com/load-balancing/docs/https
        "x-amzn-trace-id",  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/
        "x-varnish",  # https://varnish-cache.org/docs/
        "proxy-connection",
        "proxy-authorization",
    }
)
_FORWARDED_BEGINNINGS: Final = (
    "x-forwarded-",  # https://developer.mozilla.org/docs/Web/HTTP/Headers/X-Forwarded-For
    "x-original-",  # Envoy, Kubernetes' ingress-nginx, IIS
    "x-envoy-",  # https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/
    "x-proxyuser-",
    "x-proxy-",
    "x-arr-",  # IIS's Application Request Routing
    "x-azure-",  # https://learn.microsoft.com/azure/frontdoor/front-door-http-headers-protocol
    "x-fd-",
    "cf-",  # https://developers.cloudflare.com/fundamentals/reference/http-headers/
    "tailscale-",  # https://tailscale.com/kb/1312/serve
)


class Headers(Protocol):
    """The headers of a request, with duplicates, in upper or lower case.

    aiohttp's `request.headers` and http.server's `self.headers` fit.
    """

    def items(self) -> Iterable[tuple[str, Any]]:
        """Name and value of each header."""


class Served(Struct, frozen=True):
    """The hosts that a server answers for.

    The address it listens on, `localhost` and loopback addresses are always among them: nobody
    outside of this machine can serve a page from there. A server that listens on all addresses
    answers for every IP address: DNS rebinding needs a name in `Host`.

    Any port in `Host` is accepted: a forwarded port (`docker run -p`, `ssh -L`) differs outside,
    and a page can't choose it.
    """

    listen: str
    """The address or name it listens on: `127.0.0.1`, `::1`, `0.0.0.0`, `prober1.example.org`."""
    names: tuple[str, ...] = ()
    """Other names of the server; exact, in upper or lower case."""

    def answers_for(self, host: str) -> bool:
        """Whether this server answers for a host (lower case, without port)."""
        if host == "localhost" or host == _plain(self.listen) or host in map(_plain, self.names):
            return not _is_unspecified(host)
        address = _address(host)
        if address is None or address.is_unspecified:
            # A page reaches this machine by http://0.0.0.0/, too; no other client needs it.
            return False
        return address.is_loopback or _is_unspecified(self.listen)


def refusal(
    method: str,
    headers: Headers,
    served: Served,
    target: str = "/",
    *,
    links: bool = False,
    scheme: Literal["http", "https"] | None = None,
) -> str | None:
    """The reason to answer a request with 403; None for an allowed request.

    Args:
        method: the method of the request. A browser's preflight request is refused for every
            method: nothing here is for pages of other origins.
        headers: all headers of the request.
        served: the hosts that the server answers for.
        target: the request target; one in absolute form (RFC 9112, section 3.2.2) names a host
            as well, which is checked like `Host`.
        links: whether people may come here by a link on a page of another origin, as in a chat or
            a mail. The browser shows such an answer as a page of its own (Fetch Metadata: mode
            `navigate`, destination `document`), and the other page can't read it. For servers whose
            GET changes nothing and whose answers no frame may show.
        scheme: that of the address in the browser; None: http, or https where X-Forwarded-Proto
            says so, whoever sent it.

    Returns:
        One sentence: what was found, what was expected, and which setting changes it.
    """
    found = _Found(headers)
    for name in ("host", "origin", "sec-fetch-site", "referer"):
        if len(found.all(name)) > 1:
            return f"expected one {name.title()} header, found {len(found.all(name))}"
    if method.upper() == "CONNECT":
        return "expected a request for this server, found CONNECT: this is no proxy"
    hosts = [*found.all("host"), *_absolute(target)]
    if not hosts:
        return _without_host(found)
    for host in hosts:
        if (why := _foreign_host(host, served)) is not None:
            return why
    if links and _is_followed_link(method, found):
        return None
    return _foreign_page(found, hosts, _schemes(found) if scheme is None else (scheme,))


def is_forwarded(headers: Headers) -> bool:
    """Whether a proxy forwarded this request; the peer address is then not the sender's.

    Decided by the headers that proxies add. A proxy that adds none (nginx with a bare `proxy_pass`)
    looks like a client on its own machine: servers behind it need a password.
    """
    names = {name.lower() for name, _ in headers.items()}
    return not names.isdisjoint(_FORWARDED) or any(
        name.startswith(_FORWARDED_BEGINNINGS) for name in names
    )


def is_loopback(listen: str) -> bool:
    """Whether only this machine reaches a server that listens on this address."""
    name = _plain(listen)
    address = _address(name)
    return name == "localhost" or (address is not None and address.is_loopback)


class _Found:
    """The headers by lower-case name."""

    def __init__(self, headers: Headers) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in headers.items():
            self._values.setdefault(name.lower(), []).append(str(value).strip())

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def one(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


def _without_host(found: _Found) -> str | None:
    """HTTP/1.0 needs no Host, and its clients are no browsers; a browser always sends one."""
    signs = [
        name
        for name in found
        if name in {"origin", "referer"} or name.startswith(("sec-", "access-control-request-"))
    ]
    if signs:
        return f"expected a Host header beside {signs[0].title()}, found none"
    return None


def _foreign_host(host: str, served: Served) -> str | None:
    parsed = _AUTHORITY.fullmatch(host)
    if parsed is None:
        return f"expected host[:port] in Host, found {_shown(host)}"
    name = _plain(parsed[1])
    if served.answers_for(name):
        return None
    return (
        f"expected in Host localhost, an address this server listens on ({served.listen}) or a "
        f"name of {SETTING}, found {_shown(host)}; add it to {SETTING} if it leads here"
    )


def _is_followed_link(method: str, found: _Found) -> bool:
    """Whether a person follows a link, or types an address: the answer becomes a page of its own.

    Only browsers that send Fetch Metadata say so. A form sends `Origin` with a POST; a GET that
    becomes a page has none.
    """
    return (
        method.upper() in {"GET", "HEAD"}
        and found.one("sec-fetch-mode") == "navigate"
        and found.one("sec-fetch-dest") == "document"
        and found.one("origin") is None
        and not any(name.startswith("access-control-request-") for name in found)
    )


def _foreign_page(found: _Found, hosts: list[str], schemes: Sequence[str]) -> str | None:
    """The sign of a page of another origin behind the request; None if there is none."""
    asked = next((name for name in found if name.startswith("access-control-request-")), None)
    if asked is not None:
        return f"expected no request of another origin, found {asked.title()}; no setting allows it"
    site = found.one("sec-fetch-site")
    if site is not None and site.lower() not in {"same-origin", "none"}:
        return (
            f"expected Sec-Fetch-Site same-origin or none, found {_shown(site)}: pages of other "
            "origins get no answer, and no setting allows it; type the address, or ask with a "
            "client that is no browser"
        )
    # A page can't send these headers: the browser would send a preflight request first.
    own = {(scheme, *_place(host, scheme)) for scheme in schemes for host in hosts}
    for name in ("origin", "referer"):
        page = found.one(name)
        if page is not None and not _is_own(page, own, relative=name == "referer"):
            return (
                f"expected {name.title()} {schemes[0]}://{_shown(hosts[0])[1:-1]}, "
                f"found {_shown(page)}: pages of other origins get no answer, and no setting "
                "allows it"
            )
    return None


def _is_own(page: str, own: set[tuple[str, str, int]], *, relative: bool) -> bool:
    try:
        parts = urlsplit(page)
        port = parts.port
    except ValueError:
        return False
    if relative and not parts.scheme and not parts.netloc:
        return True  # a path, of this server then (RFC 9110, section 10.1.3)
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.hostname:
        return False  # among them: `null`, of sandboxed frames and files
    return (parts.scheme, _plain(parts.hostname), port or default) in own


def _schemes(found: _Found) -> tuple[str, ...]:
    """The schemes of our own pages: https, too, if a proxy says that it ended TLS."""
    return ("http", "https") if found.one("x-forwarded-proto") == "https" else ("http",)


def _place(host: str, scheme: str) -> tuple[str, int]:
    parsed = _AUTHORITY.fullmatch(host)
    if parsed is None:  # checked before
        return host, 0
    return _plain(parsed[1]), int(parsed[2] or _DEFAULT_PORTS[scheme])


def _absolute(target: str) -> list[str]:
    """The host of a target in absolute form."""
    if target.startswith("/") or target == "*":
        return []
    _, found, rest = target.partition("://")
    return [re.split(r"[/?#]", rest, maxsplit=1)[0]] if found else []


def _plain(host: str) -> str:
    """A host in one spelling: lower case, without brackets, zone and the root's dot.

    An IPv6 address may be written in many ways; an IPv4 one may come as an IPv6 one.
    """
    bare = host.lower().strip("[]").partition("%")[0].removesuffix(".")
    address = _address(bare)
    return bare if address is None else str(address)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _is_unspecified(host: str) -> bool:
    """Whether a listener on `host` listens on all addresses; an empty one does."""
    address = _address(_plain(host))
    return not host or (address is not None and address.is_unspecified)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
