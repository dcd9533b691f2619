"""A prober whose broker goes away under load, and what the whole line makes of it afterwards.

The shipped roles (prober, stream, sink) on a real Kafka and ClickHouse. Targets change while the
broker is away: what the drained spool tells of that is history, only what is checked after it may
move a verdict.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from foundation import kafka
from foundation.settings import Settings
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from producers.schedule.schedule import slots
from streams.replay.compare import compare
from tests.integration.streams import ground
from tests.soak import prober_rows
from tests.soak.prober_ground import Prober, probing
from tests.soak.prober_ledger import Ails, Known
from tests.soak.prober_scene import REGION, ROLES, Broker, Group, Plan, Scene, Spooled, Times
from tests.soak.sink_kills import Stored, stored
from tests.soak.sink_load import Truth, truth


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a plan; `wrong` is empty when nothing was lost, doubled or moved."""

    plan: Plan
    spooled: list[Spooled]
    log: Truth
    stored: Stored
    missed: int
    orders: int
    failed_meanwhile: int
    events: dict[str, int]
    restarts: dict[str, int]
    wrong: list[str]

    @property
    def report(self) -> str:
        """For people."""
        plan = self.plan
        lines = [
            f"seed {plan.seed}",
            f"{plan.targets} targets every {plan.interval_ms / 1000:g} s",
        ]
        for away, spooled in zip(plan.away, self.spooled, strict=True):
            lines += [
                f"broker {away.how} for {away.seconds:.0f} s",
                f"  {spooled.results} results waited, {spooled.file_mb:.1f} MB of them in the file",
                f"  {spooled.drained_s:.1f} s after it was back nothing waited any more",
                f"  the prober had {spooled.memory_mb:.0f} MB at most",
            ]
        return "\n".join(
            [
                *lines,
                f"{self.log.lines} lines in {self.log.messages} messages, {self.stored.rows} rows",
                f"rolled up: {self.stored.rolled_up}",
                f"{self.missed} checks were missed, and say so",
                f"each target's results lie there in {self.orders} orders at most",
                f"{self.failed_meanwhile} targets failed only while the broker was away",
                f"events: {self.events}, roles started again: {self.restarts}",
                *(self.wrong or ["nothing lost, nothing doubled, no verdict moved"]),
            ]
        )


async def run(plan: Plan, folder: Path, tell: Callable[[str], None] = print) -> Outcome:
    """Carries out a plan on services of its own."""
    async with Broker(folder) as broker, EmbeddedClickHouse(folder, "127.0.0.1:0") as house:
        settings = Settings(
            kafka=broker.address,
            clickhouse=f"{house.url.rpartition('/')[0]}/outage",
            topic_prefix="outage",
            partitions=plan.partitions,
            data_dir=folder,
            probe_spool_memory_results=plan.in_memory,
        )
        await kafka.create_topics(settings)
        scene = Scene(plan, settings, folder)
        with ExitStack() as stack:
            await asyncio.to_thread(scene.open_doors, stack)
            for name in ROLES:
                scene.stack.role(name, name)
            try:
                await scene.apply()
                tell(f"{plan.targets} targets are applied")
                async with probing(settings, REGION, folder / "prober.log") as prober:
                    return await _carried_out(plan, scene, broker, prober, tell)
            finally:
                await scene.stack.close()


async def _carried_out(
    plan: Plan, scene: Scene, broker: Broker, prober: Prober, tell: Callable[[str], None]
) -> Outcome:
    failing = len(scene.groups["down"]) + len(scene.groups["rises"])
    await scene.until(f"{failing} incidents", lambda: scene.told(opened=failing))
    tell(f"{failing} incidents are open")
    spooled, times = [], Times(0, 0)
    for number, away in enumerate(plan.away):
        await asyncio.sleep(plan.calm_s)
        began_ms = _now_ms()
        spooled.append(await scene.absence(number, away, broker, prober))
        drained_s = spooled[-1].drained_s
        if number == 0:
            times = Times(began_ms, began_ms + round(away.seconds * 1000))
        tell(f"broker {away.how}: {spooled[-1].results} waited, drained after {drained_s:.1f} s")
        opened, closed = failing + len(scene.groups["falls"]), len(scene.groups["rises"])
        await scene.until("what turned", lambda o=opened, c=closed: scene.told(opened=o, closed=c))  # type: ignore[misc]
    await asyncio.sleep(plan.calm_s)
    region_events = await scene.region_events()
    assert await prober.end() == 0, f"the prober did not end in order: {prober.log}"
    return await _outcome(plan, scene, spooled, times, region_events)


async def _outcome(
    plan: Plan, scene: Scene, spooled: list[Spooled], times: Times, region_events: list[str]
) -> Outcome:
    settings = scene.settings
    there = await truth(settings)
    rows = f"{there.lines} rows"

    async def has_all() -> bool:
        return (await asyncio.to_thread(stored, settings)).agrees(there.lines)

    problems = []
    try:
        await scene.until(rows, has_all)
    except AssertionError:
        problems.append(f"ClickHouse has not {rows}")
    await _acknowledged(scene)
    kept = await asyncio.to_thread(stored, settings)
    checks = await asyncio.to_thread(prober_rows.checks, settings)
    blips = set(scene.groups["blip"])
    ledger, orders, failed = await asyncio.to_thread(prober_rows.read, settings, blips)
    events = await scene.events()
    comparison = await compare(settings, start="beginning")
    wrong = [
        *problems,
        *_claims(there, kept, checks),
        *ledger.wrong(_known(plan, scene)),
        *scene.false_events(events, times),
    ]
    if failed != blips:
        wrong.append(f"{len(blips - failed)} of {len(blips)} never failed: nothing is shown")
    if any(one.file_mb == 0 for one in spooled):
        wrong.append("nothing went to the spool's file: nothing is shown")
    if not comparison.agrees:
        wrong.append(f"a replay gives other events: {comparison.differences[:3]}")
    return Outcome(
        plan=plan,
        spooled=spooled,
        log=there,
        stored=kept,
        missed=ledger.missed,
        orders=orders,
        failed_meanwhile=len(failed),
        events=dict(Counter([event.event for event in events] + region_events)),
        restarts=dict(scene.restarts),
        wrong=wrong,
    )


async def _acknowledged(scene: Scene) -> None:
    async def done() -> bool:
        return await ground.acknowledged(scene.settings) == await ground.log_ends(scene.settings)

    await scene.until("the stream has acknowledged all", done)


def _claims(there: Truth, kept: Stored, checks: int) -> list[str]:
    lines = there.lines
    claims = {
        f"{kept.rows} rows": kept.rows == lines,
        f"{checks} different checks": checks == lines,
        f"{kept.places} places in the log": kept.places == lines,
        f"rolled up: {kept.rolled_up}": kept.agrees(lines),
        f"{kept.differing} hours rolled up otherwise": kept.differing == 0,
        f"{kept.dead} dead letters": kept.dead == 0,
    }
    return [f"{words}, {lines} lines" for words, holds in claims.items() if not holds]


def _known(plan: Plan, scene: Scene) -> dict[str, Known]:
    ails: dict[Group, Ails] = {
        "up": "nothing",
        "down": "refused",
        "blip": "sometimes",
        "falls": "sometimes",
        "rises": "sometimes",
    }
    return {
        name: Known(
            slots=slots(name, (REGION,), REGION, plan.interval_ms),
            ails=ails[group],
        )
        for group, names in scene.groups.items()
        for name in names
    }


def _now_ms() -> int:
    return round(time.time() * 1000)
