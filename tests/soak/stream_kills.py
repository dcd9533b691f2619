"""Two stream workers under load that are killed and stopped, and what came of it.

Kills come as from outside: kill -9 at a random moment, sometimes while the group is still moving
partitions; the victim is started again at once or only after the other has taken over. A worker
that is stopped (SIGSTOP) wakes as a zombie, when its partitions have moved long ago.
"""

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from msgspec import Struct

from foundation import kafka
from foundation.settings import Settings
from schemas import incident, topics
from schemas.incident import IncidentEvent
from streams.replay.compare import ReplayComparison, compare
from streams.worker.exit import EXIT_CODE
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, eventually
from tests.soak.stream_load import Load, differences

CHECKPOINT_S: Final = 2.0
DEADLINE_S: Final = 90.0
HASTY_SHARE: Final = 0.25
"""So many kills do not wait until the partitions have settled."""

_POLL_MS: Final = 100
_CRITICAL: Final = '"level": "critical"'


class Plan(Struct, frozen=True, kw_only=True):
    """What is done to the workers: `kills`, and a stop of `stop_s` after each of `stops_after`."""

    seed: int
    kills: int
    stop_s: float
    stops_after: tuple[int, ...]
    hosts: int
    troubles_a_round: float
    partitions: int = 4


class Blow(Struct, frozen=True, kw_only=True):
    """One kill or stop.

    `taken_over_s` is, for each partition of the victim, the time until another worker put out
    something for it; `paused_s` the same for those that were never the victim's. No output says
    nothing: what was written while a partition stood still waits for the first record after it.
    """

    kind: str
    hasty: bool
    restarted: str
    taken_over_s: dict[int, float]
    paused_s: dict[int, float]


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a plan.

    `wrong` is what differs from the truth, in words; `ended` is what workers said last that ended
    by themselves.
    """

    plan: Plan
    seconds: float
    results: int
    outages: int
    events: int
    copies: int
    ended: list[str]
    blows: list[Blow]
    wrong: list[str]
    comparison: ReplayComparison

    @property
    def take_overs(self) -> list[float]:
        """Of all partitions of all victims, in seconds, sorted."""
        return sorted(time_s for blow in self.blows for time_s in blow.taken_over_s.values())

    @property
    def report(self) -> str:
        """For people."""
        times = self.take_overs
        kinds = Counter(blow.kind for blow in self.blows)
        agreed = self.comparison
        lines = [
            f"seed {self.plan.seed}, two workers, {self.seconds:.0f} s",
            f"{kinds['kill']} kills, {kinds['stop']} stops of {self.plan.stop_s:.0f} s",
            f"{self.results} results ({self.results / self.seconds:.0f}/s)",
            f"{self.outages} outages, {len(self.wrong)} differences from them",
            f"{self.events} different events of incidents, {self.copies} copies",
            f"replayed: {agreed.same} the same bytes, {len(agreed.missing)} missing,",
            f"  {len(agreed.different)} different, {len(agreed.unexpected)} unexpected",
            f"{len(self.ended)} workers ended by themselves, and were started again",
        ]
        if times:
            lines.append(
                f"take-over of a victim's partition: p50 {times[len(times) // 2]:.1f} s, "
                f"max {times[-1]:.1f} s, {len(times)} partitions"
            )
        return "\n".join([*lines, *self.ended, *self.wrong[:20]])


class Outputs:
    """Reads what the workers put out, as it comes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._last: dict[int, list[int]] = {n: [] for n in range(settings.partitions)}
        self._values: dict[str, set[bytes]] = {}
        self.events: dict[str, IncidentEvent] = {}
        self.copies = 0

    async def read(self) -> None:
        """Reads until it is cancelled."""
        names = [self._settings.topic(t.name) for t in (topics.INCIDENTS, topics.RECHECKS)]
        async with kafka.consumer(self._settings, *names) as client:
            await client.seek_to_beginning()
            while True:
                await self._poll(client)

    async def _poll(self, client: AIOKafkaConsumer) -> None:
        for part, records in (await client.getmany(timeout_ms=_POLL_MS)).items():
            self._last[part.partition] += [record.timestamp for record in records]
            if part.topic == self._settings.topic(topics.INCIDENTS.name):
                for record in records:
                    self._take(record)

    def _take(self, record: ConsumerRecord) -> None:
        event = incident.decode(record.value)
        known = self._values.setdefault(event.event_id, set())
        self.copies += bool(known)
        known.add(record.value)
        if isinstance(event, IncidentEvent):
            self.events[event.event_id] = event

    def since(self, at_ms: int) -> dict[int, float]:
        """Seconds from `at_ms` to the first output after it, by partition."""
        return {
            number: (min(later) - at_ms) / 1000
            for number, times in self._last.items()
            if (later := [time_ms for time_ms in times if time_ms > at_ms])
        }

    def count(self, kind: str) -> int:
        return sum(event.event == kind for event in self.events.values())


