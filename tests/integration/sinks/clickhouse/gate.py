"""A gate before ClickHouse: an HTTP proxy that holds, refuses or passes on what a sink sends."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, NamedTuple, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

PATIENCE_S: Final = 120.0
"""What is held longer than this goes on all the same: a test that forgot it must end."""

_OWN_HEADERS: Final = frozenset(
    {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
)


class Call(NamedTuple):
    """A request. What the rule changes in `params` (of the URL) is passed on as changed."""

    params: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def token(self) -> str:
        """That of an insert of the sink's; empty: another request."""
        return self.params.get("insert_deduplication_token", "")

    @property
    def table(self) -> str:
        """Where the insert goes, as its token says."""
        return self.token.split(":")[3] if self.token.count(":") > 3 else ""


class Answer(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes


Rule = Callable[[Call], Answer | None]
"""Looks at a call, in a thread of the call's own, and may take its time; None passes it on."""


def open_to_all(_call: Call) -> None:
    """Passes everything on."""


class Gate(ThreadingHTTPServer):
    """Stands at `url`; `rule` may be changed at any time."""

    daemon_threads = True

    def __init__(self, clickhouse: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._upstream = urlsplit(clickhouse)
        self.rule: Rule = open_to_all
        self.came: list[tuple[float, str]] = []
        """When each insert came, and its token."""
        self.answered: list[tuple[str, str]] = []
        """Each insert that ClickHouse answered: its token and the error's code, empty if none."""

    @property
    def url(self) -> str:
        """As the sink's settings take it."""
        there = f"{self._upstream.username}:{self._upstream.password}@127.0.0.1"
        return self._upstream._replace(netloc=f"{there}:{self.server_port}").geturl()

    def answer(self, method: str, path: str, call: Call) -> Answer:
        if call.token:
            self.came.append((time.monotonic(), call.token))
        refused = self.rule(call)
        if refused is not None:
            return refused
        there = HTTPConnection(
            str(self._upstream.hostname), self._upstream.port, timeout=PATIENCE_S
        )
        try:
            there.request(method, f"{path}?{urlencode(call.params)}", call.body, call.headers)
            response = there.getresponse()
            found = Answer(response.status, _passed_on(response.getheaders()), response.read())
        finally:
            there.close()
        if call.token:
            code = found.headers.get("X-ClickHouse-Exception-Code", "")
            self.answered.append((call.token, code))
        return found


class Held:
    """A rule: the first insert into a table is held until `let_go`, all else passes."""

    def __init__(self, table: str = "results") -> None:
        self._table = table
        self._lock = threading.Lock()
        self._free = threading.Event()
        self.token = ""
        """Of the insert that is held, or was."""

    def __call__(self, call: Call) -> None:
        with self._lock:
            mine = call.table == self._table and not self.token
            if mine:
                self.token = call.token
        if mine:
            self._free.wait(PATIENCE_S)

    def let_go(self) -> None:
        self._free.set()


@contextmanager
def gate(clickhouse: str) -> Iterator[Gate]:
    """A gate before the ClickHouse at a URL."""
    found = Gate(clickhouse)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        found.shutdown()
        found.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        params = dict(parse_qsl(url.query, keep_blank_values=True))
        # Whoever asked may be gone, before or after: killed, or tired of waiting.
        with contextlib.suppress(OSError):
            call = Call(params, _passed_on(list(self.headers.items())), self._body())
            answer = cast(Gate, self.server).answer(self.command, url.path, call)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    do_GET = do_POST  # noqa: N815 - the library's name

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0] or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def _passed_on(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _OWN_HEADERS}
