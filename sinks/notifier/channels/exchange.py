"""What passed over the network while one message was sent: a narrow hook into requests and smtplib.

Apprise tells a failure by `False` alone. Whether a message was refused, could not leave, or may
have arrived decides what is done next, so the truth is taken where it is known:
`requests.Session.send`, the look into ~/.netrc, three methods of `http.client.HTTPConnection` and
six of `smtplib.SMTP` are wrapped once for the process. The wrappers do nothing unless a `Recorder`
is in force in the context of the calling thread (a context variable); then they note each exchange,
and see to what belongs to every message:

- the caller's `may_send` is asked before each request, once more when its connection stands, and
  immediately before each piece of header and body goes out (of a mail: before its text). A process
  that was stopped in between must not tell, when it is woken, what another has told meanwhile;
- no request waits longer than `CONNECT_S` and `READ_S`, in all: a server that gives a byte now and
  then keeps no thread;
- a redirect is followed on its own host alone, five times at most, and no more is read of it than
  of any answer: whoever takes a message does not choose what else the notifier talks to;
- no password of ~/.netrc goes out, in place of the URL's own token or to anybody at all: it belongs
  to somebody else;
- connections share one TLS context (`shared_tls.py`);
- `Recorder.amend` may change a request (Discord's `allowed_mentions`).

tests/unit/sinks/notifier/channels/test_plugins.py and tests/integration/sinks/notifier/channels/
hold the libraries to it.
"""

import functools
import http.client
import logging
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

import requests
import urllib3.util
import urllib3.util.wait
from msgspec import Struct

from sinks.notifier.channels.deadlines import Deadlines
from sinks.notifier.channels.shared_tls import share

CONNECT_S: Final = 10.0
READ_S: Final = 30.0
"""Seconds for connecting, and for each wait for bytes of an answer."""

MOST_BODY: Final = 1 << 20
"""Bytes of an answer that are read; nobody needs more."""

MOST_REDIRECTS: Final = 5

_CHUNK: Final = 1 << 14
_TOO_MANY: Final = 429
_TALKING: Final = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)


class NotAllowedError(requests.RequestException):
    """The lease had ended before the request; nothing was sent.

    It is one of requests' own errors, since plugins of Apprise catch these.
    """


class AskedToWaitError(requests.RequestException):
    """The other side has answered 429 to this message; a plugin's own second try is not made."""


class ElsewhereError(requests.RequestException):
    """A redirect leads to another host; nothing was sent there."""


class Exchange(Struct, kw_only=True):
    """One HTTP request and what became of it; `status` is None without an answer.

    `carried`: the message itself was in the request, not only a login or a look-up. `became_get`:
    a redirect made a GET without content of it (RFC 9110, sections 15.4.2 and 15.4.3). `whole` is
    false if the answer broke off or was cut.
    """

    method: str
    carried: bool
    status: int | None = None
    retry_after: str | None = None
    date: str | None = None
    body: bytes = b""
    whole: bool = True
    became_get: bool = False
    error: Exception | None = None

    @property
    def good(self) -> bool:
        """True if the status says success."""
        return self.status is not None and 200 <= self.status < 300


class MailStep(Struct, kw_only=True):
    """One step with a mail server: `connect`, `starttls`, `login`, `sendmail` or `data`.

    `refused` are the recipients that `sendmail` could not tell while others got the message.
    """

    name: str
    error: Exception | None = None
    writing: bool = False
    """The text of the mail is being sent."""
    refused: dict[str, Any] = {}


