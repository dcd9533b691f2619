"""One run of one of our engines: `python -m bench.load ENGINE RATE SECONDS PORT...`.

RATE 0: as fast as it goes. Prints `bench.figures.Figures` as JSON.
"""

import asyncio
import os
import sys
import time
from array import array
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from bench.figures import IN_FLIGHT, TIMEOUT_MS, Figures, share
from bench.listener import silent_port
from producers.asyncio_engine import AsyncioEngine
from producers.checks.under_way import WaitingEngine
from producers.descriptors import in_flight_limit
from producers.engine import CheckOutcome, OnDone, PlannedCheck, Vantage
from producers.epoll_engine import EpollEngine
from producers.runner import ROUND_S
from schemas.target import Target

ENGINES: Final[dict[str, type[WaitingEngine]]] = {"epoll": EpollEngine, "asyncio": AsyncioEngine}

_SILENT: Final = 5_000


class Load:
    """Feeds an engine and takes down what comes of it."""

    def __init__(self, engine: WaitingEngine, ports: list[int]) -> None:
        self._engine = engine
        self._checks = [planned(port) for port in ports]
        self._begun = 0
        self._over = False
        self._idle = asyncio.Event()
        self.connect_ms = array("d")
        self.lag_s = array("d")
        self.timed_out = 0
        self.failed = 0

    async def saturate(self, seconds: float) -> None:
        """The next check begins when one is done."""
        for _ in range(IN_FLIGHT):
            self._begin(self._done_and_again)
        await asyncio.sleep(seconds)
        await self._end()

    async def pace(self, rate: float, seconds: float) -> None:
        """Begins `rate` checks a second on a schedule, in rounds, as the prober does."""
        start = time.monotonic()
        while (now := time.monotonic()) - start < seconds:
            while (due := start + self._begun / rate) <= now:
                self.lag_s.append(time.monotonic() - due)
                self._begin(self._done)
            await asyncio.sleep(ROUND_S)
        await self._end()

    async def _end(self) -> None:
        self._over = True
        if self._engine.in_flight:
            await self._idle.wait()

    def _begin(self, on_done: OnDone) -> None:
        self._engine.submit(self._checks[self._begun % len(self._checks)], on_done)
        self._begun += 1

    def _done_and_again(self, check: PlannedCheck, outcome: CheckOutcome) -> None:
        self._done(check, outcome)
        if not self._over:
            self._begin(self._done_and_again)

    def _done(self, _: PlannedCheck, outcome: CheckOutcome) -> None:
        if outcome.connect_ms is not None:
            self.connect_ms.append(outcome.connect_ms)
        elif outcome.reason == "timed_out":
            self.timed_out += 1
        else:
            self.failed += 1
        if self._over and not self._engine.in_flight:
            self._idle.set()


def planned(port: int) -> PlannedCheck:
    """A check of that port on loopback."""
    target = Target(
        id=f"bench-{port}",
        name=f"bench {port}",
        kind="tcp",
        host="127.0.0.1",
        port=port,
        regions=("bench",),
        interval_ms=60_000,
        timeout_ms=TIMEOUT_MS,
        version=1,
        source="bench",
    )
    return PlannedCheck(target, 0.0, 0, "schedule")


async def in_flight_bytes(kind: type[WaitingEngine]) -> float:
    """What a check on its way takes of resident memory, from many that nobody answers."""
    count = min(_SILENT, in_flight_limit(_SILENT))
    with ExitStack() as stack:
        check = planned(stack.enter_context(silent_port()))
        engine = kind(Vantage(internal=True))
        stack.callback(engine.close)
        before = resident_bytes()
        for _ in range(count):
            engine.submit(check, lambda _, __: None)
        return (resident_bytes() - before) / count


def resident_bytes() -> int:
    """Resident memory of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def run(kind: type[WaitingEngine], rate: float, seconds: float, ports: list[int]) -> Figures:
    """One run; in a paced one the memory is measured too, before."""
    in_flight_limit(IN_FLIGHT)
    memory = await in_flight_bytes(kind) if rate else None
    engine = kind(Vantage(internal=True))
    load = Load(engine, ports)
    start, cpu = time.monotonic(), time.process_time()
    await (load.pace(rate, seconds) if rate else load.saturate(seconds))
    took, cpu = time.monotonic() - start, time.process_time() - cpu
    engine.close()
    checks = len(load.connect_ms) + load.timed_out + load.failed
    return Figures(
        checks=checks,
        seconds=round(took, 3),
        cpu_us=round(cpu / max(1, checks) * 1e6, 3),
        connect_p50_us=round(share(load.connect_ms, 0.5) * 1000, 1),
        connect_p99_us=round(share(load.connect_ms, 0.99) * 1000, 1),
        lag_p99_ms=round(share(load.lag_s, 0.99) * 1000, 3) if rate else None,
        timed_out=load.timed_out,
        failed=load.failed,
        in_flight_bytes=memory,
    )


if __name__ == "__main__":
    name, rate_text, seconds_text, *port_texts = sys.argv[1:]
    figures = asyncio.run(
        run(ENGINES[name], float(rate_text), float(seconds_text), [int(p) for p in port_texts])
    )
    sys.stdout.buffer.write(msgspec.json.encode(figures) + b"\n")
