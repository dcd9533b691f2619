"""What a browser and its viewer wait for; `loads`, `searches` and `outage` measure it."""

import contextlib
import statistics
import time
from collections.abc import Iterator
from typing import Final

import playwright.sync_api
import psutil
from msgspec import Struct
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from tests.wide.peers.fleet import FAILING, Monitor
from tests.wide.peers.running import Running, Tool, got, order
from tests.wide.peers.views import View, view_of

LAPTOP: Final = (1280, 900)
PHONE: Final = (390, 844)
WAIT_MS: Final = 120_000.0
FIND_MS: Final = 60_000.0
SETTLE_S: Final = 1.0
"""After all data are there: what a page still loads belongs to its load."""
ANSWERS: Final = 20
REST_S: Final = 20.0

# Each frame of the page is looked at: the time from the navigation to the first one that shows it.
_WATCH: Final = """
window.__seen = {};
const look = () => {
  for (const [name, test] of [["row", () => %s], ["whole", () => %s]])
    try {
      if (!(name in window.__seen) && test()) window.__seen[name] = performance.now();
    } catch { /* there is no such element yet */ }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
# Each tenth of a second: when the number of failing ones changed.
_COUNT: Final = """
window.__counts = [];
setInterval(() => {
  let n = 0;
  try { n = %s; } catch { return; }
  const last = window.__counts.at(-1);
  if (!last || last[1] !== n) window.__counts.push([Date.now(), n]);
}, 100);
"""


class Load(Struct, frozen=True):
    """One load of the first page. Times are ms from the navigation; `cpu_s` is the server's.

    `wire_bytes` are those of HTTP with its heads, as the browser counts them, and the contents of
    WebSocket frames. `row_ms`: a monitor that is down is named; `whole_ms`: all data are there.
    """

    tool: str
    is_warm: bool
    requests: int
    frames: int
    wire_bytes: int
    row_ms: float
    whole_ms: float
    nodes: int
    cpu_s: float


class Answer(Struct, frozen=True):
    """The answer that has the data of the first page, asked for directly: median and worst, ms."""

    tool: str
    path: str
    wire_bytes: int
    median_ms: float
    worst_ms: float
    cpu_ms: float


class Search(Struct, frozen=True):
    """From the first click to the list of all failing ones."""

    tool: str
    clicks: int
    took_ms: float
    found: int


class Outage(Struct, frozen=True):
    """Seconds from a port's closing to the number on an open page that has it, each port's."""

    tool: str
    seconds: list[float]


class Wire:
    """What a page moves, by Chromium's own count.

    How long an answer was is told when it ends; of one that goes on, what came of it so far.
    """

    def __init__(self, session: CDPSession) -> None:
        self.requests = self.frames = 0
        self._frames_bytes = 0
        self._bytes: dict[str, int] = {}
        self._from_memory: set[str] = set()
        session.on("Network.requestWillBeSent", self._request)
        session.on("Network.requestServedFromCache", self._cached)
        session.on("Network.responseReceived", self._head)
        session.on("Network.dataReceived", self._data)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.webSocketCreated", self._request)
        session.on("Network.webSocketFrameReceived", self._frame)
        session.send("Network.enable")

    @property
    def bytes(self) -> int:
        """All of HTTP with its heads, and the contents of WebSocket frames."""
        moved = (size for name, size in self._bytes.items() if name not in self._from_memory)
        return sum(moved) + self._frames_bytes

    def _request(self, _event: dict[str, object]) -> None:
        self.requests += 1

    def _cached(self, event: dict[str, object]) -> None:
        self.requests -= 1
        self._from_memory.add(str(event["requestId"]))

    def _head(self, event: dict[str, object]) -> None:
        response = event["response"]
        if not isinstance(response, dict):
            return
        if response.get("fromDiskCache"):
            self.requests -= 1
        self._bytes[str(event["requestId"])] = int(response.get("encodedDataLength", 0))

    def _data(self, event: dict[str, object]) -> None:
        name = str(event["requestId"])
        self._bytes[name] = self._bytes.get(name, 0) + _number(event["encodedDataLength"])

    def _finished(self, event: dict[str, object]) -> None:
        self._bytes[str(event["requestId"])] = _number(event["encodedDataLength"])

    def _frame(self, event: dict[str, object]) -> None:
        self.frames += 1
        response = event["response"]
        if isinstance(response, dict):
            self._frames_bytes += len(str(response["payloadData"]).encode())


def _number(value: object) -> int:
    """A number of the protocol; it writes whole ones with a fraction at times."""
    return int(float(str(value)))


def loads(browser: Browser, run: Running, rounds: int) -> Iterator[Load]:
    """Each tool in turn, cold and then warm, `rounds` times."""
    idle = {tool.name: _idle_share(tool) for tool in run.tools}
    for _ in range(rounds):
        for tool in run.tools:
            context = new_context(browser, tool)
            try:
                for is_warm in (False, True):
                    yield _load(context, tool, view_of(tool.name, run.count), is_warm, idle)
            finally:
                context.close()


def new_context(browser: Browser, tool: Tool, size: tuple[int, int] = LAPTOP) -> BrowserContext:
    """A browser that was never here, but for the login where there is one."""
    width, height = size
    made = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="light",
        timezone_id="Europe/Berlin",
        storage_state=tool.state,
        is_mobile=size == PHONE,
        has_touch=size == PHONE,
        device_scale_factor=2 if size == PHONE else 1,
    )
    made.set_default_timeout(WAIT_MS)
    if tool.name == "Gatus":
        # It is dark unless somebody chose.
        made.add_cookies([{"name": "theme", "value": "light", "url": tool.url}])
    return made


def opened(context: BrowserContext, tool: Tool, view: View) -> Page:
    """Its first page with all data."""
    page = context.new_page()
    page.goto(tool.url + view.path)
    page.wait_for_function(view.whole)
    return page


def _load(
    context: BrowserContext, tool: Tool, view: View, is_warm: bool, idle: dict[str, float]
) -> Load:
    page = context.new_page()
    page.add_init_script(_WATCH % (view.row, view.whole))
    wire = Wire(context.new_cdp_session(page))
    began, before = time.perf_counter(), cpu_s(tool)
    page.goto(tool.url + view.path)
    page.wait_for_function("window.__seen.row && window.__seen.whole")
    page.wait_for_timeout(SETTLE_S * 1000)
    seen = page.evaluate("window.__seen")
    spent = cpu_s(tool) - before - idle[tool.name] * (time.perf_counter() - began)
    nodes = page.evaluate("document.querySelectorAll('*').length")
    page.close()
    return Load(
        tool=tool.name,
        is_warm=is_warm,
        requests=wire.requests,
        frames=wire.frames,
        wire_bytes=wire.bytes,
        row_ms=round(seen["row"]),
        whole_ms=round(seen["whole"]),
        nodes=nodes,
        cpu_s=round(max(spent, 0.0), 3),
    )


def searches(browser: Browser, run: Running, rounds: int) -> Iterator[Search]:
    """The list of all that fail, from the first page."""
    for _ in range(rounds):
        for tool in run.tools:
            view = view_of(tool.name, run.count)
            context = new_context(browser, tool)
            try:
                page = opened(context, tool, view)
                began = time.perf_counter()
                for selector in view.clicks:
                    page.click(selector)
                with contextlib.suppress(playwright.sync_api.TimeoutError):
                    page.wait_for_function(f"({view.found}) >= {FAILING}", timeout=FIND_MS)
                took_ms = (time.perf_counter() - began) * 1000
                found = page.evaluate(view.found)
            finally:
                context.close()
            yield Search(tool.name, len(view.clicks), round(took_ms), int(found))


def answers(run: Running) -> Iterator[Answer]:
    """What the first page's data cost the server; Uptime Kuma sends its own over a WebSocket."""
    paths = {"portquorum": "", "Gatus": "api/v1/endpoints/statuses?page=1&pageSize=50"}
    for tool in run.tools:
        if tool.name not in paths:
            continue
        url = tool.url + paths[tool.name]
        times, size = [], 0
        before = cpu_s(tool)
        for _ in range(ANSWERS):
            began = time.perf_counter()
            size = len(got(url, **{"Accept-Encoding": "gzip, br"}))
            times.append((time.perf_counter() - began) * 1000)
        yield Answer(
            tool=tool.name,
            path=f"/{paths[tool.name]}",
            wire_bytes=size,
            median_ms=round(statistics.median(times), 1),
            worst_ms=round(max(times), 1),
            cpu_ms=round((cpu_s(tool) - before) / ANSWERS * 1000, 1),
        )


