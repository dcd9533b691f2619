"""A yes stays a yes, whatever is wrong with the body behind it: else it would be told twice."""

import socket
from threading import Thread

import pytest

from sinks.notifier.channels.send import send
from tests.unit.sinks.notifier.channels.deliveries import delivery

CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "a chunk of 72 bits of length": CHUNKED + b"FFFFFFFFFFFFFFFFFF\r\nx",
    "a chunk without a length": CHUNKED + b"\r\nx",
    "a chunk of no number": CHUNKED + b"zz\r\nx\r\n",
    "no gzip": b"Content-Encoding: gzip\r\nContent-Length: 6\r\n\r\nno gzi",
    "half a body": b"Content-Length: 600\r\n\r\nhalf",
    "compressed seven times": b"Content-Encoding: " + b"gzip, " * 6 + b"gzip\r\n\r\nx",
}


@pytest.mark.parametrize("scheme", ["json", "webhook+http"])
@pytest.mark.parametrize("broken", BROKEN)
def test_a_yes_with_a_broken_body_is_a_yes(scheme: str, broken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + BROKEN[broken])
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):  # else a reset would come before the answer
                    pass

        thread = Thread(target=answer, daemon=True)
        thread.start()
        url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}/hook"
        outcome = send(
            delivery(url, "trigger" if "+" in scheme else "opened"), may_send=lambda: True
        )
        thread.join(20)
    assert outcome.kind == "confirmed", outcome
