"""What the page costs: `portquorum bench page [--targets N] [--open N] [--viewers N] [--json]`.

A process serves a made-up fleet (`page_server.py`), and an incident opens before each request, so
that no answer is a kept one. Requests come one after the other over loopback. Three times are told
of each: the server's by CPU and by the clock, from the request to the first byte, and the client's,
to the last one. `packed` is what goes over the wire with Brotli, `nodes` are the elements of the
page, `requests` the page and what it loads.

Then viewers watch live in a process of their own (`page_viewers.py`) and read the overview anew at
each change: while ten incidents open a second, while a whole answer of `status_now` comes, and
when a thousand incidents open at once. The delay is from the application of an event to its
arrival at each viewer, the 0.1 s included in which changes are gathered.
"""

import argparse
import os
import statistics
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse
from typing import Final, NamedTuple

import brotli
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from portquorum.bench.figures import share
from portquorum.bench.page_server import ServerFigures
from portquorum.bench.page_viewers import Seen
from portquorum.bench.piped import Piped
from portquorum.bench.process import end_at_signals, say

ROUNDS: Final = 60
CHANGES: Final = 100
CHANGE_EVERY_S: Final = 0.1
BURST: Final = 1_000
AFTER_S: Final = 3.0
"""What a part has for its end: all viewers have read their page."""

TOLD_S: Final = 60.0
"""And that no viewer is told later than this."""

PAGES: Final = ("/", "/targets", "/incidents", "/regions", "/maintenance")
PAGE_BUDGET: Final = {"packed": 60_000, "requests": 4, "nodes": 2_000}
"""Of the overview (issue 21)."""


class Times(Struct, frozen=True):
    """Times in ms."""

    p50: float
    p95: float
    most: float

    def __str__(self) -> str:
        return f"{self.p50:.1f}  {self.p95:.1f}  {self.most:.1f}"


class PageFigures(Struct, frozen=True, kw_only=True):
    """One page: the server's time by CPU and by the clock, and the client's."""

    path: str
    cpu: Times
    clock: Times
    client: Times
    packed: int
    requests: int
    nodes: int


class LiveFigures(Struct, frozen=True, kw_only=True):
    """A part of the live viewers' time.

    `delay`: of an event to each viewer. `read`: of the overview, read anew. `lag`: how late the
    server's event loop was. `cpu_share`: of one core, the server's.
    """

    part: str
    viewers: int
    events: int
    frames: int
    delay: Times
    reads: int
    read: Times
    rendered: int
    lag: Times
    cpu_share: float
    seconds: float


class BenchFigures(Struct, frozen=True, kw_only=True):
    """All of it; `memory_mb` is the resident memory of the process before viewers and at the end.

    `load`: of the machine, before and after.
    """

    targets: int
    open: int
    pages: list[PageFigures]
    live: list[LiveFigures]
    memory_mb: tuple[float, float]
    load: tuple[float, float]


@contextmanager
def piped(*command: str) -> Iterator[Piped]:
    """A process for as long as the context."""
    one = Piped(*command)
    try:
        yield one
    finally:
        one.close()


def main() -> None:
    """Measures and prints tables, or one JSON object."""
    end_at_signals()
    asked = _arguments()
    say(f"{asked.targets:,} targets, {asked.open:,} open incidents")
    load = os.getloadavg()[0]
    with piped(
        *("portquorum.bench.page_server", "--targets", str(asked.targets)),
        *("--open", str(asked.open)),
    ) as server:
        pages = [measured(server, path) for path in PAGES]
        before = server.usage().memory / 1e6
        live = _live(server, asked.viewers) if asked.viewers else []
        after = server.usage().memory / 1e6
    found = BenchFigures(
        targets=asked.targets,
        open=asked.open,
        pages=pages,
        live=live,
        memory_mb=(round(before), round(after)),
        load=(round(load, 1), round(os.getloadavg()[0], 1)),
    )
    if asked.json:
        print(msgspec.json.encode(found).decode())
    else:
        _show(found)


def measured(server: Piped, path: str, rounds: int = ROUNDS) -> PageFigures:
    """A page, before each of whose requests an incident opens."""
    return measured_of(server, [path] * rounds, path)


def measured_of(server: Piped, paths: Sequence[str], name: str) -> PageFigures:
    """Likewise, of several paths; sizes are those of the last one."""
    connection = HTTPConnection("127.0.0.1", int(server.first_line), timeout=60)
    times, body = [], b""
    _got(connection, paths[-1]).read()
    for path in paths:
        server.ask("open 1", int)
        began = time.perf_counter()
        answer = _got(connection, path)
        body = answer.read()
        client = (time.perf_counter() - began) * 1000
        times.append((*_server_timing(answer), client))
    seen = _Seen()
    seen.feed(brotli.decompress(body).decode())
    connection.close()
    clock, cpu, client_times = zip(*times, strict=True)
    return PageFigures(
        path=name,
        cpu=_times(cpu),
        clock=_times(clock),
        client=_times(client_times),
        packed=len(body),
        requests=1 + len(seen.loaded),
        nodes=seen.nodes,
    )


