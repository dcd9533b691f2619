"""A sink that was away for long catches up while new results come in."""

import asyncio
import time
from collections import deque
from pathlib import Path
from typing import Final

import psutil
from msgspec import Struct

from foundation.settings import Settings
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.kafka.main import EmbeddedKafka
from sinks.clickhouse.migrate import migrate
from tests.integration.sinks.clickhouse import rig
from tests.soak.sink_kills import Stored, stored
from tests.soak.sink_load import Load, Truth, made_topics, truth

BEHIND_S: Final = 5.0
"""It has caught up when it has all that was sent so long ago."""

BACKLOG_RATE: Final = 1_000_000.0


class Plan(Struct, frozen=True, kw_only=True):
    """`lag_s` seconds of `rate` lines a second lie there; as many more come meanwhile."""

    seed: int
    lag_s: float
    rate: float
    deadline_s: float
    partitions: int = 4
    lines: int = 100

    @property
    def backlog(self) -> int:
        """Lines."""
        return int(self.lag_s * self.rate)


class Outcome(Struct, frozen=True, kw_only=True):
    """`caught_up_s` and `rows_a_s` are from the first row to the moment when no lag was left."""

    plan: Plan
    caught_up_s: float
    rows_a_s: float
    came_meanwhile: int
    memory_mb: float
    cpu_s: float
    log: Truth
    stored: Stored

    @property
    def wrong(self) -> list[str]:
        """What differs from the log, in words."""
        lines, found = self.log.lines, self.stored
        claims = {
            f"{found.rows} rows": found.rows == lines,
            f"{found.identities} identities": found.identities == lines,
            f"rolled up: {found.rolled_up}": found.agrees(lines),
            f"{found.differing} hours rolled up otherwise": found.differing == 0,
        }
        return [f"{words}, {lines} lines" for words, holds in claims.items() if not holds]

    @property
    def report(self) -> str:
        """For people."""
        return "\n".join(
            [
                f"seed {self.plan.seed}",
                f"a lag of {self.plan.lag_s:.0f} s at {self.plan.rate:.0f} lines/s",
                f"caught up after {self.caught_up_s:.1f} s, {self.rows_a_s:.0f} rows/s",
                f"{self.came_meanwhile} lines came meanwhile",
                f"the sink: {self.memory_mb:.0f} MB at most, {self.cpu_s:.1f} s of CPU",
                f"{self.log.lines} lines on the log, {self.stored.rows} rows",
                *(self.wrong or ["nothing lost, nothing doubled"]),
            ]
        )


async def run(plan: Plan, folder: Path) -> Outcome:
    """Carries out a plan on services of its own."""
    async with (
        EmbeddedKafka(folder, "127.0.0.1:0") as kafka,
        EmbeddedClickHouse(folder, "127.0.0.1:0") as clickhouse,
    ):
        settings = rig.place(
            kafka.bootstrap_servers,
            clickhouse.url,
            "lag",
            partitions=plan.partitions,
            sink_block_rows=Settings().sink_block_rows,
            sink_block_wait_s=Settings().sink_block_wait_s,
        )
        await made_topics(settings)
        await asyncio.to_thread(migrate, settings)
        load = Load(settings, seed=plan.seed, lines=plan.lines)
        await load.run(BACKLOG_RATE, most=plan.backlog)
        before = load.sent
        loading = asyncio.create_task(load.run(plan.rate))
        try:
            with rig.SinkProcess(settings, folder / "sink.log") as sink:
                seconds, rows, memory, cpu_s = await _caught_up(settings, plan, load, sink)
                meanwhile = load.sent - before
                load.stop()
                await loading
                there = await truth(settings)
                await rig.until(lambda: _rows(settings) >= there.lines, plan.deadline_s)
                assert await asyncio.to_thread(sink.end) == 0
        finally:
            loading.cancel()
        return Outcome(
            plan=plan,
            caught_up_s=seconds,
            rows_a_s=rows / seconds,
            came_meanwhile=meanwhile,
            memory_mb=memory,
            cpu_s=cpu_s,
            log=there,
            stored=await asyncio.to_thread(stored, settings),
        )


async def _caught_up(
    settings: Settings, plan: Plan, load: Load, sink: rig.SinkProcess
) -> tuple[float, int, float, float]:
    """Seconds and rows since the first ones, the sink's largest memory in MB, its CPU seconds."""
    process = psutil.Process(sink.pid)
    deadline = time.monotonic() + plan.deadline_s
    sent: deque[tuple[float, int]] = deque()
    first: tuple[float, int] | None = None
    memory, rows = 0, 0
    while (now := time.monotonic()) < deadline:
        rows = await asyncio.to_thread(_rows, settings)
        memory = max(memory, process.memory_info().rss)
        if rows and first is None:
            first = now, rows
        sent.append((now, load.sent))
        while len(sent) > 1 and sent[1][0] <= now - BEHIND_S:
            sent.popleft()
        if first and now > first[0] and sent[0][0] <= now - BEHIND_S and rows >= sent[0][1]:
            used = sum(process.cpu_times()[:2])
            return now - first[0], rows - first[1], memory / 1e6, used
        await asyncio.sleep(0.2)
    raise TimeoutError(f"{rows} of {load.sent} rows after {plan.deadline_s:.0f} s")


def _rows(settings: Settings) -> int:
    client = rig.client_of(settings)
    try:
        return rig.stored(client, settings)
    finally:
        client.close()
