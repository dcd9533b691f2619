"""An HTTP proxy that answers every HTTPS request itself, with a certificate of a test authority.

A library that takes `HTTPS_PROXY` and `REQUESTS_CA_BUNDLE` from the environment talks to it as if
it were the host of its URL; nothing in the library changes and nothing leaves this machine.
"""

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme
from msgspec import Struct


class Request(Struct, frozen=True):
    method: str
    host: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]


class Intercept:
    """The proxy; `taken` gives the requests since the last call."""

    def __init__(self, folder: Path) -> None:
        self._requests: list[Request] = []
        self._ca = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.ca_file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca_file)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            host = ""

            def do_CONNECT(self) -> None:
                self.host = self.path.rpartition(":")[0]
                self.send_response(200)
                self.end_headers()
                context = proxy._context(self.host)
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb", -1)
                self.wfile = socketserver._SocketWriter(self.connection)
                self.close_connection = False  # http.client says CONNECT in HTTP/1.0

            def _answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length", "0")))
                url = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                body = json.loads(raw) if raw else {}
                number = len(proxy._requests) + 1
                proxy._requests.append(
                    Request(self.command, self.host or url.hostname or "", url.path, query, body)
                )
                # Opsgenie and Jira want a request id; the others do not look.
                answer = json.dumps({"requestId": f"request-{number}"}).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET = _answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def environment(self) -> Mapping[str, str]:
        """What the library needs in its environment."""
        proxy = f"http://127.0.0.1:{self._server.server_port}"
        names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
        empty = dict.fromkeys(("NO_PROXY", "no_proxy"), "")
        return {**dict.fromkeys(names, proxy), **empty, "REQUESTS_CA_BUNDLE": str(self.ca_file)}

    def taken(self) -> list[Request]:
        found, self._requests = self._requests, []
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _context(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._ca.issue_cert(host).configure_cert(context)
            self._contexts[host] = context
        return self._contexts[host]


@contextmanager
def intercept(folder: Path) -> Iterator[Intercept]:
    proxy = Intercept(folder)
    try:
        yield proxy
    finally:
        proxy.close()
