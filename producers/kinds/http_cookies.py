"""Cookies across the redirects of one check (RFC 6265), by the standard library's cookie jar."""

import re
import urllib.request
from email.message import Message
from http.cookiejar import CookieJar
from typing import Final

from producers.kinds.http_head import Head
from producers.kinds.http_url import RequestUrl

MOST_COOKIES: Final = 50
"""The most that an answer may set, and that are kept before no more are taken."""
MOST_BYTES: Final = 4_096
"""The longest `Set-Cookie` that is taken, as in browsers."""

# As browsers: none with control characters, which could end our own header field.
_CONTROL: Final = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]")
# Of more digits the jar makes a number that no float holds, and warns of itself.
_LONG_NUMBER: Final = re.compile(rb"([0-9]{12})[0-9]+")
_AGE: Final = re.compile(rb"(?i:max-age|version)[ \t]*=[^;]*")


class Cookies:
    """The cookies that servers have set on the way. Who sets one says which hosts get it."""

    def __init__(self) -> None:
        self._jar: CookieJar | None = None  # most checks need none

    def take(self, place: RequestUrl, head: Head) -> None:
        """Keeps what the answer of `place` sets, as far as it may."""
        message = Message()
        for value in head.values("set-cookie")[:MOST_COOKIES]:
            if len(value) <= MOST_BYTES and _CONTROL.search(value) is None:
                taken = _AGE.sub(lambda found: _LONG_NUMBER.sub(rb"\1", found[0]), value)
                message["Set-Cookie"] = taken.decode("latin-1")
        if "Set-Cookie" not in message:
            return
        if self._jar is None:
            self._jar = CookieJar()
        if len(self._jar) < MOST_COOKIES:
            self._jar.extract_cookies(_Answer(message), _request(place))  # type: ignore[arg-type]

    def field(self, place: RequestUrl) -> str | None:
        """The value of `Cookie` for a request to `place`."""
        if self._jar is None:
            return None
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
