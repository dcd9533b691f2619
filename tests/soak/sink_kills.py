"""A sink, its ClickHouse and its broker under load, each killed at random; and what came of it.

Kills come as from outside: kill -9 at a random moment of reading, inserting or committing, and
sometimes while what was killed before is still on its way back. All three have the same chance.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Self

from clickhouse_connect.driver.exceptions import ClickHouseError
from msgspec import Struct, structs

from foundation.settings import Settings
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.kafka.main import EmbeddedKafka
from tests.integration.sinks.clickhouse import rig
from tests.soak.sink_load import Load, Truth, made_topics, truth

Victim = Literal["sink", "clickhouse", "kafka"]

VICTIMS: Final[tuple[Victim, ...]] = ("sink", "clickhouse", "kafka")
HASTY_SHARE: Final = 0.3
"""So many kills do not wait until rows have come since the one before."""

BLOCK_ROWS: Final = (500, 5_000, 50_000)
"""Each sink draws one: what one promised another finishes, whatever its own blocks are."""

DEADLINE_S: Final = 180.0
"""Within this rows must come again after a kill, and all rows at the end."""


class Plan(Struct, frozen=True, kw_only=True):
    """`kills` in all; at least `rows` lines, `rate` a second while there are kills to come."""

    seed: int
    kills: int
    rows: int
    rate: float
    pause_s: float
    """A kill comes so long at most after rows came again."""
    partitions: int = 4
    lines: int = 100


class Blow(Struct, frozen=True, kw_only=True):
    """One kill; `back_s` is the time until rows came again, None if nobody waited for them."""

    victim: Victim
    hasty: bool
    back_s: float | None


class Stored(Struct, frozen=True, kw_only=True):
    """What ClickHouse has, without FINAL."""

    rows: int
    identities: int
    places: int
    """Different (partition, offset, line)."""
    rolled_up: dict[str, int]
    """By roll-up: results, and for `failures_daily` failures."""
    failures: int
    differing: int
    """Hours of a target and region of which the roll-up says otherwise than the raw table."""
    dead: int

    def agrees(self, lines: int) -> bool:
        """Whether every roll-up has so many results, and the failures of the raw table."""
        return self.rolled_up == dict.fromkeys(rig.ROLL_UPS, lines) | {
            "failures_daily": self.failures
        }


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a plan; `wrong` is empty when nothing was lost or doubled."""

    plan: Plan
    seconds: float
    blows: list[Blow]
    producers: int
    log: Truth
    stored: Stored
    replays: int

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
            f"{found.dead} dead letters for {self.log.bad} bad lines": found.dead == self.log.bad,
        }
        return [f"{words}, {lines} lines" for words, holds in claims.items() if not holds]

    @property
    def report(self) -> str:
        """For people."""
        kinds = Counter(blow.victim for blow in self.blows)
        back = sorted(blow.back_s for blow in self.blows if blow.back_s is not None)
        slowest = f"{back[len(back) // 2]:.1f} s, at most {back[-1]:.1f} s" if back else "–"
        return "\n".join(
            [
                f"seed {self.plan.seed}, {self.seconds:.0f} s",
                ", ".join(f"{name} killed {kinds[name]} times" for name in VICTIMS),
                f"{self.log.lines} lines in {self.log.messages} messages, {self.log.bad} bad ones",
                f"{self.producers} producers lost their broker for good",
                f"{self.replays} pending blocks were finished by a later sink",
                f"rows came again after (half of the kills) {slowest}",
                f"{self.stored.rows} rows, rolled up: {self.stored.rolled_up}",
                f"{self.stored.dead} dead letters",
                *(self.wrong or ["nothing lost, nothing doubled"]),
            ]
        )


