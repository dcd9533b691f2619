"""The server under every HTTP receiver: records, answers, misbehaves."""

import json
import select
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, ClassVar, Final, Self
from urllib.parse import parse_qs, urlsplit

from msgspec import UNSET, Struct, UnsetType, structs

from tests.receivers.authority import Authority
from tests.receivers.faults import Certificate, Fault

_LONGEST_BODY: Final = 16 * 2**20
_FLOOD_BYTES: Final = 512 * 2**20
_LOOK_S: Final = 0.1
_LOGIN: Final = "/login"
_REFUSING: Final = frozenset({"status", "too_many", "too_long", "login", "page"})
_UNREAD: Final = ("hang_unread", "reset_unread")


class Request(Struct, frozen=True, kw_only=True):
    """One request, read whole. Names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Reply(Struct, frozen=True, kw_only=True):
    """What a service answers.

    `text` is what a person reads there, `mentions` is who is pinged by it; both are of messages
    that were taken. `problem` says what the service did not like.
    """

    status: int = 200
    body: "dict[str, Any] | str" = ""
    headers: Mapping[str, str] = {}
    text: str = ""
    mentions: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def taken(self) -> bool:
        """Whether the service takes the message. Slack says no with 200."""
        return self.status < 300 and self.problem is None


class Arrival(Struct, frozen=True, kw_only=True):
    """One request that was read whole.

    `at_ms` is the wall clock, UTC ms, and `at` the monotonic one, s, of the moment when the last
    byte was read. `told`: from then on the other side knows, whatever it answers; a request that is
    refused tells nobody. `answered` is the status that was sent whole, None if none was (yet).
    """

    number: int
    at: float
    at_ms: int
    request: Request
    reply: Reply
    told: bool
    fault: Fault | None = None
    answered: int | None = None

    @property
    def text(self) -> str:
        return self.reply.text

    @property
    def mentions(self) -> tuple[str, ...]:
        return self.reply.mentions


_LOGIN_PAGE: Final = Reply(body="<html>Please log in</html>", problem="a page for people")


class HttpReceiver:
    """A service on a free port of 127.0.0.1 from its start until `close`.

    With an `authority` it speaks TLS as `host`, the name under which the real service is known
    (`tunnel.py` brings clients here), else plain HTTP. Tests set `certificate`, and call
    `misbehave`.
    """

    host: ClassVar[str] = "127.0.0.1"

    def __init__(self, authority: Authority | None = None) -> None:
        self.certificate: Certificate = "good"
        self._authority = authority
        self._changed = threading.Condition()
        self._arrivals: list[Arrival] = []
        self._faults: deque[Fault] = deque()
        self._standing: Fault | None = None
        self._let_go = threading.Event()
        self.connections = 0
        self.failed_handshakes = 0
        self._server: _Server | None = _Server(self)
        self.port = self._server.server_address[1]

    # What a service is.

    def judge(self, request: Request) -> Reply:
        """What the service says to a request. Changes nothing."""
        raise NotImplementedError

    def take(self, arrival: Arrival) -> None:
        """Changes the service's state by a message that it has taken."""

    def too_many(self, retry_after_s: float) -> Reply:
        """The body of a 429."""
        return Reply(
            status=429, body={"message": "Too Many Requests", "retry_after": retry_after_s}
        )

    def too_long(self) -> Reply:
        """The answer to a text that is too long."""
        return Reply(status=400, body={"message": "too long"})

    def failed(self, status: int) -> Reply:
        """The answer with another status."""
        return Reply(status=status, body=f"error {status}\n")

    # What a test does with it.

    def misbehave(self, fault: Fault, times: int | None = None) -> None:
        """Misbehaves for the next `times` requests, without a number until `behave`."""
        with self._changed:
            if times is None:
                self._standing = fault
            else:
                self._faults.extend([fault] * times)

    def behave(self) -> None:
        """Ends every misbehaviour; hanging connections are closed without an answer."""
        with self._changed:
            self._standing = None
            self._faults.clear()
            self.certificate = "good"
            self._let_go.set()
            self._let_go = threading.Event()

    def stop_listening(self) -> None:
        """Connections are refused from now on."""
        with self._changed:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def listen_again(self) -> None:
        """Listens on the same port as before."""
        assert self._server is None
        self._server = _Server(self, self.port)

    def close(self) -> None:
        self.behave()
        self.stop_listening()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def arrivals(self) -> list[Arrival]:
        """Everything that was read whole, in the order of reading."""
        with self._changed:
            return list(self._arrivals)

    @property
    def told(self) -> list[Arrival]:
        """What the other side knows."""
        return [arrival for arrival in self.arrivals if arrival.told]

    @property
    def refused(self) -> list[Arrival]:
        """What was read and not taken."""
        return [arrival for arrival in self.arrivals if not arrival.told]

    @property
    def texts(self) -> list[str]:
        """What people read there, in order."""
        return [arrival.text for arrival in self.told]

    def wait(self, condition: Callable[[Self], bool], what: str, within_s: float = 60) -> None:
        """Waits until `condition` holds, looking at each arrival; fails with `what` else."""
        deadline = time.monotonic() + within_s
        while not condition(self):
            left = deadline - time.monotonic()
            assert left > 0, f"not within {within_s} s: {what}; {self.describe()}"
            with self._changed:
                self._changed.wait(min(left, _LOOK_S))

    def describe(self) -> str:
        """What arrived, for a message of a failed test."""
        return "; ".join(
            f"{a.number}: {a.request.method} {a.request.path} -> {a.answered}"
            f"{' told' if a.told else ''} {a.reply.problem or ''}".strip()
            for a in self.arrivals[-20:]
        )

    # For the handler.

    def _next_fault(self, kinds: Callable[[Fault], bool]) -> Fault | None:
        with self._changed:
            first = self._faults[0] if self._faults else self._standing
            if first is None or not kinds(first):
                return None
            if self._faults:
                self._faults.popleft()
            return first

    def _arrived(self, request: Request, fault: Fault | None) -> tuple[int, Reply]:
        with self._changed:
            at, at_ms = time.monotonic(), time.time_ns() // 1_000_000
            said = _LOGIN_PAGE if request.path == _LOGIN else self.judge(request)
            refuses = fault is not None and fault.kind in _REFUSING
            reply = said
            if fault is not None and refuses:
                reply = self._refusal(fault)
            arrival = Arrival(
                number=len(self._arrivals),
                at=at,
                at_ms=at_ms,
                request=request,
                reply=said,
                told=said.taken and not refuses,
                fault=fault,
            )
            self._arrivals.append(arrival)
            if arrival.told:
                self.take(arrival)
            self._changed.notify_all()
            return arrival.number, reply

    def _refusal(self, fault: Fault) -> Reply:
        if fault.kind == "too_long":
            return self.too_long()
        if fault.kind == "status":
            return self.failed(fault.status)
        if fault.kind == "login":
            return Reply(status=302, headers={"Location": _LOGIN}, problem="not logged in")
        if fault.kind == "page":
            page = "<!doctype html><title>Sign in</title><form></form>"
            return Reply(body=page, headers={"Content-Type": "text/html"}, problem="not logged in")
        reply = self.too_many(fault.seconds)
        after = (
            formatdate(time.time() + fault.seconds, usegmt=True)
            if fault.as_date
            else str(max(1, round(fault.seconds)))
        )
        return structs.replace(reply, headers={**reply.headers, "Retry-After": after})

    def _answered(self, number: int, status: int) -> None:
        with self._changed:
            self._arrivals[number] = structs.replace(self._arrivals[number], answered=status)
            self._changed.notify_all()

    def _context(self) -> ssl.SSLContext | None:
        if self._authority is None:
            return None
        return self._authority.context(self.host, self.certificate)


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, receiver: HttpReceiver, port: int = 0) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", port), _Handler)
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": _LOOK_S}, daemon=True
        ).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error of the receiver's."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 120

    def setup(self) -> None:
        receiver = self.server.receiver
        receiver.connections += 1
        context = receiver._context()
        if context is not None:
            self.request.settimeout(30)
            try:
                self.request = context.wrap_socket(self.request, server_side=True)
            except (OSError, ValueError):
                receiver.failed_handshakes += 1
                raise
        super().setup()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        # socketserver knows only the socket below TLS.
        with suppress(OSError):
            self.request.close()

    def handle_one_request(self) -> None:
        receiver = self.server.receiver
        # A fault is drawn when the request begins to arrive: kept-alive connections may idle.
        while not self._readable(_LOOK_S):
            if receiver._server is not self.server:
                self.close_connection = True
                return
        fault = receiver._next_fault(lambda fault: fault.kind in _UNREAD)
        if fault is None:
            super().handle_one_request()
            return
        self.close_connection = True
        if fault.kind == "reset_unread":
            self._reset()
        else:
            self._hang()

    def _any(self) -> None:
        receiver = self.server.receiver
        length = int(self.headers.get("content-length") or 0)
        if not 0 <= length <= _LONGEST_BODY:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query={name: values[-1] for name, values in parse_qs(parts.query).items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        at_gate = parts.path == _LOGIN
        fault = None if at_gate else receiver._next_fault(lambda one: one.kind not in _UNREAD)
        number, reply = receiver._arrived(request, fault)
        if fault is not None and not self._answers(fault):
            self.close_connection = True
            return
        self._answer(reply)
        receiver._answered(number, reply.status)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - http.server's names

    def _answers(self, fault: Fault) -> bool:
        """Misbehaves; returns whether the answer is to be sent."""
        match fault.kind:
            case "hang":
                self._hang()
            case "reset":
                self._reset()
            case "garbage":
                self.wfile.write(b"\x00\x15 no HTTP at all \r\n\r\n")
            case "drip":
                self._drip(fault.seconds)
            case "flood":
                self._flood()
            case "slow":
                return not self._wait(fault.seconds)
            case _:
                return True
        return False

    def _answer(self, reply: Reply) -> None:
        whole = isinstance(reply.body, str)
        body = (
            reply.body.encode() if isinstance(reply.body, str) else json.dumps(reply.body).encode()
        )
        self.send_response(reply.status)
        kind = "text/plain; charset=utf-8" if whole else "application/json"
        if reply.status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.status != 204:
            self.wfile.write(body)

    def _readable(self, seconds: float) -> bool:
        if isinstance(self.request, ssl.SSLSocket) and self.request.pending():
            return True
        readable, _, _ = select.select([self.request], [], [], seconds)
        return bool(readable)

    def _reset(self) -> None:
        # A linger time of 0 makes the close a RST.
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        _close_now(self.request)

    def _hang(self) -> None:
        self._wait(None)

    def _wait(self, seconds: float | None) -> bool:
        """Waits; returns whether the client went away or the receiver was let go before."""
        let_go = self.server.receiver._let_go
        until = None if seconds is None else time.monotonic() + seconds
        while until is None or time.monotonic() < until:
            if let_go.wait(_LOOK_S):
                return True
            if self._gone():
                return True
        return False

    def _gone(self) -> bool:
        readable, _, _ = select.select([self.request], [], [], 0)
        if not readable:
            return False
        try:
            # A TLS socket has no MSG_PEEK; what comes here is a close, or bytes nobody waits for.
            if isinstance(self.request, ssl.SSLSocket):
                return not self.request.recv(65_536)
            return not self.request.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _drip(self, seconds: float) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Patience: "
        endless = iter(lambda: b"x", b"")
        try:
            for byte in head:
                self.wfile.write(bytes([byte]))
                if self._wait(seconds):
                    return
            for more in endless:
                self.wfile.write(more)
                if self._wait(seconds):
                    return
        except OSError:
            return

    def _flood(self) -> None:
        chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        with suppress(OSError):
            self.wfile.write(head)
            for _ in range(_FLOOD_BYTES // 65_536):
                self.wfile.write(chunk)

    def log_message(self, *_: object) -> None:
        pass


def _close_now(connection: socket.socket) -> None:
    """Closes the descriptor itself: files made of the socket would keep it open."""
    with suppress(OSError):
        descriptor = connection.detach()
        socket.close(descriptor)


def form_or_json(request: Request) -> dict[str, Any] | UnsetType:
    """The fields of a JSON or form body, as services take either; UNSET if it is neither."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        fields = parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in fields.items()}
    found = request.json()
    return found if isinstance(found, dict) else UNSET
