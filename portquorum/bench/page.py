"""What the page costs: `portquorum bench page [--targets N] [--open N] [--viewers N] [--json]`.

A process serves a made-up fleet (`page_server.py`), and incidents open meanwhile, so that no answer
is a kept one. Requests come one after the other over loopback; their times are those of the
client, from the request to the last byte. `packed` is what goes over the wire with Brotli, `nodes`
are the elements of the page, `requests` the page and what it loads. Live viewers each have a
connection; the delay is from the change to the last of them.
"""

import argparse
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse
from typing import Final

import brotli
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from portquorum.bench.figures import share
from portquorum.bench.process import Usage, end_at_signals, say, usage

ROUNDS: Final = 60
CHANGES: Final = 100
CHANGE_EVERY_S: Final = 0.1
PAGES: Final = ("/", "/targets", "/incidents", "/regions", "/maintenance")
PAGE_BUDGET: Final = {"packed": 60_000, "requests": 4, "nodes": 2_000}
"""Of the overview (issue 21)."""


class PageFigures(Struct, frozen=True, kw_only=True):
    """One page; times in ms. `cpu_ms` is what the server took for it and for a change, in mean."""

    path: str
    cpu_ms: float
    p50_ms: float
    p95_ms: float
    packed: int
    requests: int
    nodes: int


class LiveFigures(Struct, frozen=True, kw_only=True):
    """Live viewers: the delay of a change to the last of them, and the share of one core."""

    viewers: int
    changes: int
    p50_ms: float
    p95_ms: float
    cpu_share: float


class BenchFigures(Struct, frozen=True, kw_only=True):
    """All of it; `memory_mb` is the resident memory of the process at the end."""

    targets: int
    open: int
    pages: list[PageFigures]
    live: LiveFigures
    memory_mb: float


class Served:
    """The process."""

    def __init__(self, targets: int, opened: int) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "portquorum.bench.page_server"),
                *("--targets", str(targets), "--open", str(opened)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.process.stdout is None:
            raise RuntimeError("the server has no output")
        self.port = int(self.process.stdout.readline())
        self._changes = 0

    def change(self) -> str:
        """An incident opens; returns what its event says."""
        if self.process.stdin is None:
            raise RuntimeError("the server has no input")
        self._changes += 1
        subject = f"change-{self._changes}."
        self.process.stdin.write(f"{subject}\n")
        self.process.stdin.flush()
        return subject

    def usage(self) -> Usage:
        """What the process has used so far."""
        return usage(self.process.pid)

    def close(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait()


@contextmanager
def served(targets: int, opened: int) -> Iterator[Served]:
    """A process for as long as the context."""
    one = Served(targets, opened)
    try:
        yield one
    finally:
        one.close()


def main() -> None:
    """Measures and prints a table, or one JSON object."""
    end_at_signals()
    asked = _arguments()
    say(f"{asked.targets:,} targets, {asked.open:,} open incidents")
    with served(asked.targets, asked.open) as server:
        pages = [_page(server, path) for path in PAGES]
        say(f"{asked.viewers} live viewers")
        live = _live(server, asked.viewers)
        memory = server.usage().memory / 1e6
    found = BenchFigures(
        targets=asked.targets, open=asked.open, pages=pages, live=live, memory_mb=round(memory)
    )
    if asked.json:
        print(msgspec.json.encode(found).decode())
    else:
        _show(found)


def _page(server: Served, path: str) -> PageFigures:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    times, body = [], b""
    _got(connection, path).read()  # templates are compiled once
    before = server.usage()
    for _ in range(ROUNDS):
        server.change()
        began = time.perf_counter()
        answer = _got(connection, path)
        body = answer.read()
        times.append((time.perf_counter() - began) * 1000)
    spent_s = server.usage().cpu_s - before.cpu_s
    seen = _Seen()
    seen.feed(brotli.decompress(body).decode())
    connection.close()
    return PageFigures(
        path=path,
        cpu_ms=round(spent_s / ROUNDS * 1000, 1),
        p50_ms=round(statistics.median(times), 1),
        p95_ms=round(share(times, 0.95), 1),
        packed=len(body),
        requests=1 + len(seen.loaded),
        nodes=seen.nodes,
    )


def _got(connection: HTTPConnection, path: str) -> HTTPResponse:
    connection.request("GET", path, headers={"Accept-Encoding": "br"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return answer


class _Seen(HTMLParser):
    """The elements of a page, and the files that it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = 0
        self.loaded: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.nodes += 1
        named = dict(attrs)
        if tag in {"script", "img", "link"} and (url := named.get("src") or named.get("href")):
            self.loaded.add(url)


def _live(server: Served, viewers: int) -> LiveFigures:
    request = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with selectors.DefaultSelector() as selector:
        for _ in range(viewers):
            opened = socket.create_connection(("127.0.0.1", server.port), timeout=60)
            opened.sendall(request)
            _read_until(opened, b"retry: ")
            opened.setblocking(False)
            selector.register(opened, selectors.EVENT_READ)
        before = server.usage()
        delays = [_change_seen(server, selector, viewers) for _ in range(CHANGES)]
        after = server.usage()
        for key in list(selector.get_map().values()):
            sock = key.fileobj
            selector.unregister(sock)
            if isinstance(sock, socket.socket):
                sock.close()
    return LiveFigures(
        viewers=viewers,
        changes=CHANGES,
        p50_ms=round(statistics.median(delays), 1),
        p95_ms=round(share(delays, 0.95), 1),
        cpu_share=round((after.cpu_s - before.cpu_s) / (after.at - before.at), 3),
    )


def _change_seen(server: Served, selector: selectors.BaseSelector, viewers: int) -> float:
    """Ms from a change to the last viewer who has it; then a pause."""
    began = time.perf_counter()
    subject = server.change().encode()
    waiting = viewers
    kept: dict[int, bytes] = {}
    while waiting:
        ready = selector.select(30)
        if not ready:
            raise RuntimeError(f"{waiting} viewers were not told")
        for key, _ in ready:
            sock = key.fileobj
            if isinstance(sock, socket.socket):
                came = kept.get(key.fd, b"") + sock.recv(65_536)
                kept[key.fd] = came[-200_000:]
                if subject in came:
                    waiting -= 1
                    kept[key.fd] = b""
    took = (time.perf_counter() - began) * 1000
    time.sleep(max(0.0, CHANGE_EVERY_S - took / 1000))
    return took


def _read_until(opened: socket.socket, text: bytes) -> None:
    came = b""
    while text not in came:
        came += opened.recv(65_536)


def _show(found: BenchFigures) -> None:
    console = Console()
    table = Table("page", "p50", "p95", "CPU", "packed", "requests", "nodes", title="pages")
    for one in found.pages:
        table.add_row(
            one.path,
            f"{one.p50_ms} ms",
            f"{one.p95_ms} ms",
            f"{one.cpu_ms} ms",
            f"{one.packed / 1000:.1f} KB",
            str(one.requests),
            f"{one.nodes:,}",
        )
    console.print(table)
    live = found.live
    console.print(
        f"{live.viewers} viewers, {1 / CHANGE_EVERY_S:.0f} changes a second: all know after "
        f"{live.p50_ms} ms (p95 {live.p95_ms} ms), {live.cpu_share:.0%} of a core; "
        f"memory {found.memory_mb:.0f} MB"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="portquorum bench page")
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--open", type=int, default=1_000)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
