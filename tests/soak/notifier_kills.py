"""Three notifiers, the active one of which is killed or stopped again and again.

Incidents open, get better, worse and end all the while, routes and teams are edited, and receivers
misbehave. A stopped notifier wakes when another has taken over and its lease is long over. The
receivers are real servers; what they know at the end is judged against what happened.
"""

import asyncio
import contextlib
import hashlib
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from msgspec import Struct

from foundation import kafka
from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import incident, notification, policy, topics
from schemas.incident import IncidentEvent
from schemas.notification import Notification
from schemas.partition import partition_for
from tests.soak.notifier_crew import Crew, Member
from tests.soak.notifier_judge import Evidence, Judgement, Kill, LogRow, SentRow, judge
from tests.soak.notifier_receivers import Receivers
from tests.soak.notifier_story import Inventory, Story

HASTY_SHARE: Final = 0.2
"""So many kills come as soon as the next one is active, before it has done anything."""

BUSY_SHARE: Final = 0.4
"""So many kills come while every receiver's answer is late."""

STOP_SHARE: Final = 0.35
PROBE_WITHIN_S: Final = 60.0
QUIET_S: Final = 20.0
"""No request for so long: nothing more is to be expected."""

LAST_BACKOFF_S: Final = 75.0
"""Longest wait of a channel that failed, with its jitter."""

_LOOK_S: Final = 0.02


