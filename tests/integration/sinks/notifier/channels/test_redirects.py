"""A redirect must not lose the message, nor call it told."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from sinks.notifier.channels.send import send
from sinks.notifier.model import Action, SendOutcome
from tests.receivers.neighbourhood import Neighbourhood
from tests.unit.sinks.notifier.channels.deliveries import delivery


@contextmanager
def redirecting(status: int, location: str) -> Iterator[int]:
    """The port of a server that sends every POST elsewhere, and answers a GET with 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sent(url: str, action: Action) -> SendOutcome:
    return send(delivery(url, action), may_send=lambda: True)


@pytest.mark.usefixtures("street")
@pytest.mark.parametrize("status", [301, 302, 303])
@pytest.mark.parametrize("scheme", ["json", "webhook+http", "alertmanager+http"])
def test_a_post_that_becomes_a_get_told_nobody(scheme: str, status: int) -> None:
    with redirecting(status, "/elsewhere") as port:
        outcome = sent(f"{scheme}://127.0.0.1:{port}/hook", "trigger")
    assert outcome.kind == "misconfigured", outcome
    assert "redirect" in (outcome.error or "")


@pytest.mark.parametrize("status", [307, 308])
def test_a_post_that_stays_one_arrives(street: Neighbourhood, status: int) -> None:
    before = len(street.json.told)
    with redirecting(status, f"http://127.0.0.1:{street.json.port}/moved") as port:
        outcome = sent(f"json://127.0.0.1:{port}/hook", "opened")
    assert outcome.kind == "confirmed", outcome
    assert len(street.json.told) == before + 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_signed_message_goes_nowhere_else(street: Neighbourhood, status: int) -> None:
    before = len(street.webhook.arrivals)
    with redirecting(status, f"http://127.0.0.1:{street.webhook.port}/moved") as port:
        outcome = sent(f"webhook+http://127.0.0.1:{port}/hook?secret=long-enough", "trigger")
    assert outcome.kind == "misconfigured", outcome
    assert len(street.webhook.arrivals) == before
