"""URLs of HTTP as others write them, in the parts that a target has."""

import re
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

from producers.kinds.secrets import PREFIX
from schemas.partition import canonical_host

_DEFAULT_PORT: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_TLS: Final = frozenset({"https", "wss"})
_TLS_PORTS: Final = frozenset({443, 8443})
_KEPT: Final = "A-Za-z0-9/?:@!$&'()*+,;=._~%\\[\\]-"
_TO_ENCODE: Final = re.compile(rf"(\$\{{{PREFIX}[A-Z0-9_]*\}})|([^{_KEPT}]+)")
_DOLLAR: Final = re.compile(rf"\$(?!\{{{PREFIX})")


class HttpPlace(Struct, frozen=True):
    """Whom a URL asks, and for what. `path` is with its query, without a fragment."""

    host: str
    port: int
    tls: bool
    path: str
    username: str | None = None
    password: str | None = None


def http_place(url: str) -> HttpPlace:
    """The parts of a URL of the schemes http, https, ws and wss.

    Raises:
        ValueError: not such a URL, or a host that is none; the text says it in words, and has
            neither the password nor the query of the URL.
    """
    text = url.strip()
    scheme, colon, _ = text.partition("://")
    scheme = scheme.lower()
    if not colon or scheme not in _DEFAULT_PORT:
        raise ValueError("expected a URL that begins with http:// or https://, found another one")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        # What stands there may be a password with a slash in it, and is not repeated.
        raise ValueError("expected a URL with a host and a port from 1 to 65535") from None
    try:
        host = canonical_host(parts.hostname or "")
    except ValueError:
        raise ValueError(
            "expected a URL with a host: expected a host name or an IP address, found another text"
        ) from None
    if port == 0:
        raise ValueError("expected a port from 1 to 65535, found 0")
    path = _path(parts.path or "/") + (f"?{_path(parts.query)}" if parts.query else "")
    return HttpPlace(
        host=host,
        port=port or _DEFAULT_PORT[scheme],
        tls=scheme in _TLS,
        path=path,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def http_entry(place: HttpPlace) -> dict[str, Any]:
    """The fields of a target of kind `http`; `tls` is written only where the port misleads.

    With TLS `critical_days` is 0: a certificate is fine for others until it has expired.
    """
    probe: dict[str, Any] = {}
    if place.path != "/":
        probe["path"] = literal(place.path)
    probe |= tls_option(place.port, tls=place.tls)
    if place.tls:
        probe["critical_days"] = 0
    entry: dict[str, Any] = {"kind": "http", "host": place.host}
    if place.port != _DEFAULT_PORT["http"]:
        entry["port"] = place.port
    return entry | ({"probe": probe} if probe else {})


def tls_option(port: int, *, tls: bool) -> dict[str, bool]:
    """The option `tls` of kinds that have it on for some ports, if it is not their default."""
    return {} if tls == (port in _TLS_PORTS) else {"tls": tls}


def literal(text: str) -> str:
    """`text` for an option that may have secrets: `$` is `$$` there, save before our own names."""
    return _DOLLAR.sub("$$", text)


def _path(text: str) -> str:
    """Percent-encoded as clients do it, save the names of our secrets."""
    return _TO_ENCODE.sub(lambda one: one[1] or quote(one[2], safe=""), text)