def outage(
    browser: Browser, run: Running, waves: list[tuple[float, list[Monitor]]], limit_s: float
) -> list[Outage]:
    """Ports close in waves, each so many seconds after the pages were opened.

    `limit_s` after they were opened, or when all of it is seen, the ports open again.
    """
    closed = [one.name for _, wave in waves for one in wave]
    contexts = []
    pages = []
    try:
        for tool in run.tools:
            context = new_context(browser, tool)
            contexts.append(context)
            page = opened(context, tool, view_of(tool.name, run.count))
            page.evaluate(_COUNT % view_of(tool.name, run.count).down)
            pages.append(page)
        began = time.monotonic()
        at: list[float] = []
        for after_s, wave in waves:
            pages[0].wait_for_timeout(max(0.0, began + after_s - time.monotonic()) * 1000)
            order(run.control, *(f"close {one.name}" for one in wave))
            at += [time.time()] * len(wave)
        while time.monotonic() < began + limit_s:
            pages[0].wait_for_timeout(500)
            if all(_risen(page) >= len(closed) for page in pages):
                break
        return [
            Outage(tool.name, _delays(page.evaluate("window.__counts"), at))
            for tool, page in zip(run.tools, pages, strict=True)
        ]
    finally:
        order(run.control, *(f"open {name}" for name in closed))
        for context in contexts:
            context.close()


