"""URLs of our own channels: read once, each mistake in one sentence without any secret. Pure."""

from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from msgspec import Struct

_MOST_PORT: Final = 65_535


class ChannelUrlError(ValueError):
    """The URL of a channel can't be used; the text says why and holds no part of it."""


class HttpPost(Struct, frozen=True, kw_only=True):
    """One POST of a channel: a finished request but for the connection."""

    url: str
    body: bytes
    headers: dict[str, str]
    user: str | None = None
    password: str = ""


class Address(Struct, frozen=True, kw_only=True):
    """The parts of an Apprise-like URL: `scheme://user@first/path…?query`, percent-decoded."""

    user: str
    first: str
    path: tuple[str, ...]
    query: dict[str, str]


def parts_of(url: str) -> Address:
    """The parts of `url`. A `#` is part of a name, as in Apprise (`#team`)."""
    _, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    segments = [segment for segment in rest.split("/") if segment]
    user, found, first = (segments[0] if segments else "").rpartition("@")
    return Address(
        user=unquote(user) if found else "",
        first=unquote(first),
        path=tuple(unquote(segment) for segment in segments[1:]),
        query=_query(query),
    )


def endpoint_of(given: str | None, default: str, path: str) -> str:
    """The URL to post to: `given` (the parameter `endpoint`), else `default`.

    A `given` URL without a path gets `path`.

    Raises:
        ChannelUrlError: `given` is no http(s) URL.
    """
    if given is None:
        return default
    split = _split(given, "the parameter endpoint")
    if split[2] in {"", "/"}:
        return f"{split[0]}://{split[1]}{path}"
    return given


def http_url(url: str, drop: frozenset[str] = frozenset()) -> tuple[str, str | None, str]:
    """`NAME+http(s)://user:password@host/path?query` as a URL, a user and a password.

    Args:
        url: the filled-in URL.
        drop: parameters that are ours and not the server's.

    Raises:
        ChannelUrlError: no host, or no port of 1 to 65535.
    """
    plain = url.partition("+")[2]
    scheme, authority, path, query = _split(plain, "the URL")
    credentials, found, place = authority.rpartition("@")
    user, _, password = credentials.partition(":")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in drop]
    made = f"{scheme}://{place}{path}" + (f"?{urlencode(kept)}" if kept else "")
    return made, unquote(user) if found else None, unquote(password)


def parameters(url: str) -> dict[str, str]:
    """The query of `url`; of a name that is there twice, the last value."""
    return _query(url.partition("?")[2].partition("#")[0])


def _query(text: str) -> dict[str, str]:
    return {name.lower(): value for name, value in parse_qsl(text, keep_blank_values=True)}


def _split(url: str, what: str) -> tuple[str, str, str, str]:
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError as error:
        raise ChannelUrlError(
            f"expected http(s)://HOST:PORT/… in {what}, found something that is no URL"
        ) from error
    if split.scheme.lower() not in {"http", "https"} or not split.hostname:
        raise ChannelUrlError(f"expected http(s)://HOST/… in {what}, found no such URL")
    if port is not None and not 1 <= port <= _MOST_PORT:
        raise ChannelUrlError(f"expected a port of 1 to {_MOST_PORT} in {what}")
    return split.scheme.lower(), split.netloc, split.path, split.query
