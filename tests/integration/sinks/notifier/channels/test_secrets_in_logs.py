"""No log of a library shows a channel's URL."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
import requests

from sinks.notifier.channels.send import send
from tests.unit.sinks.notifier.channels.deliveries import delivery

TOKEN_PATH = "t0psecret-path"  # noqa: S105 - what must not be seen
ODD = b"HTTP/1.1 200 OK\r\nno header at all\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """The port of a server that answers each connection with these bytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        # A close alone does not wake what waits in accept.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(30)


@pytest.mark.parametrize("scheme", ["json", "webhook+http"])
def test_headers_that_nobody_can_read(caplog: pytest.LogCaptureFixture, scheme: str) -> None:
    with caplog.at_level(logging.DEBUG), answering(ODD) as port:
        outcome = send(
            delivery(f"{scheme}://127.0.0.1:{port}/{TOKEN_PATH}", "trigger"), may_send=lambda: True
        )
        shown = caplog.text
        # Outside of a send urllib3 says what it likes.
        requests.get(f"http://127.0.0.1:{port}/elsewhere", timeout=30)
    assert outcome.kind in {"confirmed", "uncertain"}
    urllib3s = [one for one in shown.splitlines() if "urllib3" in one]
    assert not [one for one in urllib3s if TOKEN_PATH in one]
    assert "elsewhere" in caplog.text
