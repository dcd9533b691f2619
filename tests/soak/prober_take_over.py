"""Two probers of a region, one of which is killed (-9) again and again: how long nobody checks."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from msgspec import Struct

from foundation import kafka
from foundation.settings import Settings
from producers.schedule.schedule import FIRST_CHECKS_PER_S
from schemas import policy, topics
from tests.soak.prober_ground import Prober, doors, free_ports, probing
from tests.soak.prober_ledger import Share, largest_gap_ms
from tests.soak.prober_schedule import OPEN_PORTS, REGION, Fleet, results
from tests.soak.prober_schedule import Plan as FleetPlan

TAKE_OVER_S: Final = 10.0
"""No target may be unchecked for longer than its interval and this."""

_LOOK_S: Final = 0.2
_DEADLINE_S: Final = 120.0


class Plan(Struct, frozen=True, kw_only=True):
    """`targets` every `interval_ms`, shared by two probers; one of them is killed `kills` times."""

    seed: int
    targets: int
    interval_ms: int
    kills: int
    partitions: int = 16


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a plan.

    `unchecked_ms`: the longest time between two checks of a target, of all targets; `gone`: those
    that were not checked any more after the last kill.
    """

    plan: Plan
    results: int
    shares: list[int]
    unchecked_ms: Share
    gone: list[str]

    @property
    def report(self) -> str:
        """For people."""
        plan, found = self.plan, self.unchecked_ms
        p50, p99, most = (number / 1_000 for number in (found.p50, found.p99, found.most))
        return "\n".join(
            [
                f"seed {plan.seed}",
                f"{plan.targets} targets at {plan.interval_ms / 1000:g} s from two probers",
                f"{plan.kills} kills (-9), of a prober with so many targets: {self.shares}",
                f"{self.results} results, {len(self.gone)} targets were given up",
                "the longest time between two checks of a target:",
                f"  p50 {p50:.1f} s, p99 {p99:.1f} s, at most {most:.1f} s",
            ]
        )


async def run(
    plan: Plan, bootstrap: str, folder: Path, tell: Callable[[str], None] = print
) -> Outcome:
    """Carries out a plan on topics of its own."""
    settings = Settings(
        kafka=bootstrap,
        topic_prefix=f"takeover-{plan.seed}-{time.monotonic_ns()}",
        partitions=plan.partitions,
        data_dir=folder,
    )
    chance = random.Random(plan.seed)  # noqa: S311 - to be repeated
    opened = free_ports(OPEN_PORTS)
    fleet = Fleet(
        settings,
        FleetPlan(
            seed=plan.seed,
            targets=plan.targets,
            interval_ms=plan.interval_ms,
            seconds=0,
            changes=0,
            timeout_ms=450,
            retry_delay_ms=100,
            partitions=plan.partitions,
        ),
        # All are open: a failure would be tried again, and that is no gap of ours.
        {"nothing": opened, "refused": opened, "silent": opened},
    )
    shares = []
    async with AsyncExitStack() as stack:
        stack.enter_context(doors(*opened))
        await kafka.create_topics(settings)
        async with kafka.producer(settings, linger_ms=5) as producer:
            here = policy.Region(name=REGION, internal=True)
            await producer.send_and_wait(
                settings.topic(topics.POLICY.name), policy.encode(here), policy.key("soak", here)
            )
            names = await fleet.add(producer, plan.targets)

        async def begun() -> Prober:
            return await stack.enter_async_context(probing(settings, REGION, folder / "prober.log"))

        pair = [await begun(), await begun()]
        killed_ms = 0
        await _settled(pair, plan)
        for number in range(1, plan.kills + 1):
            await asyncio.sleep(chance.uniform(0, plan.interval_ms / 1000))
            slot = chance.randrange(2)
            shares.append(int(await pair[slot].tells("portquorum_prober_targets")))
            pair[slot].process.send_signal(signal.SIGKILL)
            killed_ms = round(time.time() * 1000)
            await _alone(pair[1 - slot], plan)
            tell(f"{number}/{plan.kills}: {shares[-1]} targets were taken over")
            pair[slot] = await begun()
            await _settled(pair, plan)
        for prober in pair:
            assert await prober.end() == 0
    times: dict[str, list[int]] = {}
    async for said in results(settings):
        if said.status != "missed":
            times.setdefault(said.target, []).append(said.started_at)
    return Outcome(
        plan=plan,
        results=sum(map(len, times.values())),
        shares=shares,
        unchecked_ms=Share.of(largest_gap_ms(times.get(name, ())) for name in names),
        gone=[name for name in names if max(times.get(name, [0])) <= killed_ms],
    )


async def _settled(pair: list[Prober], plan: Plan) -> None:
    """Waits until both have a share, and all first checks and a round of slots are through."""

    async def shared() -> bool:
        counts = [await prober.tells("portquorum_prober_targets") for prober in pair]
        return all(counts) and sum(counts) == plan.targets

    await _until(shared, "both have a share")
    await asyncio.sleep((plan.interval_ms + 1000 * plan.targets / FIRST_CHECKS_PER_S) / 1000)


async def _alone(prober: Prober, plan: Plan) -> None:
    async def has_all() -> bool:
        return await prober.tells("portquorum_prober_targets") == plan.targets

    await _until(has_all, "the other has taken all over")
    # Long enough that each target's next slot is past.
    await asyncio.sleep(plan.interval_ms / 1000)


async def _until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        if await condition():
            return
        assert time.monotonic() < deadline, f"not within {_DEADLINE_S:.0f} s: {what}"
        await asyncio.sleep(_LOOK_S)
