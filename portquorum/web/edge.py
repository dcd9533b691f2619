"""The outermost layer of the app: what holds for every request, also for those without a route.

Who is let in, the headers of every answer, HEAD, conditional requests, the twins of pages, and the
metrics. Plain ASGI around the Litestar app, since its own middleware sees only what has a route.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from litestar.enums import ScopeType

from foundation import telemetry
from foundation.log_throttle import LogThrottle
from portquorum.web import metrics, problem
from portquorum.web.access.cookies import FORM, set_cookie
from portquorum.web.access.door import Door
from portquorum.web.access.visit import PRINCIPAL, VISIT, Visit
from portquorum.web.headers import completed
from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.problem import RETRY_AFTER
from portquorum.web.twins import twin

if TYPE_CHECKING:
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

API: Final = "/api/"
BODY_S: Final = 15.0
"""The body of a request must be here within this time. The server ends what sends no head."""
_log: Final = telemetry.logger(__name__)
_throttle: Final[LogThrottle[str]] = LogThrottle()
RefusalPage = Callable[[HTTPStatus, str], str]
"""A page as HTML for whom the door refuses: it knows no fleet and no visitor."""
_TOO_MANY: Final = "too many connections are open here: ask again later"


class Edge:
    """An ASGI app around another one."""

    def __init__(self, app: "ASGIApp", door: Door, refusal_page: RefusalPage | None = None) -> None:
        """`door` says who is let in; browsers see `refusal_page`, None: a line of text."""
        self.app = app
        self._door = door
        self._refusal_page = refusal_page

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers a request; passes the lifespan on."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        visit = self._door.visit(scope)
        if isinstance(visit, str):
            await _refuse(scope, send, visit, self._refusal_page)
            return
        scope = _with_visit(twin(scope), visit)
        answer = _Answer(scope, send, visit)
        inner: HTTPScope = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._answered(inner, answer.receiver(receive), answer.send)
        except asyncio.CancelledError:
            # The process ends: nobody asks for a traceback of each answer that is on its way.
            pass
        finally:
            answer.counted(str(inner.get("path_template") or "none"))

    async def _answered(self, scope: "HTTPScope", receive: "Receive", send: "Send") -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            cause = _of_history(error)
            if cause is None:
                raise
            # In the middle of a file: the server breaks the connection off.
            if _throttle.times("broken off"):
                _log.warning("a file was broken off", error=str(cause))


def _with_visit(scope: "HTTPScope", visit: Visit) -> "HTTPScope":
    """The scope with who asks, and as the browser sees it: scheme, host and address."""
    state = {**scope.get("state", {}), PRINCIPAL: visit.principal, VISIT: visit}
    asker = visit.asker
    if asker is None:
        return {**scope, "state": state}
    host = asker.host.encode("latin-1", "replace")
    headers = [
        (name, host if name == b"host" and host else value) for name, value in scope["headers"]
    ]
    port = scope["client"][1] if scope["client"] is not None else 0
    client = (asker.address, port)
    return {**scope, "state": state, "headers": headers, "scheme": asker.scheme, "client": client}


def _of_history(error: BaseException | None) -> Exception | None:
    """The history's error that others were made of; None if there is none."""
    while error is not None:
        if isinstance(error, HistoryTooSlowError | HistoryUnavailableError):
            return error
        error = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__
    return None


