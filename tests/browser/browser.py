"""A real browser, pages of several origins in it, and a server that refuses nothing."""

import contextlib
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.installed import missing

ATTACK = Path(__file__).with_name("attack.js").read_text(encoding="utf-8")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Its owner has made evil.example resolve to this machine (DNS rebinding).
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
)
CONTENT = "what no page may read"


def chromium_program() -> str:
    """The path of Debian's Chromium."""
    program = shutil.which("chromium")
    if program is None:
        missing("chromium")
    return program


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; while it runs, an event loop runs in this thread, and no other can."""
    program = chromium_program()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def browser_page(folder: Path) -> Iterator[Page]:
    """A page of Debian's Chromium, on a profile of its own."""
    program = chromium_program()
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=program, headless=True, args=list(FLAGS)
        )
        try:
            yield context.new_page()
        finally:
            context.close()


class Server:
    """The attacker's pages at `/`; everything else is answered to everybody, and remembered."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                if url.path == "/":
                    self._send("text/html", f"<!doctype html><body><script>{ATTACK}</script>")
                    return
                for way in parse_qs(url.query).get("way", ()):
                    server.asked.append((self.command, way))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._send("text/plain", CONTENT)

            do_POST = do_PUT = do_OPTIONS = do_GET  # noqa: N815 (http.server's names)

            def _send(self, kind: str, text: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                origin = self.headers.get("Origin")
                if origin:
                    self.send_header("Access-Control-Allow-Origin", origin)
                    self.send_header("Access-Control-Allow-Credentials", "true")
                    allowed = "content-type,x-clickhouse-user"
                    self.send_header("Access-Control-Allow-Headers", allowed)
                    self.send_header("Access-Control-Allow-Methods", "GET,POST,PUT")
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_port)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def attacked(page: Page, origin: str, base: str, path: str, body: str) -> dict[str, str]:
    """What a page of `origin` could read of `base`, by each way."""
    page.goto(origin)
    found: dict[str, str] = page.evaluate(
        "([base, path, body]) => attack(base, path, body)", [base, path, body]
    )
    return found
