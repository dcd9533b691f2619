"""The way from names of real services to receivers on loopback: a proxy for CONNECT.

Slack, Telegram, Discord, PagerDuty and Opsgenie have fixed names in Apprise and in our channels.
Clients that heed `HTTPS_PROXY` ask this proxy for `hooks.slack.com:443` and get the receiver's
port; TLS stays between the client and the receiver, whose certificate is of an authority of the
test (`REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE`). Nothing is patched, and nothing leaves this machine: a
name without a receiver is refused and listed in `strangers`.
"""

import contextlib
import select
import socket
import socketserver
import struct
import threading
from collections.abc import Mapping
from typing import Final

from tests.receivers.http_receiver import HttpReceiver

_PIECE: Final = 65_536
_LOOK_S: Final = 0.1
_LONGEST_HEAD: Final = 16_384


class Tunnel:
    """The proxy, on a free port of 127.0.0.1 until `close`."""

    def __init__(self, receivers: Mapping[str, HttpReceiver]) -> None:
        self.receivers = dict(receivers)
        self.strangers: list[str] = []
        """Names that somebody asked for and that no receiver has."""
        self.closing = threading.Event()
        self._server = _TunnelServer(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


class _TunnelServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, tunnel: Tunnel) -> None:
        self.tunnel = tunnel
        super().__init__(("127.0.0.1", 0), _TunnelHandler)
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": _LOOK_S}, daemon=True
        ).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error of the proxy's."""


class _TunnelHandler(socketserver.BaseRequestHandler):
    server: _TunnelServer
    request: socket.socket

    def handle(self) -> None:
        self.request.settimeout(30)
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.request.recv(_PIECE)
            if not more or len(head) > _LONGEST_HEAD:
                return
            head += more
        method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
        name, _, port = rest.split(" ")[0].rpartition(":")
        receiver = self.server.tunnel.receivers.get(name) if method == "CONNECT" else None
        if receiver is None or port != "443":
            self.server.tunnel.strangers.append(rest.split(" ")[0])
            self.request.sendall(
                b"HTTP/1.1 502 No receiver has this name\r\nContent-Length: 0\r\n\r\n"
            )
            return
        try:
            other = socket.create_connection(("127.0.0.1", receiver.port), 5)
        except OSError:
            self.request.sendall(b"HTTP/1.1 503 The receiver is away\r\nContent-Length: 0\r\n\r\n")
            return
        with other:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._carry(other)

    def _carry(self, other: socket.socket) -> None:
        """Carries bytes, ends and resets both ways."""
        ways = {self.request: other, other: self.request}
        while ways and not self.server.tunnel.closing.is_set():
            readable, _, _ = select.select(list(ways), [], [], _LOOK_S)
            for one in readable:
                to = ways[one]
                try:
                    piece = one.recv(_PIECE)
                    if piece:
                        to.sendall(piece)
                        continue
                except OSError:
                    _reset_on_close(self.request)
                    _reset_on_close(other)
                    return
                del ways[one]
                with contextlib.suppress(OSError):
                    to.shutdown(socket.SHUT_WR)

    def finish(self) -> None:
        # socketserver would end the connection gently, which a reset is not.
        self.request.close()


def _reset_on_close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
