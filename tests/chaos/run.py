"""A run: the plan is carried out on the whole system, and what it left is judged."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tests.chaos.evidence import gathered, settled
from tests.chaos.faults import Trouble
from tests.chaos.judge import Verdict, judge
from tests.chaos.plan import Plan
from tests.chaos.world import World, a_world
from tests.system.ground import Filter
from tests.system.stack import eventually

_ALONE: Final = ("Kafka", "ClickHouse", "edit")


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a plan, for the test and for the report."""

    plan: Plan
    seconds: float
    faults: dict[str, int]
    outages: int
    results: int
    events: int
    copies: int
    messages: int
    copies_of_messages: int
    letters: int
    replayed: int
    ended: dict[str, int]
    looks: dict[int, int]
    verdict: Verdict

    @property
    def report(self) -> str:
        """For people."""
        judged = self.verdict
        lines = [
            f"seed {self.plan.seed}: {self.seconds:.0f} s, {self.plan.hosts} hosts, 3 regions",
            f"{sum(self.faults.values())} faults: "
            + ", ".join(f"{count} {name}" for name, count in sorted(self.faults.items())),
            f"{self.outages} outages of a host, {judged.unseen} of them hidden by faults",
            f"{judged.incidents} incidents, {self.events} events, {self.copies} copies of events",
            f"{self.results} lines of results, {self.letters} dead letters",
            f"{self.replayed} events replayed with the same bytes",
            f"{self.messages} messages, {self.copies_of_messages} copies by the same id",
            f"the page's answers: {self.looks}",
            f"roles that ended by themselves: {self.ended}",
            "what the faults took is left out, but in the first line:",
            _times("opened, with all that happened meanwhile,", judged.whole_ms),
            _times("opened", judged.detected_ms),
            _times("closed", judged.closed_ms),
            _times("told", judged.told_ms),
            f"differences: {len(judged.wrong)}",
        ]
        return "\n".join([*lines, *judged.wrong[:40]])


def _times(name: str, times_ms: list[float]) -> str:
    if not times_ms:
        return f"{name}: none"
    p50, p99 = (times_ms[int(len(times_ms) * part)] for part in (0.5, 0.99))
    return (
        f"{name} after: p50 {p50 / 1000:.1f} s, "
        f"p99 {p99 / 1000:.1f} s, max {times_ms[-1] / 1000:.1f} s"
    )


class Ground(Struct, frozen=True, kw_only=True):
    """Where a run takes place.

    `data_dir` is a small file system for all roles, `packets` filters those of the namespace, and
    `shim` is the environment of a process with a false clock (of the file `folder/clock`).
    """

    folder: Path
    data_dir: Path
    packets: Filter
    shim: dict[str, str]


async def run(plan: Plan, ground: Ground, tell: Callable[[str], None]) -> Outcome:
    """Carries the plan out, and judges what it has left.

    Raises:
        AssertionError: the system did not come to rest at the end.
    """
    clock = ground.folder / "clock"
    clock.write_text("+0s", encoding="ascii")
    began = time.monotonic()
    async with a_world(ground.folder, plan.hosts, ground.data_dir, clock) as world:
        await world.start(_free_port(), ground.shim | {"FAKETIME_TIMESTAMP_FILE": str(clock)})
        await eventually("all is up", lambda: _all_up(world), 180)
        tell("all is up")
        async with _beside(world.look_after(), world.look_at_the_page()):
            await _carried_out(plan, world, ground.packets, tell)
            tell("carried out")
            await settled(world)
        for name, role in world.stack.roles.items():
            if name.startswith("probe"):
                await asyncio.to_thread(role.stop)
        found = await gathered(world)
        verdict = judge(found)
        return Outcome(
            plan=plan,
            seconds=time.monotonic() - began,
            faults=dict(Counter(fault.kind for fault in plan.faults)),
            outages=len(found.downs),
            results=found.lines,
            events=len(found.events),
            copies=found.copies,
            messages=len(found.messages),
            copies_of_messages=found.copies_of_messages,
            letters=len(found.letters),
            replayed=found.comparison.same,
            ended=dict(world.ended),
            looks=dict(Counter(one.status for one in found.looks)),
            verdict=verdict,
        )


async def _carried_out(
    plan: Plan, world: World, packets: Filter, tell: Callable[[str], None]
) -> None:
    trouble = Trouble(world, packets)
    alone = asyncio.Lock()
    began = time.monotonic()

    async def at(at_s: float, what: object, act: Coroutine[Any, Any, None]) -> None:
        await asyncio.sleep(max(0.0, began + at_s - time.monotonic()))
        tell(str(what))
        if str(what).partition(": ")[2].startswith(_ALONE):
            async with alone:
                await act
        else:
            await act

    async with asyncio.TaskGroup() as group:
        for fault in plan.faults:
            group.create_task(at(fault.at_s, fault, trouble.do(fault)))
        for outage in plan.outages:
            group.create_task(at(outage.at_s, outage, world.down(outage.hosts, outage.lasts_s)))


async def _all_up(world: World) -> bool:
    if (await asyncio.to_thread(world.overview))[0] != 200:
        return False
    results = await world.stack.results()
    ups = {(one.target, one.region) for one in results if one.status == "up"}
    return len(ups) == world.hosts * 3


@asynccontextmanager
async def _beside(*jobs: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()  # what ended it is told
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
