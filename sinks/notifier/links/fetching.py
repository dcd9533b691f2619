"""One bounded GET of an on-call system's API. Blocks: for a thread."""

import asyncio
import base64
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import requests
from msgspec import Struct

from sinks.notifier.channels.shared_tls import share

CONNECT_S: Final = 10.0
READ_S: Final = 20.0
WITHIN_S: Final = 30.0
"""Longest time of a whole answer, in s."""

MOST_BODY: Final = 16 * 2**20
"""Bytes of the largest answer: some thousand alerts."""

_CHUNK: Final = 2**16
_Made = TypeVar("_Made")


class FetchError(OSError):
    """No answer that can be used; the text holds no part of the URL."""


class HttpGet(Struct, frozen=True, kw_only=True):
    """A request without a body."""

    url: str
    headers: dict[str, str] = {}
    user: str | None = None
    password: str = ""


Fetch = Callable[[HttpGet], bytes]


def fetch(get: HttpGet) -> bytes:
    """The body of the answer.

    Raises:
        FetchError: no connection, another status than 200, too large or too slow.
    """
    try:
        with requests.Session() as session:
            # A password in ~/.netrc for this host belongs to somebody else.
            session.auth = lambda request: request
            share(session, {})
            headers = {"User-Agent": "portquorum", "Accept": "application/json", **get.headers}
            if get.user is not None:
                pair = base64.b64encode(f"{get.user}:{get.password}".encode()).decode()
                headers["Authorization"] = f"Basic {pair}"
            return _read(session, get.url, headers)
    except (requests.RequestException, ValueError) as error:
        raise FetchError(f"no answer: {type(error).__name__}") from None


def _read(session: requests.Session, url: str, headers: dict[str, str]) -> bytes:
    until = time.monotonic() + WITHIN_S
    options: dict[str, Any] = {"timeout": (CONNECT_S, READ_S), "allow_redirects": False}
    with session.get(url, headers=headers, stream=True, **options) as response:
        if response.status_code != requests.codes.ok:
            raise FetchError(f"expected the status 200, found {response.status_code}")
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > MOST_BODY:
                raise FetchError(f"expected {MOST_BODY} bytes at most, found more")
            if time.monotonic() > until:
                raise FetchError(f"expected an answer within {WITHIN_S:g} s, found a slower one")
        return bytes(body)


async def in_thread(work: Callable[[], _Made]) -> _Made:
    """Runs `work` in a daemon thread, which does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Made] = loop.create_future()

    def settle(made: _Made | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(made)  # type: ignore[arg-type]
        else:
            done.set_exception(error)

    def run() -> None:
        made, failed = None, None
        try:
            made = work()
        except Exception as error:  # noqa: BLE001 - raised by whoever waits
            failed = error
        try:
            loop.call_soon_threadsafe(settle, made, failed)
        except RuntimeError:
            return  # the loop is closed: the process ends

    threading.Thread(target=run, name="poll", daemon=True).start()
    return await done
