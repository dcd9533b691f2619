"""The page that is asked for through a proxy, over HTTP and over TLS."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from msgspec import Struct

from tests.wide.server import Pems

TEXT: Final = "the page behind the proxy"
"""What is on it, and on no page of a server of the matrix."""


class PageBehind(Struct, frozen=True):
    """The ports of the page on 127.0.0.1."""

    plain: int
    tls: int


@contextlib.contextmanager
def page_behind(pems: Pems) -> Iterator[PageBehind]:
    """The page while it is served."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pems.cert, pems.key)
    with _serving(None) as plain, _serving(context) as tls:
        yield PageBehind(plain, tls)


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = TEXT.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing: what is asked of it is the proxy's affair."""


class _Quiet(ThreadingHTTPServer):
    def __init__(self, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self._context = context

    def finish_request(self, request: object, client_address: object) -> None:
        # The handshake in the connection's own thread: who is silent there holds up nobody.
        with contextlib.suppress(OSError):
            if self._context is not None:
                request = self._context.wrap_socket(request, server_side=True)  # type: ignore[arg-type]
            super().finish_request(request, client_address)  # type: ignore[arg-type]


@contextlib.contextmanager
def _serving(context: ssl.SSLContext | None) -> Iterator[int]:
    with _Quiet(context) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()
