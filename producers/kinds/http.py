"""HTTP: one request, its redirects, and the expected answer.

HTTP/1.1 over our own connections: the address policy judges each address, also after a redirect.
The target's own origin alone gets headers, login, body and the client's certificate.
"""

import asyncio
import time
from typing import Final

from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.checks.model import Hop
from producers.checks.os_errors import shown
from producers.kinds import http_proxy, http_request, tls_session
from producers.kinds.certificate_end import judged
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.http_body import BodyReader
from producers.kinds.http_coding import Unpacker
from producers.kinds.http_cookies import Cookies
from producers.kinds.http_expect import (
    WantedBody,
    check_headers,
    expects,
    says_too_many,
    wrong_status,
)
from producers.kinds.http_head import Head, HeadReader
from producers.kinds.http_options import JSON_OPTIONS, TLS_PORTS, settle
from producers.kinds.http_proxy import Proxy
from producers.kinds.http_refusal import refusal
from producers.kinds.http_request import Request
from producers.kinds.http_url import RequestUrl, next_place, shown_url
from producers.kinds.kind import Kind
from producers.kinds.tls_errors import (
    ClientCertificateError,
    RefusedCertificateError,
    refuses_client,
)
from schemas.probe import HttpProbe
from schemas.result import Reason

MOST_BODY_BYTES: Final = 900_000
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


async def check(context: CheckContext) -> None:
    """Up: the answer after the last redirect has the expected status, headers and body.

    Each certificate on the way must hold for `critical_days`; the first to end is told. All times
    are those of all requests together. If nothing is expected, a server that wants a client's
    certificate is up, with a remark.

    Raises:
        CheckFailedError: as for all kinds; `unexpected_response` for another status or content.
    """
    probe, target = context.target.probe, context.target
    options = probe if isinstance(probe, HttpProbe) else HttpProbe(tls=target.port in TLS_PORTS)
    if target.host is None or target.port is None:
        raise CheckFailedError("prober_error", "the target has no host or no port")
    scheme = "https" if options.tls else "http"
    place = RequestUrl(scheme, target.host, target.port, options.path)
    request = http_request.first(context, options, place)
    walk = _Walk(context, options, request, http_proxy.proxy_of(context, options.proxy))
    remark: str | None = None
    try:
        while await walk.ask():
            pass
    except ClientCertificateError as error:
        if expects(options):
            raise
        remark = error.detail
    walk.judge_certificates()
    if remark is not None:
        context.note(remark)


class _Ending(Struct, frozen=True):
    """The end of a certificate chain (UTC ms), and what it means; see `certificate_end.judged`."""

    ends_at: int
    place: RequestUrl
    reason: Reason | None
    text: str


