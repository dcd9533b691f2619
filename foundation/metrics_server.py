"""The HTTP server of a role's metrics, in a thread of its own with limits that protect the role.

Limits for all clients of the port: connections (`MOST_CONNECTIONS`; a new one replaces the oldest),
the time of each (`REQUEST_S`, `ANSWER_S`), the size of a request (`MOST_BYTES`), new connections a
second, and the CPU share for the metrics text (`MOST_SHARE`).
"""

import asyncio
import contextlib
import hmac
import itertools
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import h11
from msgspec import Struct
from prometheus_client import Counter, make_wsgi_app

from foundation.http_origin import Served, is_forwarded, refusal

PATH: Final = "/metrics"
MOST_CONNECTIONS: Final = 64
MOST_BYTES: Final = 16 * 1024
"""The largest head of a request."""
REQUEST_S: Final = 5.0
"""Time limit to receive a whole request."""
ANSWER_S: Final = 10.0
"""Time limit to send the answer."""
MOST_SHARE: Final = 0.2
"""The largest share of one CPU: after a text of 10 ms the next one begins 40 ms later."""
PASSWORD_SETTING: Final = "PORTQUORUM_METRICS_PASSWORD"  # noqa: S105 (a name)

_TURN_S: Final = 0.01
_MOST_A_TURN: Final = 20
"""New connections between two pauses; more wait in the backlog of the socket."""
_LINGER_S: Final = 1.0
_BACKLOG: Final = 1024
_READ: Final = 8 * 1024
_TEXT: Final = ("Content-Type", "text/plain; charset=utf-8")


_ANSWERS: Final = Counter(
    "portquorum_metrics_answers",
    "Requests for the metrics of this process, by the status of the answer.",
    ["status"],
)


class MetricsAccess(Struct, frozen=True):
    """Access rules: the hosts that this server answers for, and the password, if any."""

    served: Served
    password: str | None = None


class Response(Struct, frozen=True):
    """The response to a request."""

    status: HTTPStatus
    body: bytes
    headers: tuple[tuple[str, str], ...] = (_TEXT,)

    @classmethod
    def text(cls, status: HTTPStatus, text: str, *headers: tuple[str, str]) -> "Response":
        """One line of text."""
        return cls(status, f"{text}\n".encode(), (_TEXT, *headers))


def judge(
    method: str, target: str, headers: Iterable[tuple[str, str]], access: MetricsAccess
) -> Response | None:
    """The response to a request that may not or does not ask for metrics; None if it gets them."""
    fields = list(headers)
    items = _Items(fields)
    why = refusal(method, items, access.served, target)
    if why is None and access.password is None and is_forwarded(items):
        why = (
            "expected a request that no proxy passed on, found one that a proxy did; set "
            f"{PASSWORD_SETTING} and send it (Basic authentication, any user)"
        )
    if why is not None:
        return Response.text(HTTPStatus.FORBIDDEN, why)
    if access.password is not None and not _knows(fields, access.password):
        return Response.text(
            HTTPStatus.UNAUTHORIZED,
            f"expected the password of {PASSWORD_SETTING} (Basic authentication, any user)",
            ("WWW-Authenticate", 'Basic realm="portquorum metrics", charset="UTF-8"'),
        )
    path = urlsplit(target).path
    if path not in {PATH, "/"}:
        return Response.text(HTTPStatus.NOT_FOUND, f"the metrics are at {PATH}")
    if method not in {"GET", "HEAD"}:
        return Response.text(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"expected GET or HEAD, found {method[:20]}",
            ("Allow", "GET, HEAD"),
        )
    if path == "/":
        return Response.text(HTTPStatus.OK, f"the metrics are at {PATH}")
    return None


