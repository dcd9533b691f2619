"""One run of one engine: `python -m portquorum.bench.load ENGINE RATE SECONDS PORT...`.

RATE 0: as fast as it goes. Prints `figures.Figures` as JSON.
"""

import asyncio
import os
import sys
import time
from array import array
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from portquorum.bench.figures import IN_FLIGHT, TIMEOUT_MS, ProbeFigures, share
from portquorum.bench.listener import silent_port
from portquorum.bench.probe_naive import NaiveEngine
from producers.checks.model import CheckOutcome, Engine, OnDone, PlannedCheck, Vantage
from producers.engine.asyncio_engine import AsyncioEngine
from producers.engine.epoll_engine import EpollEngine
from producers.engine.factory import platform_engine
from producers.engine.file_descriptors import in_flight_limit
from producers.engine.task_engine import MOST as TASKS
from producers.prober.check_loop import ROUND_S
from schemas.target import Target


class Contestant(Struct, frozen=True):
    """An engine, and the kind of its checks; `silent` concurrent checks measure its memory."""

    engine: Callable[[Vantage], Engine]
    kind: str = "tcp"
    silent: int = 5_000


ENGINES: Final = {
    "epoll": Contestant(EpollEngine),
    "asyncio": Contestant(AsyncioEngine),
    "naive": Contestant(NaiveEngine),
    "redis": Contestant(platform_engine, "redis", silent=TASKS),
}


class EngineLoad:
    """Feeds an engine and records the outcomes."""

    def __init__(self, engine: Engine, kind: str, ports: list[int]) -> None:
        self._engine = engine
        self._targets = [watched(kind, port) for port in ports]
        self._begun = 0
        self._over = False
        self._idle = asyncio.Event()
        self.connect_ms = array("d")
        self.lag_s = array("d")
        self.done = 0
        self.timed_out = 0
        self.failed = 0

    async def saturate(self, seconds: float) -> None:
        """Starts the next check when one is done."""
        for _ in range(IN_FLIGHT):
            self._begin(0.0, self._done_and_again)
        await asyncio.sleep(seconds)
        await self._end()

    async def pace(self, rate: float, seconds: float) -> None:
        """Starts `rate` checks a second on a schedule, in rounds, as the prober does."""
        start = time.monotonic()
        while (now := time.monotonic()) - start < seconds:
            while (due := start + self._begun / rate) <= now:
                self._begin(due, self._done)
            await asyncio.sleep(ROUND_S)
        await self._end()

    async def _end(self) -> None:
        self._over = True
        if self._engine.in_flight:
            await self._idle.wait()

    def _begin(self, due: float, on_done: OnDone) -> None:
        target = self._targets[self._begun % len(self._targets)]
        self._begun += 1
        self._engine.submit(PlannedCheck(target, due * 1000, 0, "schedule"), on_done)

    def _done_and_again(self, check: PlannedCheck, outcome: CheckOutcome) -> None:
        self._done(check, outcome)
        if not self._over:
            self._begin(0.0, self._done_and_again)

    def _done(self, check: PlannedCheck, outcome: CheckOutcome) -> None:
        if outcome.started_at is not None:
            self.lag_s.append(outcome.started_at - check.due_ms / 1000)
        self.done += 1
        if outcome.connect_ms is not None:
            self.connect_ms.append(outcome.connect_ms)
        if outcome.reason == "timed_out":
            self.timed_out += 1
        elif outcome.reason is not None:
            self.failed += 1
        if self._over and not self._engine.in_flight:
            self._idle.set()


def watched(kind: str, port: int) -> Target:
    """A target on loopback."""
    return Target(
        id=f"bench-{port}",
        name=f"bench {port}",
        kind=kind,
        host="127.0.0.1",
        port=port,
        regions=("bench",),
        interval_ms=60_000,
        timeout_ms=TIMEOUT_MS,
        version=1,
        source="bench",
    )


async def in_flight_bytes(one: Contestant) -> float:
    """Resident memory of a running check, from many checks that nobody answers."""
    count = min(one.silent, in_flight_limit(one.silent))
    ours = asyncio.all_tasks()
    with ExitStack() as stack:
        target = watched(one.kind, stack.enter_context(silent_port()))
        engine = one.engine(Vantage(internal=True))
        stack.callback(engine.close)
        before = resident_bytes()
        for _ in range(count):
            engine.submit(PlannedCheck(target, 0.0, 0, "schedule"), lambda _, __: None)
        # Tasks begin when the loop has its turn.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        taken = resident_bytes() - before
    # To end so many takes its time too, which belongs to no run.
    await asyncio.gather(*(asyncio.all_tasks() - ours), return_exceptions=True)
    return taken / count


def resident_bytes() -> int:
    """Resident memory of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def run(one: Contestant, rate: float, seconds: float, ports: list[int]) -> ProbeFigures:
    """One run; in a paced one the memory is measured too, before."""
    in_flight_limit(IN_FLIGHT)
    memory = await in_flight_bytes(one) if rate else None
    engine = one.engine(Vantage(internal=True))
    load = EngineLoad(engine, one.kind, ports)
    start, cpu = time.monotonic(), time.process_time()
    await (load.pace(rate, seconds) if rate else load.saturate(seconds))
    took, cpu = time.monotonic() - start, time.process_time() - cpu
    engine.close()
    return ProbeFigures(
        checks=load.done,
        seconds=round(took, 3),
        cpu_us=round(cpu / max(1, load.done) * 1e6, 3),
        timed_out=load.timed_out,
        failed=load.failed,
        connect_p50_us=round(share(load.connect_ms, 0.5) * 1000, 1),
        connect_p99_us=round(share(load.connect_ms, 0.99) * 1000, 1),
        lag_p50_ms=round(share(load.lag_s, 0.5) * 1000, 3) if rate else None,
        lag_p99_ms=round(share(load.lag_s, 0.99) * 1000, 3) if rate else None,
        in_flight_bytes=memory,
    )


if __name__ == "__main__":
    name, rate_text, seconds_text, *port_texts = sys.argv[1:]
    figures = asyncio.run(
        run(ENGINES[name], float(rate_text), float(seconds_text), [int(p) for p in port_texts])
    )
    sys.stdout.buffer.write(msgspec.json.encode(figures) + b"\n")
