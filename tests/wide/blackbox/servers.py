"""Servers for the comparison with the blackbox exporter: what they say is written here."""

import contextlib
import gzip
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

HEALTHY: Final = b"line one\nall healthy\n"
_PAGES: Final[dict[str, tuple[int, dict[str, str], bytes]]] = {
    "/": (200, {"Server": "old/1.0"}, HEALTHY),
    "/empty": (204, {}, b""),
    "/moved": (301, {"Location": "/"}, b""),
    "/found-missing": (302, {"Location": "/missing"}, b""),
    "/loop": (302, {"Location": "/loop"}, b""),
    "/nowhere": (301, {}, b"no place"),
    "/broken": (503, {"Retry-After": "5"}, b"maintenance"),
    "/packed": (200, {"Content-Encoding": "gzip"}, gzip.compress(HEALTHY)),
    "/said-packed": (200, {"Content-Encoding": "identity"}, HEALTHY),
    "/json": (200, {"Content-Type": "application/json"}, b'{"state": "up", "n": 5}'),
    "/cache": (200, {"X-Cache": "HIT, x"}, b""),
}


class _Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tls_port = 0

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/hop/"):
            left = int(path.removeprefix("/hop/"))
            self._say(302, {"Location": f"/hop/{left - 1}" if left > 1 else "/"}, b"")
        elif path == "/to-tls":
            self._say(302, {"Location": f"https://localhost:{self.tls_port}/"}, b"")
        elif path == "/login":
            known = {"Basic bWU6c2VjcmV0MQ==", "Bearer token-1"}  # me:secret1
            self._say(200 if self.headers.get("Authorization") in known else 401, {}, b"")
        elif path == "/host":
            self._say(200 if self.headers.get("Host") == "b.example" else 421, {}, b"")
        else:
            self._say(*_PAGES.get(path, (404, {}, b"none")))

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._say(200 if body == b'{"a": 1}' else 400, {}, b"")

    def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: who asked is known."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Nothing: clients that go away in the middle are meant to."""


@contextlib.contextmanager
def pages(cert: str, key: str) -> Iterator[tuple[int, int]]:
    """The ports of the pages without and with TLS."""
    plain = _Quiet(("127.0.0.1", 0), _Pages)
    secure = _Quiet(("127.0.0.1", 0), _Pages)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    secure.socket = context.wrap_socket(
        secure.socket, server_side=True, do_handshake_on_connect=False
    )
    _Pages.tls_port = secure.server_port
    with _served(plain), _served(secure):
        yield plain.server_port, secure.server_port


@contextlib.contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Talk = Callable[[socket.socket], None]


@contextlib.contextmanager
def talking(talk: Talk) -> Iterator[int]:
    """The port of a server that talks so with each client, and closes then."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.request.settimeout(20)
                talk(self.request)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            """As of `_Quiet`."""

    server = Server(("127.0.0.1", 0), Handler)
    with _served(server):
        yield int(server.server_address[1])


def greeting(data: bytes, *, waits: bool) -> Talk:
    """Says this at once; `waits`: it leaves the connection open until the client goes."""

    def talk(client: socket.socket) -> None:
        client.sendall(data)
        while waits and client.recv(4096):
            pass

    return talk


def mail(cert: str, key: str) -> Talk:
    """SMTP with STARTTLS, as far as a check goes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def talk(client: socket.socket) -> None:
        client.sendall(b"220-first line\r\n220 mail.example ESMTP\r\n")
        lines = client.makefile("rb")
        while line := lines.readline().strip().upper():
            if line.startswith(b"EHLO"):
                client.sendall(b"250-mail.example\r\n250-STARTTLS\r\n250 HELP\r\n")
            elif line == b"STARTTLS":
                client.sendall(b"220 go on\r\n")
                client = context.wrap_socket(client, server_side=True)
                lines = client.makefile("rb")
            elif line == b"QUIT":
                client.sendall(b"221 bye\r\n")
                return
            else:
                client.sendall(b"502 what?\r\n")

    return talk


def chat(client: socket.socket) -> None:
    """A server of IRC that lets in who repeats its word."""
    lines = client.makefile("rb")
    lines.readline()
    lines.readline()
    client.sendall(b":irc NOTICE * :looking up\r\nPING :word42\r\n")
    if lines.readline().strip() == b"PONG word42":
        client.sendall(b":irc 001 prober :Welcome\r\n")
        lines.readline()


class _Names(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, reply_to = self.request
        reply_to.sendto(answer(data), self.client_address)


class _NamesOverTcp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while len(size := self.rfile.read(2)) == 2:
            reply = answer(self.rfile.read(int.from_bytes(size, "big")))
            self.wfile.write(len(reply).to_bytes(2, "big") + reply)


def answer(data: bytes) -> bytes:
    """What the name server says to a question."""
    question = dns.message.from_wire(data)
    reply = dns.message.make_response(question)
    reply.flags |= dns.flags.AA
    one = question.question[0]
    kind = dns.rdatatype.to_text(one.rdtype)
    name = one.name.to_text()
    if name == "www.example.":
        records = {"A": ["192.0.2.1", "192.0.2.2"], "MX": ["10 mail.example."]}.get(kind, [])
        if records:
            reply.answer.append(dns.rrset.from_text(name, 300, "IN", kind, *records))
    elif name == "refused.example.":
        reply.set_rcode(dns.rcode.REFUSED)
    else:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply.to_wire()


@contextlib.contextmanager
def names() -> Iterator[int]:
    """The port of the name server, over UDP and TCP."""
    over_tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _NamesOverTcp)
    port = int(over_tcp.server_address[1])
    over_udp = socketserver.ThreadingUDPServer(("127.0.0.1", port), _Names)
    with _served(over_tcp), _served(over_udp):
        yield port


@contextlib.contextmanager
def healths() -> Iterator[int]:
    """The port of a gRPC server: `good` serves, `bad` does not."""
    from concurrent.futures import ThreadPoolExecutor

    server = grpc.server(ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    states = health_pb2.HealthCheckResponse
    servicer.set("", states.SERVING)
    servicer.set("good", states.SERVING)
    servicer.set("bad", states.NOT_SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait()