def _server_timing(answer: HTTPResponse) -> tuple[float, float]:
    """The server's time of an answer: clock and CPU, in ms."""
    parts = answer.headers["Server-Timing"].split(", ")
    clock, cpu = (float(one.partition("dur=")[2]) for one in parts)
    return clock, cpu


def _times(values: Sequence[float]) -> Times:
    rounded = (statistics.median(values), share(values, 0.95), max(values)) if values else (0, 0, 0)
    return Times(*(round(one, 1) for one in rounded))


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


def _live(server: Piped, viewers: int) -> list[LiveFigures]:
    say(f"{viewers} live viewers")
    port = server.first_line.strip()
    with piped("portquorum.bench.page_viewers", port, str(viewers), "/") as watching:
        server.ask("figures", ServerFigures)
        parts = (
            (f"{1 / CHANGE_EVERY_S:.0f} events a second", lambda: _steadily(server)),
            ("the same, and status_now", lambda: _steadily(server, says=True)),
            (f"{BURST:,} events at once", lambda: [server.ask(f"open {BURST}", int)]),
        )
        return [_part(name, work, server, watching, viewers) for name, work in parts]


def _steadily(server: Piped, *, says: bool = False) -> None:
    for number in range(CHANGES):
        due = time.monotonic() + CHANGE_EVERY_S
        server.ask("open 1", int)
        if says and number == CHANGES // 2:
            server.ask("status", int)
        time.sleep(max(0.0, due - time.monotonic()))


def _part(
    name: str, work: Callable[[], object], server: Piped, watching: Piped, viewers: int
) -> LiveFigures:
    before = server.usage()
    work()
    time.sleep(AFTER_S)
    after = server.usage()
    figures = server.ask("figures", ServerFigures)
    told = _told(watching, viewers, figures.applied[-1][0])
    return LiveFigures(
        part=name,
        viewers=viewers,
        events=len(figures.applied),
        frames=sum(map(len, told.frames)),
        delay=_times(_delays(figures.applied, told.frames)),
        reads=len(told.reads),
        read=_times(told.reads),
        rendered=figures.rendered,
        lag=Times(figures.lag_p50_ms, figures.lag_p99_ms, figures.lag_max_ms),
        cpu_share=round((after.cpu_s - before.cpu_s) / (after.at - before.at), 3),
        seconds=round(after.at - before.at, 1),
    )


class _Told(NamedTuple):
    """By viewer offset and time (monotonic, s) of each frame, and ms of each reading."""

    frames: list[list[tuple[int, float]]]
    reads: list[float]


def _told(watching: Piped, viewers: int, last: int) -> _Told:
    """What the viewers saw, once each was told of the event before the offset `last`.

    Raises:
        RuntimeError: one was not within `TOLD_S`.
    """
    told = _Told([[] for _ in range(viewers)], [])
    until = time.monotonic() + TOLD_S
    while True:
        seen = watching.ask("taken", Seen)
        told.reads.extend(seen.reads)
        for viewer, offset, at in seen.frames:
            told.frames[viewer].append((offset, at))
        late = sum(1 for frames in told.frames if not frames or frames[-1][0] < last)
        if not late:
            return told
        if time.monotonic() > until:
            raise RuntimeError(f"{late} viewers were not told of the last event in {TOLD_S:.0f} s")
        time.sleep(0.2)


def _delays(
    applied: Sequence[tuple[int, float]], told: Sequence[Sequence[tuple[int, float]]]
) -> list[float]:
    """Ms of each event to each viewer: the first frame that is behind it."""
    delays = []
    for frames in told:
        offsets = [offset for offset, _ in frames]
        for offset, at in applied:
            delays.append((frames[bisect_left(offsets, offset)][1] - at) * 1000)
    return delays


def _show(found: BenchFigures) -> None:
    console = Console(width=120)
    title = (
        f"{found.targets:,} targets, {found.open:,} open incidents, load {found.load[0]} to "
        f"{found.load[1]}; p50, p95, most in ms"
    )
    table = Table(title=title, title_justify="left")
    for column in ("page", "server: CPU", "server: clock", "client", "packed", "requests", "nodes"):
        table.add_column(column)
    for one in found.pages:
        table.add_row(
            *(one.path, str(one.cpu), str(one.clock), str(one.client)),
            *(f"{one.packed / 1000:.1f} KB", str(one.requests), f"{one.nodes:,}"),
        )
    console.print(table)
    console.print(f"memory {found.memory_mb[0]:.0f} MB, at the end {found.memory_mb[1]:.0f} MB")
    if not found.live:
        return
    live = Table(
        title="live viewers; p50, p95, most in ms; lag: p50, p99, most", title_justify="left"
    )
    for column in ("part", "delay", "page read", "times, rendered", "lag of the loop", "a core"):
        live.add_column(column)
    for part in found.live:
        live.add_row(
            *(f"{part.viewers}: {part.part}", str(part.delay), str(part.read)),
            *(f"{part.reads:,}, {part.rendered:,}", str(part.lag)),
            f"{part.cpu_share:.2f} for {part.seconds} s",
        )
    console.print(live)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="portquorum bench page")
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--open", type=int, default=1_000)
    parser.add_argument("--viewers", type=int, default=200, help="0: only the pages")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
