"""What a status page costs: `portquorum bench status-page [--components N] [--readers N] [--json]`.

A process serves a made-up page (`status_page_server.py`) on the role's own server. Readers ask over
loopback, each on a connection that stays open, one request after the other: the page in Brotli, the
page with the tag that they have (304), and as a measure the same bytes from an app that looks at
nothing. The three take turns, so that a busy machine is so for all. `a core`: requests that one
core answers in a second, by the server's CPU time; `second`: those that were answered, readers
included. `render`: a page that changed, made anew; its bytes as they are and packed.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from portquorum.bench.piped import Piped
from portquorum.bench.process import usage
from portquorum.bench.status_page_model import SLUG, made_up
from portquorum.bench.status_page_server import STATIC
from portquorum.status_pages.rendering import page
from portquorum.web.packing import BROTLI, GZIP, packed

GOAL: Final = 1_000
"""Readers a second on one core (issue 23)."""

TURNS: Final = 4
RENDERS: Final = 10
_PAGE: Final = f"/status/{SLUG}"


class Asked(Struct, frozen=True, kw_only=True):
    """One sort of requests; `status` is that of each answer, `size` its bytes with the head."""

    what: str
    requests: int
    status: int
    size: int
    a_second: float
    a_core: float


class StatusPageFigures(Struct, frozen=True, kw_only=True):
    """All of it. `ratio`: of the page to the same bytes from an app that looks at nothing."""

    components: int
    readers: int
    asked: list[Asked]
    ratio: float
    render_ms: float
    plain: int
    brotli: int
    gzip: int
    load: tuple[float, float]


class _Turn(Struct, frozen=True):
    requests: int
    seconds: float
    cpu_s: float


def measured(components: int, readers: int, seconds: float) -> StatusPageFigures:
    """The figures of a run."""
    load = os.getloadavg()[0]
    render_ms, html = _rendered(components)
    server = Piped("portquorum.bench.status_page_server", "--components", str(components))
    try:
        asked = _asked(int(server.first_line), server.process.pid, readers, seconds)
    finally:
        server.close()
    by_name = {one.what: one for one in asked}
    return StatusPageFigures(
        components=components,
        readers=readers,
        asked=asked,
        ratio=by_name["page"].a_core / by_name["static"].a_core,
        render_ms=render_ms,
        plain=len(html),
        brotli=len(packed(html, BROTLI)),
        gzip=len(packed(html, GZIP)),
        load=(load, os.getloadavg()[0]),
    )


def _rendered(components: int) -> tuple[float, bytes]:
    """The median time of a page that changed, without the first, and its bytes."""
    now = time.time_ns() // 1_000_000
    snapshot = made_up(components, now)
    times = []
    for number in range(RENDERS + 1):
        began = time.perf_counter()
        html = page(snapshot, now + number, _PAGE).encode()
        times.append((time.perf_counter() - began) * 1000)
    return median(times[1:]), html


def _asked(port: int, pid: int, readers: int, seconds: float) -> list[Asked]:
    head = b"accept-encoding: br\r\nhost: status.example.com\r\n\r\n"
    first = asyncio.run(_one(port, b"GET %b HTTP/1.1\r\n%b" % (_PAGE.encode(), head)))
    tag = next(line for line in first.split(b"\r\n") if line.lower().startswith(b"etag:"))[5:]
    requests = {
        "page": b"GET %b HTTP/1.1\r\n%b" % (_PAGE.encode(), head),
        "304": b"GET %b HTTP/1.1\r\nif-none-match:%b\r\n%b" % (_PAGE.encode(), tag, head),
        "static": b"GET %b HTTP/1.1\r\n%b" % (STATIC.encode(), head),
    }
    turns: dict[str, list[_Turn]] = {name: [] for name in requests}
    for _ in range(TURNS):
        for name, request in requests.items():
            turns[name].append(asyncio.run(_turn(port, pid, request, readers, seconds / TURNS)))
    answers = {name: asyncio.run(_one(port, request)) for name, request in requests.items()}
    return [_sum(name, some, answers[name]) for name, some in turns.items()]


def _sum(name: str, turns: Sequence[_Turn], answer: bytes) -> Asked:
    requests = sum(one.requests for one in turns)
    return Asked(
        what=name,
        requests=requests,
        status=int(answer.split(b" ", 2)[1]),
        size=len(answer),
        a_second=requests / sum(one.seconds for one in turns),
        a_core=requests / sum(one.cpu_s for one in turns),
    )


async def _one(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await _answer(reader)
    writer.close()
    return answer


async def _turn(port: int, pid: int, request: bytes, readers: int, seconds: float) -> _Turn:
    """Requests of all readers for some seconds."""
    before = usage(pid).cpu_s
    began = time.monotonic()
    counts = await asyncio.gather(*(_reads(port, request, began + seconds) for _ in range(readers)))
    return _Turn(sum(counts), time.monotonic() - began, usage(pid).cpu_s - before)


async def _reads(port: int, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.monotonic() < until:
        writer.write(request)
        await _answer(reader)
        count += 1
    writer.close()
    return count


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return head + (await reader.readexactly(length) if length else b"")


def shown(found: StatusPageFigures) -> Table:
    """The figures as a table."""
    table = Table(title=f"A status page of {found.components} components, {found.readers} readers")
    for name in ("", "status", "bytes", "a second", "a core"):
        table.add_column(name, justify="left" if not name else "right")
    for one in found.asked:
        numbers = (f"{one.size:,}", f"{one.a_second:,.0f}", f"{one.a_core:,.0f}")
        table.add_row(one.what, str(one.status), *numbers)
    table.caption = (
        f"page to static {found.ratio:.2f}; render {found.render_ms:.0f} ms; "
        f"{found.plain:,} bytes, Brotli {found.brotli:,}, gzip {found.gzip:,}; "
        f"load {found.load[0]:.1f} to {found.load[1]:.1f}"
    )
    return table


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="portquorum bench status-page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--components", type=int, default=500)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each sort of requests")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measured(asked.components, asked.readers, asked.seconds)
    if asked.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        Console().print(shown(found))
    if next(one for one in found.asked if one.what == "page").a_core < GOAL:
        sys.exit(1)


if __name__ == "__main__":
    main()
