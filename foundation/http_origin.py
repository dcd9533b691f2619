"""Whether an HTTP request may be answered: no page of another origin, no foreign host name.

A browser sends requests to this machine for any page that its user opens. Three things tell such a
request from one of our own clients:

- `Host` (RFC 9110, section 7.2) is the name in the address. A page of `evil.example` whose name is
  then made to resolve to 127.0.0.1 (DNS rebinding) is of the same origin as our server for the
  browser; only the name in `Host` tells it.
- `Sec-Fetch-Site` (W3C, Fetch Metadata Request Headers, section 2.4) says how the page and our
  server are related. `same-site` is not enough: all ports of localhost are one site. Browsers send
  it to https, to localhost and to loopback addresses, and to nobody else.
- `Origin` (RFC 6454, section 7) and `Referer` (RFC 9110, section 10.1.3) name the page. A browser
  sends no `Origin` with a GET for an image or a script.

A page can neither set nor remove any of these (Fetch, "forbidden request-header"). What is left:
`<img src="http://192.168.0.7:9402/">` with `referrerpolicy="no-referrer"` has no sign at all, since
the address is not a loopback one. The page can't read the answer; what a GET may do there must
therefore be harmless, or need a password.

No sockets, no framework: values in, values out.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

SETTING: Final = "PORTQUORUM_HTTP_HOSTS"
"""The variable with the host names under which our servers are reached."""

_AUTHORITY: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]+(?:%[\w.~%-]+)?\]|[\w.-]+)(?::(\d{1,5}))?", re.ASCII
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SHOWN: Final = 80
"""Characters of a header that a sentence shows."""

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
    """The headers of a request, each as often as it was sent, in any case.

    aiohttp's `request.headers` and http.server's `self.headers` are such; for WSGI see `of_wsgi`.
    """

    def items(self) -> Iterable[tuple[str, Any]]:
        """Name and value of each header."""


class Served(Struct, frozen=True):
    """The hosts that a server answers for.

    The address it listens on, `localhost` and loopback addresses are always among them: no page
    can be served from there by anybody outside of this machine. A server that listens on all
    addresses answers for every IP address: an address in `Host` can't be rebound.

    The port in `Host` may be any: a forwarded port (`docker run -p`, `ssh -L`) has another one
    outside, and a page can't choose it.
    """

    listen: str
    """The address or name it listens on: `127.0.0.1`, `::1`, `0.0.0.0`, `prober1.example.org`."""
    names: tuple[str, ...] = ()
    """Other names under which it is reached; exact, in any case."""

    def answers_for(self, host: str) -> bool:
        """Whether a host, in lower case and without port, is one of this server's."""
        if host == "localhost" or host == _plain(self.listen) or host in map(_plain, self.names):
            return not _is_unspecified(host)
        address = _address(host)
        if address is None or address.is_unspecified:
            # A page reaches this machine by http://0.0.0.0/, too; nobody else needs to.
            return False
        return address.is_loopback or _is_unspecified(self.listen)


def refusal(method: str, headers: Headers, served: Served, target: str = "/") -> str | None:
    """Why a request must be answered with 403; None if it may go on.

    Args:
        method: of the request. A browser's question before a request (preflight) is refused
            whatever its method: nothing here is for pages of other origins.
        headers: all of them.
        served: which hosts the server answers for.
        target: the request target; one in absolute form (RFC 9112, section 3.2.2) names a host
            as well, which is then looked at like `Host`.

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
    return _foreign_page(found, hosts)


def is_forwarded(headers: Headers) -> bool:
    """Whether a proxy passed this request on; its sender is then not the address it comes from.

    By the headers that proxies add. A proxy that adds none can't be told from a client of its
    machine (nginx with a bare `proxy_pass` is one): its servers need a password.
    """
    names = {name.lower() for name, _ in headers.items()}
    return not names.isdisjoint(_FORWARDED) or any(
        name.startswith(_FORWARDED_BEGINNINGS) for name in names
    )


def of_wsgi(environ: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a WSGI request (PEP 3333).

    wsgiref joins headers of one name by a comma: several `Host` are thus one malformed.
    """
    return {
        key.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }


def is_loopback(listen: str) -> bool:
    """Whether nobody outside of this machine reaches a server that listens there."""
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


def _foreign_page(found: _Found, hosts: list[str]) -> str | None:
    """Why a page of another origin is behind the request; None if none is."""
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
    # A page can't send these headers: the browser would ask first (preflight).
    schemes = {"http", *({"https"} if _came_by_tls(found) else ())}
    own = {(scheme, *_place(host, scheme)) for scheme in schemes for host in hosts}
    for name in ("origin", "referer"):
        page = found.one(name)
        if page is not None and not _is_own(page, own, relative=name == "referer"):
            return (
                f"expected {name.title()} http://{_shown(hosts[0])[1:-1]}, found {_shown(page)}: "
                "pages of other origins get no answer, and no setting allows it"
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


def _came_by_tls(found: _Found) -> bool:
    """Whether a proxy says that it ended TLS for the request."""
    return found.one("x-forwarded-proto") == "https"


def _place(host: str, scheme: str) -> tuple[str, int]:
    parsed = _AUTHORITY.fullmatch(host)
    if parsed is None:  # looked at before
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