class _Answer:
    """One answer on its way out."""

    def __init__(self, scope: "HTTPScope", send: "Send", visit: Visit) -> None:
        self._send = send
        self._visit = visit
        self._is_head = scope["method"] == "HEAD"
        self._matches = _if_none_match(scope) if scope["method"] in {"GET", "HEAD"} else None
        self._began = time.perf_counter()
        self._took_s = 0.0
        self._status = 0
        self._is_over = False
        self._has_body = False

    def receiver(self, receive: "Receive") -> "Receive":
        """`receive`, which says that the client has gone once a HEAD is answered.

        Also if the body is not here in time: strangers could keep all connections by a few bytes.
        """

        async def received() -> "Message":
            if self._is_over:
                return {"type": "http.disconnect"}
            if self._has_body:
                return await receive()  # type: ignore[return-value] # of HTTP, as the scope is
            left_s = self._began + BODY_S - time.perf_counter()
            try:
                async with asyncio.timeout(max(0.0, left_s)):
                    message = await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}
            self._has_body = not message.get("more_body", False)
            return message  # type: ignore[return-value]

        return received  # type: ignore[return-value]

    async def send(self, message: "Message") -> None:
        """Sends a part of the answer; nothing after its end."""
        if self._is_over:
            return
        if message["type"] == "http.response.start":
            self._took_s = time.perf_counter() - self._began
            headers = completed(list(message["headers"]))
            if self._visit.is_new and _is_page(headers):
                headers.append(_form_cookie(self._visit))
            status = message["status"]
            if status == HTTPStatus.OK and self._is_known(headers):
                status = int(HTTPStatus.NOT_MODIFIED)
                headers = [header for header in headers if header[0] not in _OF_A_BODY]
            if status in {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NO_CONTENT}:
                headers = [_with_head(header) for header in headers]
            self._status = status
            await self._send({**message, "status": status, "headers": headers})
            if self._is_head or status == HTTPStatus.NOT_MODIFIED:
                self._is_over = True
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await self._send(message)

    def counted(self, route: str) -> None:
        """Counts it; the time is that to the first byte."""
        metrics.REQUESTS.labels(route, str(self._status)).inc()
        metrics.SECONDS.labels(route).observe(self._took_s)

    def _is_known(self, headers: list[tuple[bytes, bytes]]) -> bool:
        if self._matches is None:
            return False
        tags = [value for name, value in headers if name == b"etag"]
        return bool(tags) and ("*" in self._matches or _weak(tags[0].decode()) in self._matches)


def _takes_html(scope: "HTTPScope") -> bool:
    """A browser that opens a page says so; programs, scripts and pictures do not."""
    accepted = [value for name, value in scope["headers"] if name == b"accept"]
    return any(b"text/html" in value for value in accepted)


def _is_page(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-type" and b"text/html" in value for name, value in headers)


def _form_cookie(visit: Visit) -> tuple[bytes, bytes]:
    """The secret from which the tokens of this browser's forms are made."""
    cookie = set_cookie(FORM, visit.form_secret, is_secure=visit.is_secure)
    return b"set-cookie", cookie.to_header(header="").encode("latin-1")


_OF_A_BODY: Final = (b"content-length", b"content-type", b"content-encoding")


def _weak(tag: str) -> str:
    """Comparison is weak (RFC 9110, section 8.8.3.2): a packed answer means the same."""
    return tag.strip().removeprefix("W/")


def _if_none_match(scope: "HTTPScope") -> frozenset[str] | None:
    """The tags that the client has; None if it asks without a condition."""
    given = [value for name, value in scope["headers"] if name == b"if-none-match"]
    if not given:
        return None
    return frozenset(_weak(tag) for value in given for tag in value.decode("latin-1").split(","))


def _with_head(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    name, value = header
    if name.lower() != b"allow":
        return header
    allowed = {method.strip() for method in value.decode("latin-1").split(",")}
    if "GET" in allowed:
        allowed.add("HEAD")
    return name, ", ".join(sorted(allowed)).encode()


async def _refuse(
    scope: "HTTPScope", send: "Send", why: str, page: RefusalPage | None = None
) -> None:
    """403, in the form that the path's readers expect."""
    metrics.REQUESTS.labels("refused", str(int(HTTPStatus.FORBIDDEN))).inc()
    await _say(scope, send, HTTPStatus.FORBIDDEN, why, page=page)


async def too_many(scope: "Scope", _receive: "Receive", send: "Send") -> None:
    """An app for connections beyond the limit: 503 to each request, and the connection ends."""
    if scope["type"] != ScopeType.HTTP:
        return
    metrics.REQUESTS.labels("none", str(int(HTTPStatus.SERVICE_UNAVAILABLE))).inc()
    later = [(name.lower().encode(), value.encode()) for name, value in RETRY_AFTER.items()]
    more = [*later, (b"connection", b"close")]
    await _say(scope, send, HTTPStatus.SERVICE_UNAVAILABLE, _TOO_MANY, more)


async def _say(
    scope: "HTTPScope",
    send: "Send",
    status: HTTPStatus,
    why: str,
    more: Sequence[tuple[bytes, bytes]] = (),
    *,
    page: RefusalPage | None = None,
) -> None:
    if scope["path"].startswith(API):
        kind, body = problem.told(scope["path"], problem.problem(status, why))
    elif page is not None and _takes_html(scope):
        kind, body = "text/html; charset=utf-8", page(status, why).encode()
    else:
        kind, body = "text/plain; charset=utf-8", f"{why}\n".encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        *more,
    ]
    await send(
        {
            "type": "http.response.start",
            "status": int(status),
            "headers": completed(headers),
        }
    )
    shown = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": shown, "more_body": False})
