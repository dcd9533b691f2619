"""The URL of a request, and of the redirect after it, as browsers read it."""

import re
from typing import Final

from ada_url import URL
from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from schemas.partition import canonical_host

MOST_LOCATION_BYTES: Final = 8_192
_PORTS: Final = {"http": 80, "https": 443}
_NOT_ASCII: Final = re.compile(r"[\x80-\xff]")
# RFC 9112, section 3.2: visible characters; without the slash it would be no path.
_TARGET: Final = re.compile(r"/[\x21-\x7e]*")
# RFC 6761, section 6.4: no such host exists.
_STAND_IN: Final = "target.invalid"


class RequestUrl(Struct, frozen=True):
    """The URL of a request; `target` in the form of the request line."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as the server is told, without a port that the scheme has by default.

        The zone of an address is of the prober alone (RFC 6874, section 4).
        """
        return self._with_port(self.host.partition("%")[0])

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.scheme}://{self._with_port(self.host)}{self.target}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """The origin of a URL, which all URLs of one server share (RFC 6454)."""
        return self.scheme, self.host, self.port

    def _with_port(self, host: str) -> str:
        shown_host = f"[{host}]" if ":" in host else host
        return shown_host if self.port == _PORTS[self.scheme] else f"{shown_host}:{self.port}"


def shown_url(url: str) -> str:
    """The URL for people without its query, which may have secrets."""
    return shown(url.partition("?")[0].encode())


def next_place(place: RequestUrl, location: str) -> RequestUrl:
    """The URL of the redirect `location` (Latin-1, as received) relative to `place`.

    Read by the URL Standard (WHATWG): blanks, control characters and bytes beyond ASCII are
    percent-encoded, backslashes are slashes. User name, password and fragment are left out.

    Raises:
        CheckFailedError: it is not a URL of HTTP.
    """
    try:
        if len(location) > MOST_LOCATION_BYTES:
            raise ValueError("too long")  # noqa: TRY301  (one outcome for all that is wrong)
        url = URL(_encoded(location), base=_base(place))
        scheme = url.protocol.removesuffix(":")
        usual = _PORTS[scheme]  # of another scheme there is none, also when it names a port
        port = int(url.port) if url.port else usual
        host = place.host if url.hostname == _STAND_IN else canonical_host(url.hostname)
        target = f"{url.pathname}{url.search}"
        if not 0 < port < 65_536 or _TARGET.fullmatch(target) is None:
            raise ValueError(target)  # noqa: TRY301
    except (ValueError, KeyError):
        text = f"a redirect to what is no URL of HTTP: {shown_url(location)}"
        raise CheckFailedError("unexpected_response", text) from None
    return RequestUrl(scheme, host, port, target)


def _encoded(location: str) -> str:
    """The bytes beyond ASCII percent-encoded: they need not be UTF-8."""
    return _NOT_ASCII.sub(lambda one: f"%{ord(one[0]):02X}", location)


def _base(place: RequestUrl) -> str:
    """The URL to which a relative one belongs; the URL Standard has no address with a zone."""
    host = _STAND_IN if "%" in place.host else place.host
    return RequestUrl(place.scheme, host, place.port, place.target).url
