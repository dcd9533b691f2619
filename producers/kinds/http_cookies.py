"""Cookies across the redirects of one check (RFC 6265), by the standard library's cookie jar."""

import urllib.request
from email.message import Message
from http.cookiejar import CookieJar
from typing import Final

from producers.kinds.http_head import Head
from producers.kinds.http_url import RequestUrl

MOST_COOKIES: Final = 50
MOST_BYTES: Final = 4_096
"""The most of a `Set-Cookie` that is taken, as in browsers."""


class Cookies:
    """The cookies that servers have set on the way. Who sets one says which hosts get it."""

    def __init__(self) -> None:
        self._jar = CookieJar()

    def take(self, place: RequestUrl, head: Head) -> None:
        """Keeps what the answer of `place` sets, as far as it may."""
        message = Message()
        for value in head.values("set-cookie")[:MOST_COOKIES]:
            if len(value) <= MOST_BYTES:
                message["Set-Cookie"] = value.decode("latin-1")
        if "Set-Cookie" in message and len(self._jar) < MOST_COOKIES:
            self._jar.extract_cookies(_Answer(message), _request(place))  # type: ignore[arg-type]

    def field(self, place: RequestUrl) -> str | None:
        """The value of `Cookie` for a request to `place`."""
        request = _request(place)
        self._jar.add_cookie_header(request)
        value: str | None = request.get_header("Cookie")
        return value


class _Answer:
    """What the jar asks of an answer."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def info(self) -> Message:
        return self._message


def _request(place: RequestUrl) -> urllib.request.Request:
    return urllib.request.Request(place.url)  # noqa: S310  (nothing is opened)