class Plan(Struct, frozen=True, kw_only=True):
    """What is done. `pace_s` is the mean time between two events."""

    seed: int
    kills: int
    targets: int = 40
    pace_s: float = 0.7
    edit_s: float = 12.0
    fault_s: float = 4.0
    partitions: int = 4


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a plan."""

    plan: Plan
    seconds: float
    kills: list[Kill]
    ended: list[str]
    critical: list[str]
    exit_codes: list[int]
    faults: dict[str, int]
    judgement: Judgement

    @property
    def failovers(self) -> list[float]:
        """Of all kills that no other kill interrupted, in s, sorted."""
        return sorted(kill.failover_s for kill in self.kills if kill.failover_s is not None)

    @property
    def report(self) -> str:
        """For people."""
        kinds, times = Counter(kill.kind for kill in self.kills), self.failovers
        judged = self.judgement
        lines = [
            f"seed {self.plan.seed}, three notifiers, {self.seconds:.0f} s",
            f"{kinds['kill']} times kill -9, {kinds['stop']} times SIGSTOP and SIGCONT",
            *(f"{name}: {count}" for name, count in judged.counts.items()),
            f"faults: {dict(sorted(self.faults.items()))}",
            f"wrong: {len(judged.wrong)}",
        ]
        if times:
            lines.append(
                f"failover (kill to the first message of an incident after it): "
                f"p50 {times[len(times) // 2]:.1f} s, max {times[-1]:.1f} s, {len(times)} measured"
            )
        lines += [f"WRONG {text}" for text in judged.wrong]
        lines += [f"perhaps: {text}" for text in judged.perhaps]
        lines += [
            f"double: {one.what} at {_host(one.channel)}, {one.because}, "
            f"{one.again_s - one.first_s:.1f} s apart"
            for one in judged.doubles
        ]
        return "\n".join([*lines, *self.ended, *self.critical])


class World:
    """Publishes what happens, until `over`; a message on its way is waited for.

    A send that is cancelled may yet be written, and then nobody knows of it.
    """

    def __init__(self, plan: Plan, settings: Settings, receivers: Receivers) -> None:
        self.plan, self.settings, self.receivers = plan, settings, receivers
        self.story = Story(plan.seed, plan.targets)
        self.inventory = Inventory(
            plan.seed, receivers.people_urls, receivers.on_call_urls, receivers.probe_url
        )
        self.faults: Counter[str] = Counter()
        self._producer: AIOKafkaProducer = kafka.producer(settings)
        self._probe: IncidentEvent | None = None

    async def start(self) -> None:
        await self._producer.start()
        for entry in self.inventory.entries():
            await self._policy(entry)
        self.inventory.published(_now_ms())

    async def close(self) -> None:
        await self._producer.stop()

    async def events(self, over: asyncio.Event) -> None:
        draw = random.Random(f"pace {self.plan.seed}")  # noqa: S311
        while not over.is_set():
            await self._publish(self.story.draw())
            await _pause(draw.expovariate(1 / self.plan.pace_s), over)

    async def edits(self, over: asyncio.Event) -> None:
        draw = random.Random(f"edits {self.plan.seed}")  # noqa: S311
        while not await _pause(draw.expovariate(1 / self.plan.edit_s), over):
            await self._policy(self.inventory.edit())
            self.inventory.published(_now_ms())

    async def misbehaviour(self, over: asyncio.Event) -> None:
        draw = random.Random(f"faults {self.plan.seed}")  # noqa: S311
        while not await _pause(draw.expovariate(1 / self.plan.fault_s), over):
            self.faults[self.receivers.misbehave(draw).partition(" ")[0]] += 1

    async def probe(self) -> str:
        """Publishes an incident of which nothing keeps people from hearing; its name."""
        if self._probe is not None:
            await self._publish(self._probe)
        opened, self._probe = self.story.probe()
        await self._publish(opened)
        return opened.name

    async def _publish(self, event: IncidentEvent) -> None:
        assert event.host
        await self._producer.send_and_wait(
            self.settings.topic(topics.INCIDENTS.name),
            incident.encode(event),
            key=event.host.encode(),
            partition=partition_for(event.host, self.settings.partitions),
            headers=incident.headers(event),
        )
        self.story.published(event, _now_ms())

    async def _policy(self, entry: policy.Policy) -> None:
        await self._producer.send_and_wait(
            self.settings.topic(topics.POLICY.name),
            policy.encode(entry),
            key=policy.key("soak", entry),
        )


class _Killer:
    """Kills and stops the active notifier."""

    def __init__(self, world: World, crew: Crew) -> None:
        self._world, self._crew = world, crew
        self._draw = random.Random(f"kills {world.plan.seed}")  # noqa: S311
        self.kills: list[Kill] = []

    async def run(self) -> None:
        hasty = False
        for number in range(1, self._world.plan.kills + 1):
            victim = await self._crew.active()
            if not hasty:
                await asyncio.sleep(self._draw.uniform(0.5, 5))
            victim = await self._crew.active()
            hasty = self._draw.random() < HASTY_SHARE and number < self._world.plan.kills
            if self._draw.random() < BUSY_SHARE:
                await self._busy()
            if self._draw.random() < STOP_SHARE:
                await self._stop(number, victim, hasty)
            else:
                await self._kill(number, victim, hasty)

    async def _busy(self) -> None:
        """Waits for a send that is on its way and is answered late."""
        receivers = self._world.receivers
        receivers.slow_down(3.0)
        before, deadline = receivers.arrivals, time.monotonic() + 5
        while receivers.arrivals == before and time.monotonic() < deadline:  # noqa: ASYNC110 - threads
            await asyncio.sleep(_LOOK_S)

    async def _kill(self, number: int, victim: Member, hasty: bool) -> None:
        victim.send(signal.SIGKILL)
        kill = self._note(number, "kill")
        probe = await self._world.probe()
        self._crew.drop(victim)
        if self._draw.random() < 0.5:
            self._crew.fill()
        await self._taken_over(kill, probe, None, hasty)
        self._crew.fill()

    async def _stop(self, number: int, victim: Member, hasty: bool) -> None:
        victim.send(signal.SIGSTOP)
        kill = self._note(number, "stop")
        try:
            probe = await self._world.probe()
            await self._taken_over(kill, probe, victim, hasty)
            if not hasty:
                await asyncio.sleep(self._draw.uniform(0, 4))
        finally:
            victim.active = False  # what it says from now on counts
            kill.woken = time.monotonic()
            victim.send(signal.SIGCONT)

    def _note(self, number: int, kind: str) -> Kill:
        kill = Kill(number=number, kind=kind, at=time.monotonic(), at_ms=_now_ms())  # type: ignore[arg-type]
        self.kills.append(kill)
        return kill

    async def _taken_over(
        self, kill: Kill, probe: str, without: Member | None, hasty: bool
    ) -> None:
        await self._crew.active(without)
        kill.active_again = time.monotonic()
        if hasty:
            return
        told = self._world.receivers.probe
        deadline = kill.at + PROBE_WITHIN_S
        while time.monotonic() < deadline:
            arrival = next((one for one in told.told if probe in one.text), None)
            if arrival is not None:
                kill.failover_s = arrival.at - kill.at
                return
            self._crew.look()
            await asyncio.sleep(_LOOK_S)
        kill.failover_s = PROBE_WITHIN_S


async def run(plan: Plan, bootstrap: str, folder: Path) -> Outcome:
    """Carries out a plan and judges what came of it."""
    begun = time.monotonic()
    settings = Settings(
        kafka=bootstrap,
        topic_prefix=f"soak-{uuid.uuid4().hex[:10]}",
        partitions=plan.partitions,
        group_wait_s=0.5,
        group_interval_s=0.0,
    )
    await kafka.create_topics(settings)
    with Receivers(folder) as receivers:
        world = World(plan, settings, receivers)
        await world.start()
        crew = Crew(settings, folder, receivers.environment)
        try:
            await crew.active()
            killer = _Killer(world, crew)
            async with going_on(world):
                await killer.run()
            receivers.behave()
            crew.look()
            await crew.active()
            await _quiet(crew, receivers)
            codes = await crew.stop()
        finally:
            crew.kill()
            await world.close()
        evidence = await _evidence(world, killer.kills)
        (folder / "evidence.json").write_bytes(msgspec.json.encode(evidence))
        judgement = judge(evidence)
    return Outcome(
        plan=plan,
        seconds=time.monotonic() - begun,
        kills=killer.kills,
        ended=crew.ended,
        critical=[f"notifier {one.number}: {line}" for one in crew.all for line in one.critical],
        exit_codes=codes,
        faults=dict(world.faults),
        judgement=judgement,
    )


@contextlib.asynccontextmanager
async def going_on(world: World) -> AsyncIterator[None]:
    """Incidents, edits and faults, until the end of the block; a fault of ours ends it.

    When it has ended, the story and the inventory are what the broker has.
    """
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for work in (world.events, world.edits, world.misbehaviour):
            group.create_task(work(over))
        yield
        over.set()


async def _pause(seconds: float, over: asyncio.Event) -> bool:
    """Waits so long, or until `over`; returns whether it is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await over.wait()
    return over.is_set()


