"""How long a partition of the stream stands still when workers come, go or are killed.

In every partition another host fails a few times a second, which opens an incident each. The time
from the record that decides an incident (`opened_at`, the broker's clock) to the broker's time of
the event is what the partition needed; the most of it during a change of the group is the
partition's standstill.
"""

import asyncio
import contextlib
import itertools
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

from aiokafka import AIOKafkaConsumer
from msgspec import Struct

from foundation import kafka
from foundation.settings import Settings
from schemas import incident, topics
from schemas.incident import IncidentEvent
from schemas.partition import partition_for
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, eventually

Change = Literal["come", "go", "kill"]

CHECKPOINT_S: Final = 2.0
AGAIN_S: Final = 0.4
"""Between two incidents of a partition: a standstill is known to this."""

_DEADLINE_S: Final = 120.0
_CALM_S: Final = 4.0


class Plan(Struct, frozen=True, kw_only=True):
    """`rounds` of a worker that comes, one that goes and one that is killed, beside `workers`."""

    seed: int
    rounds: int
    workers: int
    partitions: int


class Standstills(Struct, frozen=True, kw_only=True):
    """Seconds by kind of change, one for each partition and change, sorted."""

    plan: Plan
    calm: list[float]
    by_change: dict[Change, list[float]]

    @property
    def report(self) -> str:
        """For people."""
        plan = self.plan
        lines = [f"seed {plan.seed}, {plan.workers} workers, {plan.partitions} partitions"]
        for name, found in {"calm": self.calm, **self.by_change}.items():
            lines.append(
                f"{name}: p50 {share(found, 0.5):.1f} s, p99 {share(found, 0.99):.1f} s, "
                f"max {found[-1]:.1f} s ({len(found)})"
            )
        return "\n".join(lines)


def share(found: list[float], part: float) -> float:
    """The value that `part` of the sorted values do not exceed."""
    return found[min(len(found) - 1, int(part * len(found)))]


class Trouble:
    """Opens incidents in all partitions until it is stopped, and knows how late each was told."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._late: dict[int, list[tuple[int, int]]] = {n: [] for n in range(settings.partitions)}
        self._told: set[str] = set()
        self._names = {
            number: _hosts(number, settings.partitions) for number in range(settings.partitions)
        }

    async def write(self) -> None:
        """Runs until it is cancelled."""
        async with Log(self._settings) as log:
            while True:
                began = time.monotonic()
                names = [next(hosts) for hosts in self._names.values()]
                await log.targets(names)
                await log.outage(names)
                await asyncio.sleep(max(0.0, began + AGAIN_S - time.monotonic()))

    async def read(self) -> None:
        """Runs until it is cancelled."""
        name = self._settings.topic(topics.INCIDENTS.name)
        async with kafka.consumer(self._settings, name) as client:
            await client.seek_to_beginning()
            while True:
                await self._poll(client)

    async def _poll(self, client: AIOKafkaConsumer) -> None:
        for part, records in (await client.getmany(timeout_ms=100)).items():
            for record in records:
                event = incident.decode(record.value)
                # A copy says nothing: the first one was there in time.
                if isinstance(event, IncidentEvent) and event.event_id not in self._told:
                    self._told.add(event.event_id)
                    late_ms = record.timestamp - event.opened_at
                    self._late[part.partition].append((event.opened_at, late_ms))

    def told_since(self, at_ms: int) -> bool:
        """Whether every partition has told of something that was decided after this."""
        return all(late and late[-1][0] > at_ms for late in self._late.values())

    def worst_s(self, since_ms: int, until_ms: int) -> list[float]:
        """For each partition the latest event of what was decided in this time."""
        return [
            max((ms / 1000 for at, ms in late if since_ms <= at < until_ms), default=0.0)
            for late in self._late.values()
        ]


class Crew:
    """The workers, and what is done to them."""

    def __init__(self, settings: Settings, folder: Path, plan: Plan, trouble: Trouble) -> None:
        self._settings = settings
        self._folder = folder
        self._random = random.Random(plan.seed)  # noqa: S311 - to be repeated
        self._trouble = trouble
        self._workers: list[Worker] = []

    async def begin(self, count: int) -> None:
        for _ in range(count):
            await self._come()
        await self._settled(_now_ms())

    async def change(self, kind: Change) -> list[float]:
        """Makes it; returns the standstill of each partition, when all go on."""
        began_ms = _now_ms()
        if kind == "come":
            await self._come()
        else:
            victim = self._workers.pop(self._random.randrange(len(self._workers)))
            victim.send(signal.SIGKILL if kind == "kill" else signal.SIGTERM)
            await victim.ends()
        await self._settled(_now_ms())
        return self._trouble.worst_s(began_ms, _now_ms())

    async def calm(self) -> list[float]:
        """As `change`, of a time without any."""
        began_ms = _now_ms()
        await asyncio.sleep(_CALM_S)
        await self._settled(_now_ms())
        return self._trouble.worst_s(began_ms, _now_ms())

    def end(self) -> None:
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.send(signal.SIGKILL)
            worker.process.wait()

    async def _come(self) -> None:
        worker = Worker(self._settings, self._folder, checkpoint_s=CHECKPOINT_S)
        self._workers.append(worker)
        await worker.says("partition assigned")

    async def _settled(self, since_ms: int) -> None:
        async def look() -> bool:
            dead = [worker for worker in self._workers if worker.process.poll() is not None]
            assert not dead, dead[0].said()
            return self._trouble.told_since(since_ms + 2000)

        await eventually(look, bool, _DEADLINE_S)


async def run(
    plan: Plan, bootstrap: str, folder: Path, tell: Callable[[str], None] = print
) -> Standstills:
    """Carries out a plan on topics of its own."""
    settings = ground.fresh(bootstrap, plan.partitions)
    async with Log(settings):
        pass  # makes the topics
    trouble = Trouble(settings)
    crew = Crew(settings, folder, plan, trouble)
    beside = [asyncio.create_task(work) for work in (trouble.read(), trouble.write())]
    found: dict[Change, list[float]] = {"come": [], "go": [], "kill": []}
    calm: list[float] = []
    try:
        await crew.begin(plan.workers)
        for number in range(plan.rounds):
            calm += await crew.calm()
            order: tuple[Change, ...] = ("come", "go", "come", "kill")
            for kind in order:
                times = sorted(await crew.change(kind))
                found[kind] += times
                tell(f"{number + 1}/{plan.rounds} {kind}: {share(times, 0.5):.1f} {times[-1]:.1f}")
    finally:
        for task in beside:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*beside, return_exceptions=True)
        crew.end()
    return Standstills(
        plan=plan,
        calm=sorted(calm),
        by_change={kind: sorted(times) for kind, times in found.items()},
    )


def _hosts(partition: int, partitions: int) -> Iterator[str]:
    names = (f"h{number}.example.com" for number in itertools.count())
    return (name for name in names if partition_for(name, partitions) == partition)


def _now_ms() -> int:
    return int(time.time() * 1000)