class _Walk:
    """The requests of a check, one after the other."""

    def __init__(
        self, context: CheckContext, options: HttpProbe, request: Request, proxy: Proxy | None
    ) -> None:
        self._context = context
        self._options = options
        self._request = request
        self._origin = request.place.origin
        self._proxy = proxy
        self._cookies = Cookies()
        self._followed = 0
        self._endings: list[_Ending] = []

    @property
    def _place(self) -> RequestUrl:
        return self._request.place

    @property
    def _answerer(self) -> Proxy | None:
        """The proxy, if it is what answers: without TLS there is no tunnel."""
        return self._proxy if self._place.scheme == "http" else None

    async def ask(self) -> bool:
        """Makes one request; True if its answer is a redirect that is to be followed.

        Raises:
            CheckFailedError: see `check`; the detail of a later request has its URL.
        """
        context = self._context
        connect_ms, tls_ms = context.connect_ms, context.tls_ms
        ends_at = context.cert_expires_at
        context.connect_ms = context.tls_ms = context.connected_at = context.cert_expires_at = None
        context.silence, context.waiting_for = "timed_out", "connection"
        context.came = self._way if self._followed else None
        try:
            return await self._ask(self._request.place)
        except ClientCertificateError as error:
            error.detail = self._after_redirects(error.detail)
            raise
        except CheckFailedError as error:
            if not self._followed:
                raise
            raise CheckFailedError(error.reason, self._after_redirects(error.detail)) from error
        finally:
            context.connect_ms = _sum(connect_ms, context.connect_ms)
            context.tls_ms = _sum(tls_ms, context.tls_ms)
            found = [end for end in (ends_at, context.cert_expires_at) if end is not None]
            context.cert_expires_at = min(found, default=None)

    def judge_certificates(self) -> None:
        """Raises for the certificate that ends first, or has the notices for a target that is up.

        Raises:
            CheckFailedError: a certificate does not hold for `critical_days`.
        """
        endings = sorted(self._endings, key=lambda one: one.ends_at)
        for one in endings:
            if one.reason is not None:
                raise CheckFailedError(one.reason, self._text(one))
        for text in dict.fromkeys(map(self._text, endings)):
            self._context.note(text)

    async def _ask(self, place: RequestUrl) -> bool:
        context = self._context
        dns_before_ms = context.dns_ms
        stream = await self._connection(place)
        try:
            if place.scheme == "https":
                await self._secure(stream, place)
            stream.server_first = True  # we ask for it: "Connection: close"
            asked_at = time.monotonic()
            broken = await _sent(stream, self._encoded())
            with http_proxy.named(self._answerer):
                head, rest = await self._head(stream, broken)
            context.http_status = head.status
            began_at = time.monotonic()
            following = self._next(head)
            body_ended_at: float | None = None
            try:
                if following is None:
                    body_ended_at = await self._judge(stream, head, rest, began_at)
            finally:
                asked = context.dns_ms is not None and context.dns_ms != dns_before_ms
                dns_ms = (context.dns_ms or 0.0) - (dns_before_ms or 0.0)
                ended_at = context.ended_at if body_ended_at is None else body_ended_at
                context.hops.append(
                    Hop(
                        url=self._shown(place),
                        address=context.address,
                        status=head.status,
                        dns_ms=round(dns_ms, 3) if asked else None,
                        connect_ms=context.connect_ms,
                        tls_ms=None if context.tls_ms is None else round(context.tls_ms, 3),
                        wait_ms=round((began_at - asked_at) * 1000, 3),
                        body_ms=_span_ms(began_at, ended_at),
                    )
                )
        finally:
            stream.close()
        if following is None:
            return False
        self._follow(following)
        if context.connected_at is not None:
            context.earlier_ms += (time.monotonic() - context.connected_at) * 1000
        return True

    async def _connection(self, place: RequestUrl) -> Connection:
        """A connection to the server, or to the proxy, or by it to the server."""
        context, proxy = self._context, self._proxy
        if proxy is None:
            return await context.connect(place.host, place.port)
        http_proxy.judge_place(context, place)
        stream = await http_proxy.connect(context, proxy)
        if place.scheme == "https":
            await http_proxy.tunnel(context, stream, proxy, place)
        return stream

    async def _secure(self, stream: Connection, place: RequestUrl) -> None:
        options, own = self._options, self._request.own
        try:
            await tls_session.secure(
                self._context,
                stream,
                verify=options.verify,
                server_name=(options.server_name if own else None) or place.host,
                client=options.client_certificate if own else None,
                around=self._around_tls(place),
            )
        finally:
            self._look_at_certificate()

    def _around_tls(self, place: RequestUrl) -> tls_session.Around:
        """How a second connection comes to the server's certificate."""
        proxy = self._proxy
        if proxy is None:
            return tls_session.at_once
        return lambda context, stream: http_proxy.tunnelled(context, stream, proxy, place)

    def _encoded(self) -> bytes:
        request, proxy = self._request, self._answerer
        login = None if proxy is None else proxy.login
        cookies = self._cookies.field(request.place)
        return request.encoded(cookies, absolute=proxy is not None, login=login)

    async def _head(
        self, stream: Connection, broken: CheckFailedError | None
    ) -> tuple[Head, bytes]:
        """The head, and what came with it; `broken` is the error of sending the request."""
        context, reader = self._context, HeadReader()
        context.silence, context.waiting_for = "no_answer", "HTTP answer"
        while True:
            try:
                data = await stream.receive()
            except ClientCertificateError:
                raise
            except CheckFailedError as error:
                cause = broken or error
                came = f": {reader.begun} came" if reader.heard else ""
                raise CheckFailedError(cause.reason, f"{cause.detail}{came}") from error
            if not data:
                return reader.end(), b""
            head = reader.feed(data)
            if head is not None:
                return head, reader.rest
            context.silence, context.waiting_for = (
                "unexpected_response",
                "complete head of the answer",
            )
            context.came = lambda: self._after_redirects(f"{reader.begun} came")

    def _next(self, head: Head) -> Request | None:
        """The request that the redirect makes; None if it is none, or not to be followed."""
        options = self._options
        # As curl: the first of several, and an empty one leads nowhere.
        location = next(iter(head.values("location")), b"").decode("latin-1")
        if head.status not in _REDIRECTS or not location or not options.redirects:
            return None
        if head.status in options.status:
            return None
        if self._followed == options.redirects:
            text = f"more than {options.redirects} redirects, the last one to {shown_url(location)}"
            raise CheckFailedError("unexpected_response", text)
        place = self._request.place
        following = http_request.after(self._request, next_place(place, location), head.status)
        self._cookies.take(place, head)
        self._keep_secrets_from(following.place, head.status)
        return following

    def _keep_secrets_from(self, place: RequestUrl, status: int) -> None:
        """Refuses another origin than the target's that would get a secret, said back by a server.

        Servers put the query of a request into the URL they redirect to: at the end of a path, in
        clear, at whatever `?next=` names.

        Raises:
            CheckFailedError: `unexpected_response`.
        """
        scrubber = self._context.scrubber
        if place.origin == self._origin or not scrubber.used:
            return
        what = "URL" if scrubber.finds_in(place.url) else "cookies"
        if what == "URL" or scrubber.finds_in(self._cookies.field(place) or ""):
            text = f"the status {status} leads to another origin, {self._shown(place)}"
            text += f", which would get a secret of the check in its {what}: it is not asked"
            raise CheckFailedError("unexpected_response", text)

    def _follow(self, request: Request) -> None:
        self._request = request
        self._followed += 1
        self._context.banner = self._way()

    async def _judge(
        self, stream: Connection, head: Head, rest: bytes, began_at: float
    ) -> float | None:
        """Judges the last answer; the time when the last byte of its body was read, if it was.

        Our own time for judging is not the target's: `ended_at` is set before it.
        """
        context, options = self._context, self._options
        context.ended_at = began_at
        proxy = self._answerer
        instead = None if proxy is None else http_proxy.own_answer(proxy, head)
        if instead is not None:
            raise CheckFailedError("unexpected_response", instead)
        wrong = wrong_status(options, head)
        if wrong is not None:
            said = await refusal(context, stream, head, rest, self._request.method)
            asked = self._place.scheme == "https" and options.client_certificate is None
            if asked and refuses_client(head.status, said):
                raise ClientCertificateError
            text = f"{wrong}: {shown(said)!r}" if said.strip() else wrong
            many = says_too_many(head, said)
            raise CheckFailedError("too_many_connections" if many else "unexpected_response", text)
        await check_headers(context, options, head)
        wanted = WantedBody(context, options, head)
        if wanted.fulfilled:
            return None
        context.ended_at = None
        return await self._body(stream, head, rest, wanted)

    async def _body(self, stream: Connection, head: Head, rest: bytes, wanted: WantedBody) -> float:
        """Reads the body until it fulfils what is expected; the time of the last byte."""
        context = self._context
        unpacker = Unpacker(head, MOST_BODY_BYTES + 1)
        reader, body = BodyReader(head, self._request.method), bytearray()
        body += unpacker.feed(reader.feed(rest))
        read_at = time.monotonic()
        context.silence = "unexpected_response"

        def came() -> str:
            begun = f", which begins with {shown(bytes(body[:256]))!r}" if body else ""
            return f"the status {head.status} and {len(body)} bytes of the body came{begun}"

        context.came = lambda: self._after_redirects(came())
        broken: CheckFailedError | None = None
        # The expected content must be in the beginning.
        while not reader.done and len(body) <= MOST_BODY_BYTES:
            context.ended_at = read_at
            if await wanted.look(body):
                return read_at
            context.ended_at = None
            context.waiting_for = f"end of the body, and not yet {wanted.words} in it,"
            try:
                async with asyncio.timeout(wanted.wait_s(len(body))):
                    data = await stream.receive()
            except TimeoutError:
                continue
            except CheckFailedError as error:
                broken, data = error, b""
            read_at = time.monotonic()
            if not data:
                break
            body += unpacker.feed(reader.feed(data))
        context.ended_at = read_at
        full = len(body) > MOST_BODY_BYTES
        cut = None if full else reader.cut or ("within packed data" if unpacker.cut else None)
        try:
            await wanted.judge(body, cut if broken is None else broken.detail, full=full)
        except CheckFailedError as error:
            if broken is None or error.reason == "prober_error":
                raise
            raise CheckFailedError(broken.reason, f"{broken.detail}: {came()}") from error
        return read_at

    def _look_at_certificate(self) -> None:
        end, options = self._context.certificate_end, self._options
        if end is None:
            return
        now_ms = time.time() * 1000
        reason, text = judged(end, options.critical_days, options.warn_days, now_ms)
        if text is not None:
            self._endings.append(_Ending(end.at_ms, self._place, reason, text))

    def _text(self, one: _Ending) -> str:
        return f"{self._shown(one.place)}: {one.text}" if self._followed else one.text

    def _after_redirects(self, text: str) -> str:
        return f"{self._way()}: {text}" if self._followed else text

    def _shown(self, place: RequestUrl) -> str:
        """The URL for people. Masked before it is cut: the beginning of a secret would be left."""
        return shown_url(self._context.scrubber.scrub(place.url))

    def _way(self) -> str:
        redirects = "1 redirect" if self._followed == 1 else f"{self._followed} redirects"
        return f"after {redirects}: {self._shown(self._place)}"


async def _sent(stream: Connection, request: bytes) -> CheckFailedError | None:
    """Sends the request; the error if it failed: a server may refuse before it closes."""
    try:
        await stream.send(request)
    except (ClientCertificateError, RefusedCertificateError):
        raise  # the server has explained itself
    except CheckFailedError as error:
        return error
    return None


def _sum(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return second if first is None else first
    return first + second


def _span_ms(began_at: float, ended_at: float | None) -> float | None:
    return (
        None if ended_at is None or ended_at <= began_at else round((ended_at - began_at) * 1000, 3)
    )


KIND: Final = Kind(
    check=check,
    port=80,
    options=HttpProbe,
    settle=settle,
    json_options=JSON_OPTIONS,
    latency_of="total",
)
