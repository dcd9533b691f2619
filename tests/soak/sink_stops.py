"""Two sinks under load, stopped (SIGSTOP) for a minute and woken, one or both; what came of it."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from foundation.settings import Settings
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.kafka.main import EmbeddedKafka
from sinks.clickhouse.migrate import migrate
from tests.integration.sinks.clickhouse import rig
from tests.soak.sink_kills import Stored, stored
from tests.soak.sink_load import Load, Truth, made_topics, truth

BOTH_SHARE: Final = 0.25
"""So many stops are of both sinks, so that nobody takes over."""

BLOCK_ROWS: Final = (500, 5_000)
"""A sink each: what one promised the other finishes, whatever its own blocks are."""

DEADLINE_S: Final = 180.0


class Plan(Struct, frozen=True, kw_only=True):
    """`stops` of `stop_s` each, while `rate` lines a second come."""

    seed: int
    stops: int
    stop_s: float
    rate: float
    partitions: int = 4
    lines: int = 100


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a plan; `wrong` is empty when nothing was lost or doubled."""

    plan: Plan
    seconds: float
    both: int
    """Stops of both sinks."""
    events: dict[str, int]
    """What the sinks' logs say how often."""
    log: Truth
    stored: Stored

    @property
    def wrong(self) -> list[str]:
        """In words."""
        lines, found = self.log.lines, self.stored
        claims = {
            f"{found.rows} rows": found.rows == lines,
            f"{found.identities} identities": found.identities == lines,
            f"{found.places} places in the log": found.places == lines,
            f"rolled up: {found.rolled_up}": found.agrees(lines),
            f"{found.differing} hours rolled up otherwise": found.differing == 0,
        }
        return [f"{words}, {lines} lines" for words, holds in claims.items() if not holds]

    @property
    def report(self) -> str:
        """For people."""
        plan = self.plan
        return "\n".join(
            [
                f"seed {plan.seed}, {self.seconds:.0f} s",
                f"{plan.stops} stops of {plan.stop_s:.0f} s, {self.both} of them of both sinks",
                *(f"{event}: {times}" for event, times in sorted(self.events.items())),
                f"{self.log.lines} lines in {self.log.messages} messages",
                f"{self.stored.rows} rows, rolled up: {self.stored.rolled_up}",
                *(self.wrong or ["nothing lost, nothing doubled"]),
            ]
        )


async def run(plan: Plan, folder: Path, tell: Callable[[str], None] = print) -> Outcome:
    """Carries out a plan on services of its own."""
    began = time.monotonic()
    chance = random.Random(plan.seed)  # noqa: S311 - to be repeated
    async with (
        EmbeddedKafka(folder, "127.0.0.1:0") as kafka,
        EmbeddedClickHouse(folder, "127.0.0.1:0") as clickhouse,
    ):
        there = rig.place(
            kafka.bootstrap_servers, clickhouse.url, "stops", partitions=plan.partitions
        )
        await made_topics(there)
        await asyncio.to_thread(migrate, there)
        load = Load(there, seed=plan.seed + 1, lines=plan.lines)
        loading = asyncio.create_task(load.run(plan.rate))
        logs = [folder / f"sink-{number}.log" for number in range(len(BLOCK_ROWS))]
        sinks = [
            rig.SinkProcess(structs.replace(there, sink_block_rows=rows), log)
            for rows, log in zip(BLOCK_ROWS, logs, strict=True)
        ]
        try:
            both = await _stops(plan, there, sinks, chance, tell)
            load.stop()
            await loading
            on_log = await truth(there)
            await _settled(there, on_log.lines)
            for sink in sinks:
                assert await asyncio.to_thread(sink.end) == 0
        finally:
            loading.cancel()
            for sink in sinks:
                sink.kill()
        return Outcome(
            plan=plan,
            seconds=time.monotonic() - began,
            both=both,
            events=_events(logs),
            log=on_log,
            stored=await asyncio.to_thread(stored, there),
        )


async def _stops(
    plan: Plan,
    settings: Settings,
    sinks: list[rig.SinkProcess],
    chance: random.Random,
    tell: Callable[[str], None],
) -> int:
    """Stops and wakes; returns how often both were stopped."""
    rows = await _more_than(settings, 0)
    both = 0
    for number in range(1, plan.stops + 1):
        await asyncio.sleep(chance.uniform(0, 3))
        victims = sinks if chance.random() < BOTH_SHARE else [chance.choice(sinks)]
        both += len(victims) > 1
        for victim in victims:
            victim.signal(signal.SIGSTOP)
        await asyncio.sleep(plan.stop_s)
        for victim in victims:
            victim.signal(signal.SIGCONT)
        rows = await _more_than(settings, rows)
        tell(f"{number}/{plan.stops}: {len(victims)} stopped and woken; {rows} rows")
    return both


async def _more_than(settings: Settings, rows: int) -> int:
    """The number of rows when there are more than `rows`, and more than a moment ago."""
    first: int | None = None

    async def more() -> int:
        nonlocal first
        found = await asyncio.to_thread(_rows, settings)
        first = found if first is None else first
        return found if found > max(rows, first) else 0

    return int(await rig.until(more, DEADLINE_S))


async def _settled(settings: Settings, lines: int) -> None:
    """Waits while rows come; what is missing or too much afterwards is told by `Outcome`."""
    last, changed = -1, time.monotonic()
    while last != lines and time.monotonic() < changed + DEADLINE_S:
        found = await asyncio.to_thread(_rows, settings)
        if found != last:
            last, changed = found, time.monotonic()
        await asyncio.sleep(0.2)


def _rows(settings: Settings) -> int:
    client = rig.client_of(settings)
    try:
        return rig.stored(client, settings)
    finally:
        client.close()


_TOLD: Final = (
    "finishing a pending block",
    "reading the offsets again",
    "partitions assigned",
    "the sink ended and begins again: nothing is lost",
)


def _events(logs: list[Path]) -> dict[str, int]:
    said = Counter(line["event"] for log in logs for line in rig.log_of(log))
    return {event: said[event] for event in _TOLD}
