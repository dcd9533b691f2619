"""The option `proxy` of `http`."""

import re
from typing import Final

from msgspec import Struct

from schemas.partition import canonical_host

_URL: Final = re.compile(
    r"http://(?:(?P<user>[^@/?#]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^@/?#:\[\]$]+):(?P<port>[0-9]{1,5})/?",
    re.IGNORECASE,
)
_FORM: Final = "http://[user:password@]host:port"


class ProxyUrl(Struct, frozen=True):
    """The parts of a proxy's URL; `user` with the password, percent-encoded as written."""

    user: str | None
    host: str
    port: int


def parsed(written: str) -> ProxyUrl:
    """The parts of the URL. User and password may have placeholders of secrets.

    Raises:
        ValueError: it is no URL of an HTTP proxy. The text has nothing of user and password.
    """
    if "${" in written.rpartition("@")[2]:
        text = "expected secrets in front of the @ alone (http://user:${…}@host:port)"
        raise ValueError(f"proxy: {text}, found one in the place of the host")
    found = _URL.fullmatch(written)
    if found is None:
        raise ValueError(f"proxy: expected {_FORM}, found another text")
    try:
        host = canonical_host(found["host"])
    except ValueError as error:
        raise ValueError(f"proxy: {error}") from error
    port = int(found["port"])
    if not 0 < port < 65_536:
        raise ValueError(f"proxy: expected a port from 1 to 65535, found {port}")
    return ProxyUrl(found["user"], host, port)
