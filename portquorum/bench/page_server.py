"""The page over a made-up fleet, as a process: `python -m portquorum.bench.page_server`.

Writes its port to stdout once it listens. Each line on stdin is an order, which is answered by one
line of JSON: `open N` (N incidents open at once), `status` (a whole answer of `status_now` comes)
or `figures`. Its collector of garbage works as that of the role. Each answer has its server's time
in a header: from the request to the first byte, by the clock and by CPU.
"""

import argparse
import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, cast

import msgspec
from msgspec import Struct
from prometheus_client import REGISTRY

from foundation.http_origin import Served
from foundation.lifecycle import cancelled, stop_on_signals
from foundation.loopback_listener import loopback_listener
from foundation.settings import Settings
from portquorum.bench import history, page_fleet
from portquorum.bench.figures import share
from portquorum.bench.page_model import NOW, Definitions, bad_night, loaded, status_of
from portquorum.serving.server import serve
from portquorum.web.app import create_app
from portquorum.web.edge import Edge
from portquorum.web.fleet import Fleet
from portquorum.web.following import Hub
from portquorum.web.following.announcer import Announcer
from portquorum.web.history.stored_history import StoredHistory
from portquorum.web.pages.handlers import PAGE_ROUTES, error_page_of
from portquorum.web.parts import Parts
from schemas import incident

_Header = tuple[bytes, bytes]
_Message = dict[str, object]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_LOOK_S: Final = 0.005
_TICK_S: Final = 1.0
_SLICE: Final = 200
"""As the role applies records; see `following/topic_feed.py`."""


class ServerFigures(Struct, frozen=True, kw_only=True):
    """Since the last ones: how late the event loop was, in ms, and when which events were applied.

    `rendered` are pages. `applied` are pairs of an offset behind the event and `time.monotonic()`.
    """

    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    rendered: int
    applied: list[tuple[int, float]]


class Timed:
    """An ASGI app around the role's, with the header `Server-Timing` (W3C)."""

    def __init__(self, app: Edge) -> None:
        self._app = app

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answers; CPU is that of the thread, so of other work in between, too."""
        began, spent = time.perf_counter(), time.thread_time()

        async def timed(message: _Message) -> None:
            if message["type"] == "http.response.start":
                clock = (time.perf_counter() - began) * 1000
                cpu = (time.thread_time() - spent) * 1000
                value = f"clock;dur={clock:.3f}, cpu;dur={cpu:.3f}".encode()
                headers = cast("list[_Header]", message["headers"])
                message["headers"] = [*headers, (b"server-timing", value)]
            await send(message)

        await self._app(scope, receive, timed)  # type: ignore[arg-type] # ASGI's, in plain types


class LoopLag:
    """How late the event loop is, looked at each 5 ms."""

    def __init__(self) -> None:
        self._lags: list[float] = []

    async def run(self) -> None:
        """Looks without end."""
        while True:
            due = time.monotonic() + _LOOK_S
            await asyncio.sleep(_LOOK_S)
            self._lags.append(max(0.0, time.monotonic() - due) * 1000)

    def taken(self) -> list[float]:
        """What was seen since the last time, in ms."""
        lags, self._lags = self._lags, []
        return lags


class Night:
    """The fleet, fed as the role feeds it."""

    def __init__(self, fleet: Fleet, definitions: Definitions) -> None:
        self.fleet, self.hub = fleet, Hub()
        self.hub.begin(fleet.vector())
        self._began = time.monotonic()
        self.announcer = Announcer(fleet, self.hub, self.now)
        self._definitions = definitions
        self._offset = 0
        self._rendered = 0
        self._applied: list[tuple[int, float]] = []
        self.lag = LoopLag()

    def now(self) -> int:
        """The fleet's time, UTC ms."""
        return NOW + int((time.monotonic() - self._began) * 1000)

    async def orders(self) -> None:
        """Does what each line on stdin says, until its end."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := (await reader.readline()).decode().split():
            match line:
                case ["open", number]:
                    await self._open(int(number))
                    said: object = self._offset
                case ["status"]:
                    said = await self._say()
                case _:
                    said = self._figures()
            print(msgspec.json.encode(said).decode(), flush=True)

    async def ticks(self) -> None:
        """Moves the time, as the role does, and tells viewers how old the data are."""
        while True:
            await asyncio.sleep(_TICK_S)
            now = self.now()
            self.fleet.heard(now, stream_at=now, log_at=now)
            if self.fleet.tick(now):
                self.announcer.changed("status", "")
            self.announcer.tell_sight()

    async def _open(self, count: int) -> None:
        """So many incidents open, of targets far from each other."""
        inventory = self.fleet.inventory
        for number in range(count):
            self._offset += 1
            target = inventory.record((self._offset * 7919) % len(inventory)).definition()
            at = self.now()
            event = page_fleet.event_of(target, kind="slow", at=at, began=at - self._offset)
            self.fleet.apply_event(0, self._offset - 1, incident.encode(event))
            self.announcer.applied("incidents", 0, self._offset - 1)
            self.announcer.changed("incident", event.incident_id)
            self._applied.append((self._offset, time.monotonic()))
            if number % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)

    async def _say(self) -> int:
        """A whole answer of `status_now`, taken as the role does; returns its steps."""
        steps = 0
        for _ in self.fleet.status_steps(status_of(self._definitions()), self.now()):
            steps += 1
            await asyncio.sleep(0)
        return steps

    def _figures(self) -> ServerFigures:
        lags = self.lag.taken()
        applied, self._applied = self._applied, []
        before, self._rendered = self._rendered, _rendered()
        return ServerFigures(
            lag_p50_ms=round(share(lags, 0.5), 2),
            lag_p99_ms=round(share(lags, 0.99), 2),
            lag_max_ms=round(max(lags, default=0.0), 2),
            rendered=self._rendered - before,
            applied=applied,
        )


async def main() -> None:
    """Serves until SIGTERM."""
    asked = _arguments()
    definitions, events = bad_night(asked.targets, asked.open)
    if asked.clickhouse:
        definitions, events = partial(history.targets, asked.targets), ()
    fleet, _ = loaded(definitions, events)
    night = Night(fleet, definitions)
    gc.collect()
    gc.freeze()
    stored = StoredHistory(
        Settings(
            clickhouse=asked.clickhouse or "http://127.0.0.1:1/none",
            results_ttl_days=asked.results_days,
        )
    )
    closing = asyncio.Event()
    app = create_app(
        Parts(fleet, night.hub, stored, closing),
        Served("127.0.0.1"),
        routes=PAGE_ROUTES,
        error_page=error_page_of(fleet),
    )
    stop = stop_on_signals()
    listening = loopback_listener("127.0.0.1:0", "bench")
    print(listening.getsockname()[1], flush=True)
    work = [
        asyncio.create_task(one)
        for one in (night.orders(), night.ticks(), night.announcer.run(), night.lag.run())
    ]
    try:
        await serve(Timed(app), listening, closing, stop)  # type: ignore[arg-type]
    finally:
        await cancelled(*work)
        await stored.close()


def _rendered() -> int:
    """Pages that were rendered so far."""
    return int(REGISTRY.get_sample_value("portquorum_web_pages_total", {"how": "rendered"}) or 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.page_server")
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--open", type=int, default=1_000)
    parser.add_argument("--clickhouse", help="a past of `target_page` that it asks")
    parser.add_argument("--results-days", type=int, default=30)
    return parser.parse_args()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
