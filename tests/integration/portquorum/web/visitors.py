"""Connections that are open when a page's server is asked to end."""

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def visitors(place: str) -> Iterator[list[socket.socket]]:
    """Connections as browsers and others leave them open: live streams, idle ones, half a request,
    and answers of megabytes that nobody takes."""
    host, _, port = place.rpartition(":")
    live = f"GET /api/v1/events HTTP/1.1\r\nHost: {place}\r\n\r\n"
    short = f"GET /healthz HTTP/1.1\r\nHost: {place}\r\n\r\n"
    long = f"GET /api/v1/openapi.json HTTP/1.1\r\nHost: {place}\r\n\r\n"
    opened: list[socket.socket] = []
    try:
        for sent in (live, live, short, "", short[:20], long * 40):
            one = socket.socket()
            opened.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.settimeout(30)
            one.connect((host, int(port)))
            one.sendall(sent.encode())
            if sent in {live, short}:
                assert one.recv(100).startswith(b"HTTP/1.1 200")
        yield opened
    finally:
        for one in opened:
            one.close()