async def _quiet(crew: Crew, receivers: Receivers) -> None:
    """Waits until nothing more is to be expected: back-offs are over and no request comes."""
    begun = last = time.monotonic()
    seen = receivers.arrivals
    while True:
        now = time.monotonic()
        if receivers.arrivals != seen:
            seen, last = receivers.arrivals, now
        if now - begun > LAST_BACKOFF_S and now - last > QUIET_S:
            return
        if now - begun > 10 * LAST_BACKOFF_S:
            return  # the judge says what is wrong
        crew.look()
        await asyncio.sleep(0.2)


async def _evidence(world: World, kills: list[Kill]) -> Evidence:
    receivers = world.receivers
    tellings = receivers.tellings()
    async with Follower(
        world.settings, world.settings.topic(topics.NOTIFICATIONS.name)
    ) as follower:
        rows = [
            _row(notification.decode(record.value), record.timestamp)
            async for record in follower.present()
            if record.value
        ]
    return Evidence(
        steps=world.story.steps,
        versions=world.inventory.versions,
        tellings=tellings,
        kills=kills,
        sent=[
            SentRow(row.incident, row.channel.split("/")[1], row.at_ms, row.event_id, row.action)
            for row in rows
            if row.status == "sent"
        ],
        open_keys=receivers.open_keys(),
        channel_ids={one.channel: _id(one.channel) for one in tellings},
        rows=rows,
    )


def _row(row: Notification, at_ms: int) -> LogRow:
    return LogRow(
        at_ms=at_ms,
        status=row.status,
        event=row.event,
        incident=row.incident_id,
        event_id=row.event_id,
        channel=row.channel,
        action=row.action or "",
        attempt=row.attempt,
        why=row.why or "",
        error=row.error or "",
        group=row.group,
    )


def _id(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _host(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return scheme if "json" not in scheme else rest.partition("/")[2]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def encode(outcome: Outcome) -> bytes:
    """All of it, for a file."""
    return msgspec.json.format(msgspec.json.encode(outcome))
