"""The server as a process of its own: requests, live streams, slow and rude clients, its end."""

import contextlib
import http.client
import selectors
import socket
import time

import pytest

from tests.integration.portquorum.web.process import Served
from tests.integration.portquorum.web.visitors import visitors

PROBLEM = "application/problem+json"


def until(opened: socket.socket, text: bytes) -> bytes:
    """What came, up to and with `text`."""
    came = b""
    while text not in came:
        part = opened.recv(65536)
        assert part, f"closed after {came!r}"
        came += part
    return came


def closed_within(opened: socket.socket, seconds: float) -> bool:
    opened.settimeout(seconds)
    try:
        while opened.recv(65536):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def test_it_answers_and_packs_and_keeps_the_connection(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    for path, status in (("/healthz", 200), ("/api/v1/targets", 200), ("/api/v1/nope", 404)):
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        assert answer.headers["Server"] is None
    connection.request("HEAD", "/api/v1/targets")
    head = connection.getresponse()
    assert (head.status, head.read()) == (200, b"")
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok\n"


def test_an_answer_waits_for_no_acknowledgement(served: Served) -> None:
    """Head and body are two writes: with Nagle's algorithm the second waits 40 ms."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    took_s = []
    for _ in range(20):
        began = time.monotonic()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        took_s.append(time.monotonic() - began)
    assert min(took_s[1:]) < 0.02


def test_a_name_of_somebody_else_is_refused(served: Served) -> None:
    assert served.ask("/api/v1/targets", Host="evil.example").status == 403
    assert served.ask("/api/v1/targets", X_Forwarded_For="192.0.2.1").status == 403
    absolute = served.raw(b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert until(absolute, b"\r\n").startswith(b"HTTP/1.1 403")


def test_changes_come_live_to_all_and_after_a_gap(served: Served) -> None:
    request = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    viewers = [served.raw(request) for _ in range(20)]
    for viewer in viewers:
        head = until(viewer, b"retry: 1000")
        assert b"text/event-stream" in head
        assert b"content-encoding" not in head.lower()
    served.tell("db-7")
    for viewer in viewers:
        said = until(viewer, b'"subject":"db-7"')
        assert b"event: target\nid: v1-db-7\ndata: {" in said
    for viewer in viewers:
        viewer.close()


def test_a_request_that_does_not_come_is_not_waited_for(served: Served) -> None:
    silent = served.raw(b"")
    slow = served.raw(b"GET / HTTP/1.1\r\nHost: local")
    begun = time.monotonic()
    assert closed_within(silent, 10)
    assert closed_within(slow, 10)
    assert time.monotonic() - begun >= 0.9


def test_a_body_that_does_not_come_is_not_waited_for(served: Served) -> None:
    head = b"POST /api/v1/silences HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n"
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n"
    assert closed_within(served.raw(head + form), 20)
    assert closed_within(served.raw(head + form + b"name="), 20)
    assert "Traceback" not in served.logged()


def test_an_answer_that_is_not_taken_is_not_kept_for_ever(served: Served) -> None:
    request = b"GET /targets.csv HTTP/1.1\r\nHost: localhost\r\n\r\n"
    reads_nothing = served.raw(request, receives=4096)
    reads = served.raw(request)
    whole = len(until(reads, b"0\r\n\r\n"))
    with selectors.DefaultSelector() as gone:
        # A reset is an error of the socket: it shows although nothing is read.
        gone.register(reads_nothing, selectors.EVENT_READ)
        deadline = time.monotonic() + 20
        while reads_nothing.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            assert time.monotonic() < deadline
            gone.select(0.05)
    assert whole > 1_000_000
    assert served.ask("/healthz").status == 200


def test_beyond_the_limit_of_connections_it_says_when_to_come_again(served: Served) -> None:
    live = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    viewers = [served.raw(live) for _ in range(60)]
    for viewer in viewers:
        until(viewer, b"retry: 1000")
    for path, kind in (("/", "text/plain; charset=utf-8"), ("/api/v1/overview", PROBLEM)):
        answer = served.ask(path)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "15")
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Connection"] == "close"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    further = [served.raw(b"") for _ in range(60)]
    assert all(closed_within(one, 20) for one in further)
    for viewer in viewers:
        viewer.close()
    deadline = time.monotonic() + 20
    while served.ask("/healthz").status != 200:
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    "data",
    [
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET /%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /targets?q=%ff&limit=%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_what_is_no_request_harms_nothing(served: Served, data: bytes) -> None:
    answer = until(served.raw(data), b"\r\n")
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 403", b"HTTP/1.1 404")), answer
    assert served.ask("/healthz").status == 200


@pytest.mark.parametrize("path", [b"/api/v1/events", b"/targets.csv", b"/healthz"])
def test_a_body_that_is_none_ends_the_answer_and_nothing_else(served: Served, path: bytes) -> None:
    head = b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    at_once = served.raw(head + b"none\r\n")
    later = served.raw(head)
    until(later, b"\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        later.sendall(b"none\r\n")
    assert closed_within(at_once, 20)
    assert closed_within(later, 20)
    assert served.ask("/healthz").status == 200
    assert "Traceback" not in served.logged()


def test_it_ends_at_once_and_live_streams_with_it() -> None:
    served = Served()
    request = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    viewers = [served.raw(request) for _ in range(5)]
    for viewer in viewers:
        until(viewer, b"retry: 1000")
    with visitors(f"127.0.0.1:{served.port}"):
        code, took_s = served.end()
    assert (code, took_s < 10) == (0, True)
    for viewer in viewers:
        # A whole answer: the browser connects again after `retry`.
        assert b"0\r\n\r\n" in viewer.recv(65536)
        assert closed_within(viewer, 1)