class Pair:
    """Two workers of one group, each started again when it has ended."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self.workers = [self._start(), self._start()]
        self.ended: list[str] = []

    def _start(self) -> Worker:
        return Worker(self._settings, self._folder, checkpoint_s=CHECKPOINT_S)

    def restart(self, slot: int) -> None:
        self.workers[slot] = self._start()

    def look_after(self) -> None:
        """Starts again what ended by itself, as a supervisor does."""
        for slot, worker in enumerate(self.workers):
            code = worker.process.poll()
            if code is not None and code >= 0:
                assert code == EXIT_CODE, f"a worker ended with {code}:\n{worker.said()}"
                self.ended += [line for line in worker.said().splitlines() if _CRITICAL in line]
                self.restart(slot)

    def owned(self) -> list[set[int]]:
        """The partitions of each worker, by what they said last."""
        latest: dict[int, tuple[str, int]] = {}
        for slot, worker in enumerate(self.workers):
            for said in worker.assigned():
                known = latest.get(said.partition, ("", 0))
                latest[said.partition] = max(known, (said.timestamp, slot))
        return [
            {number for number, (_, slot) in latest.items() if slot == wanted}
            for wanted in range(len(self.workers))
        ]

    def settled(self) -> bool:
        """Whether both have partitions, and each partition has an owner."""
        owned = self.owned()
        return all(owned) and len(owned[0] | owned[1]) == self._settings.partitions

    def end(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.send(signal.SIGKILL)
            worker.process.wait()


class Scene:
    """The parts of one run, and the blows that are dealt."""

    def __init__(self, plan: Plan, pair: Pair, outputs: Outputs) -> None:
        self._plan = plan
        self._pair = pair
        self._outputs = outputs
        self._random = random.Random(plan.seed + 1)  # noqa: S311 - to be repeated

    async def blows(self, tell: Callable[[str], None]) -> list[Blow]:
        """Deals them all, one after the other."""
        dealt = []
        for number in range(1, self._plan.kills + 1):
            dealt.append(await self._kill())
            tell(_line(f"{number}/{self._plan.kills}", dealt[-1]))
            if number in self._plan.stops_after:
                dealt.append(await self._stop())
                tell(_line("zombie", dealt[-1]))
        return dealt

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            self._pair.look_after()
            assert time.monotonic() < deadline, f"not within {DEADLINE_S:.0f} s: {what}"
            await asyncio.sleep(0.1)

    async def _ready(self, *, hasty: bool) -> None:
        if not hasty:
            await self._until(self._pair.settled, "both workers have partitions")
        # A moment of its own: anywhere between two checkpoints.
        drawn = time.monotonic() + self._random.uniform(0, 2 * CHECKPOINT_S)
        await self._until(lambda: time.monotonic() >= drawn, "a moment")

    async def _kill(self) -> Blow:
        hasty = self._random.random() < HASTY_SHARE
        slot = self._random.randrange(2)
        at_once = self._random.random() < 0.5
        await self._ready(hasty=hasty)
        owned = self._pair.owned()[slot]
        victim = self._pair.workers[slot]
        killed_at = _now_ms()
        victim.send(signal.SIGKILL)
        await victim.ends()
        if at_once:
            self._pair.restart(slot)
        times = await self._moved_on(killed_at, "after a kill")
        if not at_once:
            self._pair.restart(slot)
        return _blow("kill", times, owned, hasty=hasty, restarted="at once" if at_once else "later")

    async def _stop(self) -> Blow:
        await self._ready(hasty=False)
        slot = self._random.randrange(2)
        owned = self._pair.owned()[slot]
        sleeper = self._pair.workers[slot]
        stopped_at = _now_ms()
        sleeper.send(signal.SIGSTOP)
        times = await self._moved_on(stopped_at, "after a stop")
        await self._until(
            lambda: _now_ms() - stopped_at >= self._plan.stop_s * 1000, "the stop is over"
        )
        sleeper.send(signal.SIGCONT)
        return _blow("stop", times, owned, hasty=False, restarted="woken")

    async def _moved_on(self, since_ms: int, what: str) -> dict[int, float]:
        await self._until(
            lambda: len(self._outputs.since(since_ms)) == self._plan.partitions,
            f"every partition puts something out {what}",
        )
        return self._outputs.since(since_ms)


def _now_ms() -> int:
    return int(time.time() * 1000)


def _blow(
    kind: str, times: dict[int, float], owned: set[int], *, hasty: bool, restarted: str
) -> Blow:
    return Blow(
        kind=kind,
        hasty=hasty,
        restarted=restarted,
        taken_over_s={number: time_s for number, time_s in times.items() if number in owned},
        paused_s={number: time_s for number, time_s in times.items() if number not in owned},
    )


def _line(label: str, blow: Blow) -> str:
    slowest = max(blow.taken_over_s.values(), default=0.0)
    return (
        f"{label}: {blow.kind}{', hasty' if blow.hasty else ''}, {blow.restarted}; "
        f"{len(blow.taken_over_s)} partitions taken over after {slowest:.1f} s at most"
    )


@contextlib.asynccontextmanager
async def _beside(work: object) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def run(
    plan: Plan, bootstrap: str, folder: Path, tell: Callable[[str], None] = print
) -> Outcome:
    """Carries out a plan on topics of its own."""
    began = time.monotonic()
    settings = ground.fresh(bootstrap, plan.partitions)
    async with Log(settings):
        pass  # makes the topics
    load = Load(settings, seed=plan.seed, hosts=plan.hosts, troubles_a_round=plan.troubles_a_round)
    outputs = Outputs(settings)
    pair = Pair(settings, folder)
    writing = asyncio.create_task(load.run())
    try:
        async with _beside(outputs.read()):
            blows = await Scene(plan, pair, outputs).blows(tell)
            load.stop()
            await writing
            await _settle(settings, pair, load, outputs)
            seconds = time.monotonic() - began
            for worker in pair.workers:
                worker.send(signal.SIGTERM)
                assert await worker.ends(30) == 0, worker.said()
    finally:
        writing.cancel()
        pair.end()
    return Outcome(
        plan=plan,
        seconds=seconds,
        results=load.results,
        outages=len(load.outages),
        events=len(outputs.events),
        copies=outputs.copies,
        ended=pair.ended,
        blows=blows,
        wrong=differences(load.outages, list(outputs.events.values())),
        comparison=await compare(settings, start="beginning"),
    )


async def _settle(settings: Settings, pair: Pair, load: Load, outputs: Outputs) -> None:
    """Waits until everything that was written is acknowledged, and its events are read."""

    async def look() -> tuple[dict[int, int], dict[int, int]]:
        pair.look_after()
        return await ground.acknowledged(settings), await ground.log_ends(settings)

    await eventually(look, lambda found: found[0] == found[1], DEADLINE_S)
    # Should one be missing for good, the comparison with the truth says which.
    deadline = time.monotonic() + 10
    while outputs.count("closed") < len(load.outages) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
