"""A receiver of reports that remembers them, and answers as it is told to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Taker:
    """`statuses` are answered one after the other, the last one again and again."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.text = b"OK"
        self.seen: list[tuple[str, bytes]] = []
        self.changed = threading.Condition()
        self.url = ""

    def status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def wait_for(self, count: int) -> None:
        """Returns when so many reports are here."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= count, 60)

    def paths(self) -> list[str]:
        """The paths of all reports, without their queries."""
        return [path.partition("?")[0] for path, _ in self.seen]


@contextmanager
def taker() -> Iterator[Taker]:
    """A server for as long as the context."""
    told = Taker()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            with told.changed:
                told.seen.append((self.path, body))
                status = told.status()
                told.changed.notify_all()
            self.send_response(status)
            self.send_header("Content-Length", str(len(told.text)))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(told.text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
