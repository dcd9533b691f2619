"""Requests through an HTTP proxy: the whole URL in the request, or a tunnel (RFC 9110, 9.3.6)."""

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Iterator
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.http_head import Head, HeadReader
from producers.kinds.http_proxy_url import parsed
from producers.kinds.http_request import AGENT, basic
from producers.kinds.http_url import RequestUrl

_LOGIN: Final = 407
_LOOPBACK: Final = "127.0.0.1"


class Proxy(Struct, frozen=True):
    """A proxy. `login` is the value of `Proxy-Authorization`."""

    host: str
    port: int
    login: str | None

    @property
    def place(self) -> str:
        """For people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def proxy_of(context: CheckContext, written: str | None) -> Proxy | None:
    """The proxy, with the secrets of its login.

    Raises:
        CheckFailedError: `secret_missing`, `prober_error`.
    """
    if written is None:
        return None
    try:
        url = parsed(written)
        user = parsed(context.reveal(written, "proxy", to=url.host)).user
    except ValueError as error:
        raise CheckFailedError("prober_error", str(error)) from error
    if user is None:
        return Proxy(url.host, url.port, None)
    name, _, password = user.partition(":")
    return Proxy(url.host, url.port, basic(unquote(name), unquote(password)))


def judge_place(context: CheckContext, place: RequestUrl) -> None:
    """Refuses a place behind a proxy that the address policy forbids, as far as it can be known.

    The proxy looks names up, and no check sees what they lead to. Known are addresses, and the
    names of loopback (RFC 6761, section 6.3).

    Raises:
        CheckFailedError: `address_blocked`.
    """
    host = place.host.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        address = _LOOPBACK
    else:
        address = host.partition("%")[0]
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return
    why = context.vantage.blocked_because(address)
    if why is not None:
        raise CheckFailedError("address_blocked", f"behind the proxy: {why}")


async def connect(context: CheckContext, proxy: Proxy) -> Connection:
    """A connection to the proxy, whose address is judged as that of any target.

    Raises:
        CheckFailedError: as `CheckContext.connect`; the detail names the proxy.
    """
    context.waiting_for = f"connection to the proxy {proxy.place}"
    context.proxy_host = proxy.host
    try:
        return await context.connect(proxy.host, proxy.port)
    except CheckFailedError as error:
        text = f"the proxy {proxy.place}: {error.detail}"
        raise CheckFailedError(error.reason, text, no_way=error.no_way) from error


async def tunnel(
    context: CheckContext, stream: Connection, proxy: Proxy, place: RequestUrl
) -> None:
    """Has the proxy connect to `place`; `stream` leads there then.

    Raises:
        CheckFailedError: the proxy does not answer, or refuses.
    """
    host = place.host.partition("%")[0]  # a zone is of the prober alone
    host = f"[{host}]" if ":" in host else host
    lines = [f"CONNECT {host}:{place.port} HTTP/1.1", f"Host: {host}:{place.port}"]
    lines.append(f"User-Agent: {AGENT}")
    if proxy.login is not None:
        lines.append(f"Proxy-Authorization: {proxy.login}")
    silence = context.silence
    # What the proxy waits for is a connection to the target.
    context.silence = "timed_out"
    context.waiting_for = f"answer of the proxy {proxy.place} to CONNECT {host}:{place.port}"
    try:
        await stream.send("\r\n".join([*lines, "", ""]).encode("latin-1"))
        head, rest = await _answer(stream)
    except CheckFailedError as error:
        text = f"the proxy {proxy.place}, at CONNECT {host}:{place.port}: {error.detail}"
        raise CheckFailedError(error.reason, text) from error
    context.silence = silence
    if not 200 <= head.status < 300:
        raise CheckFailedError("unexpected_response", _refusal(proxy, f"{host}:{place.port}", head))
    if rest:
        # It must not count as data of the target, from within TLS.
        text = f"the proxy {proxy.place} went on before TLS began: {shown(rest)!r}"
        raise CheckFailedError("unexpected_response", text)


@contextlib.asynccontextmanager
async def tunnelled(
    context: CheckContext, stream: Connection, proxy: Proxy, place: RequestUrl
) -> AsyncIterator[None]:
    """The tunnel as what comes before TLS (`tls_session.Around`)."""
    await tunnel(context, stream, proxy, place)
    yield


async def _answer(stream: Connection) -> tuple[Head, bytes]:
    reader = HeadReader()
    while True:
        data = await stream.receive()
        if not data:
            return reader.end(), b""
        head = reader.feed(data)
        if head is not None:
            return head, reader.rest


@contextlib.contextmanager
def named(proxy: Proxy | None) -> Iterator[None]:
    """Names the proxy in an error: what is no HTTP is not the target's.

    Raises:
        CheckFailedError: the one that was raised within, of the same reason.
    """
    try:
        yield
    except CheckFailedError as error:
        if proxy is None:
            raise
        raise CheckFailedError(error.reason, f"the proxy {proxy.place}: {error.detail}") from error


def own_answer(proxy: Proxy, head: Head) -> str | None:
    """What the proxy says in place of the target, to a request without a tunnel; None: nothing.

    407 is no server's own (RFC 9110, section 15.5.8), and squid marks its pages. No `status` of
    the target's expects them.
    """
    if head.status == _LOGIN or (head.status >= 400 and head.value("x-squid-error") is not None):
        return f"the proxy {proxy.place} answered in place of the target: {_said(head)}"
    return None


def _refusal(proxy: Proxy, place: str, head: Head) -> str:
    return f"the proxy {proxy.place} refused to connect to {place}: {_said(head)}"


def _said(head: Head) -> str:
    said = f"{head.status} {head.phrase}".strip()
    # Squid's words for what went wrong on its way to the target.
    why = head.value("x-squid-error")
    more = "" if why is None else f" ({shown(why)})"
    login = ": it wants a user and password" if head.status == _LOGIN else ""
    return f"{said}{more}{login}"