class Recorder:
    """Notes the exchanges of one message, in the order in which they ended."""

    def __init__(
        self,
        may_send: Callable[[], bool],
        *,
        mark: str = "",
        amend: Callable[[requests.PreparedRequest], None] | None = None,
    ) -> None:
        """`mark` is a word of the message, by which a request that carries it is known."""
        self.exchanges: list[Exchange] = []
        self.mail: list[MailStep] = []
        self.blocked = False
        self.read_s = READ_S
        self._may_send = may_send
        self._mark = mark.encode()
        self._amend = amend
        self._inside = False
        self._host = ""
        self._too_late: NotAllowedError | None = None

    def ask(self) -> None:
        """Asks `may_send`.

        Raises:
            NotAllowedError: it says no.
        """
        if not self._may_send():
            self.blocked = True
            self._too_late = NotAllowedError("the lease has ended")
            raise self._too_late

    def request(
        self,
        send: Callable[..., requests.Response],
        session: requests.Session,
        request: requests.PreparedRequest,
        options: dict[str, Any],
    ) -> requests.Response:
        """Does one request with its redirects, and notes it."""
        if self._inside:  # A redirect: requests calls itself.
            if _host(request) != self._host:
                raise ElsewhereError("the redirect leads to another host")
            return send(session, request, **options)
        if self._amend is not None:
            self._amend(request)
        if self.exchanges and self.exchanges[-1].status == _TOO_MANY:
            raise AskedToWaitError("the channel has answered 429")
        exchange = Exchange(method=request.method or "", carried=self._carries(request))
        self.exchanges.append(exchange)
        self._inside = True
        self._host = _host(request)
        self._too_late = None
        try:
            self.ask()
            session.max_redirects = min(session.max_redirects, MOST_REDIRECTS)
            request.register_hook("response", self._read_redirect)  # type: ignore[no-untyped-call]
            timeout = _bounded(options.get("timeout"))
            self.read_s = timeout[1]
            limits = {"timeout": timeout, "stream": True}
            share(session, options)
            response = send(session, request, **{**options, **limits})
        except Exception as error:
            exchange.error = self._too_late or error
            if exchange.error is not error:  # requests took it for a fault of the connection
                raise exchange.error from error
            raise
        finally:
            self._inside = False
        exchange.status = response.status_code
        exchange.retry_after = response.headers.get("Retry-After")
        exchange.date = response.headers.get("Date")
        exchange.became_get = exchange.method != "GET" and response.request.method == "GET"
        if not options.get("stream"):
            exchange.whole = _read(response, self.read_s)
            exchange.body = response.content
        return response

    def _read_redirect(self, response: requests.Response, **_options: Any) -> None:
        """Reads a redirect's body within our limits; requests would read on until it ends."""
        if response.is_redirect:
            _read(response, self.read_s)

    def _carries(self, request: requests.PreparedRequest) -> bool:
        body = request.body
        if isinstance(body, str):
            body = body.encode("utf-8", "surrogatepass")
        if not isinstance(body, bytes) or not body:
            body = (request.url or "").encode()
        return self._mark != b"" and self._mark in body