def _risen(page: Page) -> int:
    first, last = page.evaluate("[window.__counts[0][1], window.__counts.at(-1)[1]]")
    return int(last) - int(first)


def _delays(counts: list[tuple[float, int]], at: list[float]) -> list[float]:
    """The k-th step of the number belongs to the k-th port that was closed."""
    start = counts[0][1]
    delays = []
    for number, closed_at in enumerate(at, 1):
        shown = next((when for when, n in counts if n >= start + number), None)
        if shown is not None:
            delays.append(round(shown / 1000 - closed_at, 1))
    return delays


def cpu_s(tool: Tool) -> float:
    """CPU of the process that answers, user and system."""
    times = psutil.Process(tool.server).cpu_times()
    return times.user + times.system


def at_rest(run: Running) -> dict[str, float]:
    """Cores that each tool takes while nobody looks, with all of its processes: checks, and all."""
    before = {tool.name: _whole_cpu_s(tool) for tool in run.tools}
    began = time.perf_counter()
    time.sleep(REST_S)
    took_s = time.perf_counter() - began
    return {
        tool.name: round((_whole_cpu_s(tool) - before[tool.name]) / took_s, 3) for tool in run.tools
    }


def _whole_cpu_s(tool: Tool) -> float:
    root = psutil.Process(tool.root)
    times = [one.cpu_times() for one in (root, *root.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def memory_mb(tool: Tool) -> tuple[float, float]:
    """Of the process that answers, resident; of all that was started for the tool, proportional."""
    root = psutil.Process(tool.root)
    whole = [root, *root.children(recursive=True)]
    return (
        psutil.Process(tool.server).memory_info().rss / 1e6,
        sum(one.memory_full_info().pss for one in whole) / 1e6,
    )


def _idle_share(tool: Tool) -> float:
    """CPU of the process while nobody looks, of one core."""
    before, began = cpu_s(tool), time.perf_counter()
    time.sleep(5)
    return (cpu_s(tool) - before) / (time.perf_counter() - began)