class Stage:
    """The three that are killed, each started again on its own address and data."""

    def __init__(self, folder: Path, chance: random.Random, partitions: int) -> None:
        self._folder = folder
        self._random = chance
        self._partitions = partitions
        self._services: dict[str, EmbeddedKafka | EmbeddedClickHouse] = {}
        self._sink: rig.SinkProcess | None = None
        self.log = folder / "sink.log"
        self.settings: Settings

    async def __aenter__(self) -> Self:
        kafka = EmbeddedKafka(self._folder, "127.0.0.1:0")
        clickhouse = EmbeddedClickHouse(self._folder, "127.0.0.1:0")
        self._services = {"kafka": kafka, "clickhouse": clickhouse}
        await asyncio.gather(asyncio.to_thread(kafka.start), asyncio.to_thread(clickhouse.start))
        self.settings = rig.place(
            kafka.bootstrap_servers, clickhouse.url, "kills", partitions=self._partitions
        )
        await made_topics(self.settings)
        self._start_sink()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sink is not None:
            self._sink.kill()
        for service in self._services.values():
            await asyncio.to_thread(service.stop)

    async def kill(self, victim: Victim) -> None:
        """kill -9, and a new start after no time or up to a second."""
        later_s = self._random.choice((0.0, self._random.random()))
        if victim == "sink":
            assert self._sink is not None
            assert self._sink.running, f"the sink ended by itself: {self.log}"
            self._sink.kill()
            await asyncio.sleep(later_s)
            self._start_sink()
            return
        address = self._address(victim)
        await asyncio.to_thread(self._services[victim].kill)
        await asyncio.sleep(later_s)
        kind = EmbeddedKafka if victim == "kafka" else EmbeddedClickHouse
        self._services[victim] = kind(self._folder, address)
        await asyncio.to_thread(self._services[victim].start)

    async def relieve(self) -> None:
        """Another sink in an orderly way, with blocks as shipped: what is left may be much."""
        assert await self.end_sink() == 0
        self._start_sink(Settings().sink_block_rows)

    async def end_sink(self) -> int:
        """SIGTERM; its exit code."""
        assert self._sink is not None
        return await asyncio.to_thread(self._sink.end)

    def replays(self) -> int:
        return sum(line["event"] == "finishing a pending block" for line in rig.log_of(self.log))

    def _address(self, victim: Victim) -> str:
        if victim == "kafka":
            return self.settings.kafka
        return self.settings.clickhouse.rpartition("@")[2].partition("/")[0]

    def _start_sink(self, rows: int | None = None) -> None:
        rows = self._random.choice(BLOCK_ROWS) if rows is None else rows
        self._sink = rig.SinkProcess(structs.replace(self.settings, sink_block_rows=rows), self.log)


async def run(plan: Plan, folder: Path, tell: Callable[[str], None] = print) -> Outcome:
    """Carries out a plan on services of its own."""
    began = time.monotonic()
    chance = random.Random(plan.seed)  # noqa: S311 - to be repeated
    async with Stage(folder, chance, plan.partitions) as stage:
        load = Load(stage.settings, seed=plan.seed + 1, lines=plan.lines, bad=True)
        loading = asyncio.create_task(load.run(plan.rate))
        try:
            blows = await _blows(plan, stage, chance, tell)
            while load.sent < plan.rows and not loading.done():  # noqa: ASYNC110 - no busy wait
                await asyncio.sleep(0.2)
            load.stop()
            await loading
        finally:
            loading.cancel()
        there = await truth(stage.settings)
        tell(f"{there.lines} lines on the log")
        await stage.relieve()
        await _settled(stage, there)
        assert await stage.end_sink() == 0
        return Outcome(
            plan=plan,
            seconds=time.monotonic() - began,
            blows=blows,
            producers=load.failed,
            log=there,
            stored=await asyncio.to_thread(stored, stage.settings),
            replays=stage.replays(),
        )