_deadlines: Final = Deadlines()
_recorder: ContextVar[Recorder | None] = ContextVar("portquorum_recorder", default=None)


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Puts `recorder` in force for this thread (and what copies its context)."""
    token = _recorder.set(recorder)
    try:
        yield
    finally:
        _recorder.reset(token)


def _host(request: requests.PreparedRequest) -> str:
    return urllib3.util.parse_url(request.url or "").host or ""


def _bounded(timeout: Any) -> tuple[float, float]:
    """A timeout of requests, not longer than ours."""
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    return min(connect or CONNECT_S, CONNECT_S), min(read or READ_S, READ_S)


def _read(response: requests.Response, within_s: float) -> bool:
    """Reads the answer for a time and to a size that are bounded; false if it is not whole.

    The status is known by then: an answer that breaks off afterwards is no failure of its own.
    """
    ends_at = time.monotonic() + within_s
    parts: list[bytes] = []
    size, whole = 0, False
    # Errors of requests, of urllib3, of the socket, of a decompressor, of a length of 72 bits, …
    with suppress(Exception):
        # One read of the socket each, as far as urllib3 can do that: a server that gives a byte now
        # and then must not keep a thread for as long as it likes.
        one = getattr(response.raw, "read1", None)
        read = functools.partial(one, _CHUNK, decode_content=True) if one else None
        chunks = iter(read, b"") if read else response.iter_content(1)
        for chunk in chunks:
            parts.append(chunk)
            size += len(chunk)
            if size > MOST_BODY or time.monotonic() > ends_at:
                break
        else:
            whole = True
    if not whole:  # What is left unread must not be waited for, nor taken for another answer.
        with suppress(Exception):
            response.raw.close()
    response._content = b"".join(parts)[:MOST_BODY]  # noqa: SLF001 - requests has no other way
    response._content_consumed = True  # type: ignore[attr-defined] # noqa: SLF001
    response.close()
    return whole


def _wrapped_send(original: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    @functools.wraps(original)
    def send(
        self: requests.Session, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        recorder = _recorder.get()
        if recorder is None:
            return original(self, request, **options)
        return recorder.request(original, self, request, options)

    return send


@contextmanager
def _ended_after(
    seconds: float, place: http.client.HTTPConnection | smtplib.SMTP
) -> Iterator[None]:
    """Ends the connection if the block takes longer; who waits for it gets its end."""

    def end() -> None:
        sock = getattr(place, "sock", None)
        if sock is not None:
            with suppress(OSError):
                # Not the method of SSLSocket, which takes the state of TLS from the reading thread.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    with _deadlines.within(seconds, end):
        yield


def _wrapped_getresponse(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def getresponse(self: http.client.HTTPConnection) -> Any:
        recorder = _recorder.get()
        if recorder is None:
            return original(self)
        with _ended_after(recorder.read_s, self):
            return original(self)

    return getresponse


def _wrapped_endheaders(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def endheaders(self: http.client.HTTPConnection, *args: Any, **more: Any) -> None:
        recorder = _recorder.get()
        if recorder is not None:
            if self.sock is None:  # else it would connect after the question
                self.connect()
            recorder.ask()
        original(self, *args, **more)

    return endheaders


def _send_all(sock: socket.socket, data: bytes, ask: Callable[[], None]) -> None:
    """`sendall`, with a question that nothing separates from the system call.

    `sendall` of a socket with a timeout waits first until the socket can take bytes, and then for
    its turn among the threads. A process that is stopped there sends when it is woken, however late
    it is (seen with 18 threads: 41 ms after the wake, 9 s after the question). A socket without
    waiting has no such wait. `settimeout` gives the turn away and takes it again, so that a whole
    switch interval is left for question and call.
    """
    rest = memoryview(data)
    timeout = sock.gettimeout()
    ends_at = None if timeout is None else time.monotonic() + timeout
    try:
        while rest:
            sock.settimeout(0)
            ask()
            try:
                rest = rest[sock.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                _wait(sock, ends_at, write=True)
            except ssl.SSLWantReadError:
                _wait(sock, ends_at, write=False)
    finally:
        with suppress(OSError):  # a deadline has ended the connection
            sock.settimeout(timeout)


def _wait(sock: socket.socket, ends_at: float | None, *, write: bool) -> None:
    """Waits until the socket takes or has bytes."""
    left = None if ends_at is None else ends_at - time.monotonic()
    wait = urllib3.util.wait.wait_for_write if write else urllib3.util.wait.wait_for_read
    if (left is not None and left <= 0) or not wait(sock, left):
        raise TimeoutError("the other side takes no bytes")


def _wrapped_tcp_send(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def send(self: http.client.HTTPConnection, data: Any, *args: Any, **more: Any) -> None:
        recorder = _recorder.get()
        if recorder is None:
            original(self, data, *args, **more)
        elif isinstance(data, bytes) and isinstance(self.sock, socket.socket):
            _send_all(self.sock, data, recorder.ask)
        else:  # a stream, or TLS within TLS: each of its pieces comes by here or is asked for once
            recorder.ask()
            original(self, data, *args, **more)

    return send


def _wrapped_step(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def step(self: smtplib.SMTP, *args: Any, **more: Any) -> Any:
        recorder = _recorder.get()
        if recorder is None:
            return original(self, *args, **more)
        noted = MailStep(name=name)
        recorder.mail.append(noted)
        try:
            noted.writing = name == "data"
            with _ended_after(READ_S, self):
                result = original(self, *args, **more)
        except Exception as error:
            noted.error = error
            if isinstance(error, NotAllowedError):
                self.close()  # else the server would wait for the rest of the text
            raise
        finally:
            noted.writing = False
        if name == "sendmail" and isinstance(result, dict):
            noted.refused = result
        return result

    return step


def _wrapped_netrc(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def get_netrc_auth(*args: Any, **more: Any) -> Any:
        return original(*args, **more) if _recorder.get() is None else None

    return get_netrc_auth


def _wrapped_mail_send(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def send(self: smtplib.SMTP, text: Any) -> None:
        recorder = _recorder.get()
        if recorder is None or not recorder.mail or not recorder.mail[-1].writing or not self.sock:
            original(self, text)
            return
        # The command, and the text when the server waits for it.
        data = text.encode(self.command_encoding) if isinstance(text, str) else text
        try:
            _send_all(self.sock, data, recorder.ask)
        except NotAllowedError:
            raise
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected("Server not connected") from error

    return send


class _Silent(logging.Filter):
    """Drops what urllib3 logs within a send: it names the whole URL, with its secrets."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - logging's signature
        """True outside of a send."""
        return _recorder.get() is None


def _install() -> None:
    """Wraps, at the import of this module; what is not sent under a recorder goes on as before."""
    session: Any = requests.Session
    session.send = _wrapped_send(session.send)
    sessions: Any = requests.sessions
    sessions.get_netrc_auth = _wrapped_netrc(sessions.get_netrc_auth)
    connection: Any = http.client.HTTPConnection
    connection.getresponse = _wrapped_getresponse(connection.getresponse)
    connection.endheaders = _wrapped_endheaders(connection.endheaders)
    connection.send = _wrapped_tcp_send(connection.send)
    for name in _TALKING:
        logging.getLogger(name).addFilter(_Silent())
    smtp: Any = smtplib.SMTP
    smtp.send = _wrapped_mail_send(smtp.send)
    for name in ("connect", "starttls", "login", "sendmail", "data"):
        setattr(smtp, name, _wrapped_step(getattr(smtp, name), name))


_install()