class _Items:
    """Headers in the form that `http_origin` expects."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def items(self) -> Iterable[tuple[str, str]]:
        return self._fields


def _knows(fields: list[tuple[str, str]], password: str) -> bool:
    for name, value in fields:
        scheme, _, encoded = value.partition(" ")
        if name.lower() == "authorization" and scheme.lower() == "basic":
            with contextlib.suppress(ValueError):
                found = b64decode(encoded.strip(), validate=True).partition(b":")[2]
                return hmac.compare_digest(found, password.encode())
    return False


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; `::` accepts IPv4, too, where the system can.

    Raises:
        OSError: the address is in use, not of this machine, or invalid.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    both = address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address[:2], family=family, backlog=_BACKLOG, dualstack_ipv6=both)


class MetricsServer:
    """Answers on a listening socket from a daemon thread, until the process ends."""

    def __init__(self, listening: socket.socket, access: MetricsAccess) -> None:
        """Takes the listening socket and the access rules."""
        self._listening = listening
        self._access = access
        self._application = make_wsgi_app()
        self._making = asyncio.Lock()
        self._rested = 0.0  # monotonic: the earliest time of the next text
        self._open: dict[asyncio.Task[None], None] = {}

    def start(self) -> None:
        """Starts; it also answers connections that are already in the backlog."""
        threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def _run(self) -> None:
        asyncio.run(self._accept())

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        self._listening.setblocking(False)
        for number in itertools.count(1):
            try:
                connection, _ = await loop.sock_accept(self._listening)
            except OSError:
                # No free descriptor, or the peer closed: no reason to end.
                await asyncio.sleep(0.1)
                continue
            connection.setblocking(False)
            while len(self._open) >= MOST_CONNECTIONS:
                oldest = next(iter(self._open))
                del self._open[oldest]
                oldest.cancel()
            task = loop.create_task(self._serve(connection))
            self._open[task] = None
            task.add_done_callback(lambda done: self._open.pop(done, None))
            if number % _MOST_A_TURN == 0:
                await asyncio.sleep(_TURN_S)

    async def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, TimeoutError, h11.LocalProtocolError):
            http = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_BYTES)
            request = None
            try:
                async with asyncio.timeout(REQUEST_S):
                    request = await _read(connection, http)
                if request is None:
                    return
                answer = await self._answer(request)
            except h11.RemoteProtocolError as error:
                status = HTTPStatus(error.error_status_hint)
                answer = Response.text(
                    status, f"expected a request of HTTP/1.1, found none: {error}"
                )
            _ANSWERS.labels(str(int(answer.status))).inc()
            async with asyncio.timeout(ANSWER_S):
                only_head = request is not None and request.method == b"HEAD"
                sent = _bytes(http, answer, only_head=only_head)
                await asyncio.get_running_loop().sock_sendall(connection, sent)
                # Closing a connection with unread data resets it, and the peer may lose the
                # answer.
                connection.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(_LINGER_S):
                while await asyncio.get_running_loop().sock_recv(connection, _READ):
                    pass

    async def _answer(self, request: h11.Request) -> Response:
        method, target = request.method.decode(), request.target.decode("latin-1")
        headers = [(name.decode(), value.decode("latin-1")) for name, value in request.headers]
        try:
            judged = judge(method, target, headers, self._access)
        except ValueError:  # the target is no URL
            judged = Response.text(HTTPStatus.BAD_REQUEST, f"expected {PATH}, found no path")
        if judged is not None:
            return judged
        async with self._making:
            await asyncio.sleep(self._rested - time.monotonic())
            began = time.monotonic()
            try:
                return self._metrics(target, dict(headers))
            except Exception as error:  # noqa: BLE001 (a metric's own function may raise anything)
                return Response.text(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    f"a metric can't be read: {type(error).__name__}",
                )
            finally:
                now = time.monotonic()
                self._rested = now + (now - began) * (1 / MOST_SHARE - 1)

    def _metrics(self, target: str, headers: Mapping[str, str]) -> Response:
        """The metrics text in the requested format, for the requested names."""
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, fields: list[tuple[str, str]], *_: Any) -> None:
            said.append((status, fields))

        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": PATH,
            "QUERY_STRING": urlsplit(target).query,
            "HTTP_ACCEPT": headers.get("accept", ""),
            "HTTP_ACCEPT_ENCODING": headers.get("accept-encoding", ""),
        }
        body = b"".join(self._application(environ, begin))
        status, fields = said[0]
        return Response(HTTPStatus(int(status.split()[0])), body, tuple(fields))


async def _read(connection: socket.socket, http: h11.Connection) -> h11.Request | None:
    """The head of the request; None if the peer closed before."""
    loop = asyncio.get_running_loop()
    while True:
        event = http.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            return None
        http.receive_data(await loop.sock_recv(connection, _READ))


def _bytes(http: h11.Connection, answer: Response, *, only_head: bool) -> bytes:
    fields = [
        *answer.headers,
        ("Content-Length", str(len(answer.body))),
        ("Connection", "close"),
        ("Cache-Control", "no-store"),
        # A page may neither show nor load it, nor treat it as another type.
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
    ]
    events = [
        h11.Response(status_code=answer.status, headers=fields, reason=answer.status.phrase),
        *([] if only_head else [h11.Data(answer.body)]),
        h11.EndOfMessage(),
    ]
    return b"".join(http.send(event) or b"" for event in events)