async def _blows(
    plan: Plan, stage: Stage, chance: random.Random, tell: Callable[[str], None]
) -> list[Blow]:
    blows: list[Blow] = []
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(plan.kills)]
    chance.shuffle(victims)
    rows = await _more_than(stage, 0)
    for number, victim in enumerate(victims, 1):
        await asyncio.sleep(chance.uniform(0, plan.pause_s))
        await stage.kill(victim)
        killed_at = time.monotonic()
        hasty = chance.random() < HASTY_SHARE and number < plan.kills
        back_s = None
        if not hasty:
            rows = await _more_than(stage, rows)
            back_s = time.monotonic() - killed_at
        blows.append(Blow(victim=victim, hasty=hasty, back_s=back_s))
        after = "hasty" if back_s is None else f"rows came again after {back_s:.1f} s"
        tell(f"{number}/{plan.kills}: {victim}, {after}; {rows} rows")
    return blows


async def _more_than(stage: Stage, rows: int) -> int:
    """The number of rows when there are more than `rows`, and more than a moment ago."""
    deadline = time.monotonic() + DEADLINE_S
    first: int | None = None
    while time.monotonic() < deadline:
        counts = await asyncio.to_thread(_counts, stage.settings)
        if counts is not None:
            first = counts[0] if first is None else first
            if counts[0] > max(rows, first):
                return counts[0]
        await asyncio.sleep(0.2)
    raise TimeoutError(f"no new rows within {DEADLINE_S:.0f} s: still {first}, {stage.log}")


async def _settled(stage: Stage, there: Truth) -> None:
    """Waits while rows come; what is missing or too much afterwards is told by `Outcome`."""
    last, changed = None, time.monotonic()
    while time.monotonic() < changed + DEADLINE_S:
        found = await asyncio.to_thread(_counts, stage.settings)
        if found == (there.lines, there.bad):
            return
        if found != last:
            last, changed = found, time.monotonic()
        await asyncio.sleep(0.2)


def _counts(settings: Settings) -> tuple[int, int] | None:
    """Results in all tables, and dead letters; None while ClickHouse can't tell."""
    try:
        client = rig.client_of(settings)
        try:
            return rig.stored(client, settings), rig.count(client, settings, "deadletter")
        finally:
            client.close()
    except (ClickHouseError, OSError):
        return None


def stored(settings: Settings) -> Stored:
    """What ClickHouse has now."""
    client = rig.client_of(settings)
    try:
        counts = [0, 0, 0]
        for share in range(_SHARES):
            (found,) = rig.ask(client, settings, _COUNTS.replace("{share}", str(share)))
            counts = [total + part for total, part in zip(counts, found, strict=True)]
        rolled = {name: all_of[0] for name, all_of in rig.rolled_up(client, settings).items()}
        ((failures, down),) = rig.ask(client, settings, _FAILURES)
        ((differing,),) = rig.ask(client, settings, _DIFFERING)
        dead = rig.count(client, settings, "deadletter")
    finally:
        client.close()
    return Stored(
        rows=counts[0],
        identities=counts[1],
        places=counts[2],
        rolled_up=rolled | {"failures_daily": failures},
        failures=down,
        differing=int(differing),
        dead=dead,
    )


# In shares, so that no set of twenty million entries has to be held.
_SHARES: Final = 8
_COUNTS: Final = """
SELECT count(), uniqExact(target, region, prober, started_at, attempt),
       uniqExact(log_partition, log_offset, log_line)
FROM {db}.results WHERE cityHash64(toString(target)) % 8 = {share}
"""

_FAILURES: Final = """
SELECT (SELECT sum(failures) FROM {internal}.failures_daily), countIf(status = 'down')
FROM {db}.results
"""

_DIFFERING: Final = """
SELECT count() FROM
(
    SELECT target, region, hour, sum(kind) AS kinds FROM
    (
        SELECT toString(target) AS target, toString(region) AS region,
               toStartOfHour(scheduled_at) AS hour, countIf(status != 'missed') AS checks,
               countIf(status = 'up') AS up, countIf(status = 'missed') AS missed, 1 AS kind
        FROM {db}.results GROUP BY target, region, hour
        UNION ALL
        SELECT toString(target), toString(region), hour, sum(checks), sum(up), sum(missed), 2
        FROM {internal}.results_hourly GROUP BY target, region, hour
    )
    GROUP BY target, region, hour, checks, up, missed
    HAVING kinds != 3
)
"""
