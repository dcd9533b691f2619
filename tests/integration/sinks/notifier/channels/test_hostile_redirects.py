"""Whoever takes messages does not choose what else the notifier talks to, nor how much it reads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from sinks.notifier.channels.exchange import MOST_BODY, MOST_REDIRECTS
from sinks.notifier.channels.send import send
from sinks.notifier.model import SendOutcome
from tests.receivers.neighbourhood import Neighbourhood
from tests.unit.sinks.notifier.channels.deliveries import delivery

FAR_MORE = 64 * MOST_BODY


class Trap(ThreadingHTTPServer):
    """Sends every request elsewhere, with a body of `length` bytes; counts what it wrote."""

    daemon_threads = True

    def __init__(self, location: str, length: int = 0) -> None:
        self.location, self.length = location, length
        self.requests = self.written = 0
        self.given_up = threading.Event()
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseHTTPRequestHandler):
    server: Trap

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests += 1
        self.send_response(307)
        self.send_header("Location", self.server.location)
        self.send_header("Content-Length", str(self.server.length))
        self.end_headers()
        with suppress(OSError):
            while self.server.written < self.server.length:
                self.server.written += self.wfile.write(b"x" * (1 << 16))
        self.server.given_up.set()

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def trap(location: str, length: int = 0) -> Iterator[Trap]:
    server = Trap(location, length)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sent(scheme: str, port: int) -> SendOutcome:
    url = f"{scheme}://127.0.0.1:{port}/hook"
    return send(delivery(url, "trigger" if "+" in scheme else "opened"), may_send=lambda: True)


@pytest.mark.parametrize("place", ["localhost", "127.0.0.2", "[::1]", "127.0.0.1@localhost"])
def test_a_redirect_to_another_host_is_not_followed(street: Neighbourhood, place: str) -> None:
    before = len(street.json.arrivals)
    with trap(f"http://{place}:{street.json.port}/internal") as server:
        outcome = sent("json", server.server_port)
    assert outcome.kind == "misconfigured", outcome
    assert "another host" in (outcome.error or "")
    assert len(street.json.arrivals) == before


@pytest.mark.usefixtures("street")
@pytest.mark.parametrize("scheme", ["json", "webhook+http", "alertmanager+http"])
def test_a_long_redirect_is_not_read_to_its_end(scheme: str) -> None:
    with trap("http://localhost:1/", FAR_MORE) as server:
        outcome = sent(scheme, server.server_port)
        assert server.given_up.wait(30)
    assert outcome.kind == "misconfigured", outcome
    # What lies in the buffers of both sockets was written, too.
    assert server.written < FAR_MORE / 2


@pytest.mark.usefixtures("street")
def test_a_circle_of_redirects_ends_soon() -> None:
    with trap("/again") as server:
        outcome = sent("json", server.server_port)
    assert outcome.kind != "confirmed", outcome
    assert server.requests == MOST_REDIRECTS + 1
