"""Many targets of ten people fail behind four gateways, while the active notifier is killed.

The dependents of half of the gateways say that they depend on them, and are spared; those of the
others do not, and are told in digests, at a pace and with limits that have to outlive each kill.
"""

import asyncio
import hashlib
import random
import signal
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from msgspec import Struct

from foundation import kafka
from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import incident, notification, policy, topics
from schemas.incident import IncidentEvent, RegionVerdict, Votes
from schemas.partition import partition_for
from schemas.policy import Limit, Policy, Route, Team
from schemas.target import Target
from tests.receivers import faults
from tests.receivers.webhook import JsonWebhook
from tests.soak.notifier_crew import Crew, Member
from tests.soak.notifier_judge import Kill
from tests.soak.notifier_kills import _row
from tests.soak.notifier_mass_judge import (
    Happened,
    MassEvidence,
    MassJudgement,
    Message,
    judge_mass,
)

GATEWAYS: Final = 4
PEOPLE: Final = 10
DEPENDENT_GATEWAYS: Final = 2
"""The targets behind the first ones say that they depend on them."""

STOP_SHARE: Final = 0.3
BUSY_SHARE: Final = 0.6
LIMIT: Final = Limit(messages=12, per_ms=60_000)
_DEADLINE_S: Final = 240.0
_LOOK_S: Final = 0.05


class MassPlan(Struct, frozen=True, kw_only=True):
    seed: int
    kills: int
    targets: int = 2_800
    interval_s: float = 2.0
    partitions: int = 4


class MassOutcome(Struct, frozen=True, kw_only=True):
    plan: MassPlan
    seconds: float
    kills: list[Kill]
    ended: list[str]
    critical: list[str]
    complete: bool
    judgement: MassJudgement

    @property
    def report(self) -> str:
        judged = self.judgement
        lines = [
            f"seed {self.plan.seed}, {self.plan.targets} targets, {self.seconds:.0f} s",
            *(f"{name}: {count}" for name, count in judged.counts.items()),
            f"wrong: {len(judged.wrong)}",
            *(f"WRONG {one}" for one in judged.wrong[:50]),
            *(f"double: {one}" for one in judged.doubles),
        ]
        return "\n".join([*lines, *self.ended, *self.critical])


class _Place:
    """The targets, their people, and what happened to them."""

    def __init__(self, plan: MassPlan, settings: Settings) -> None:
        self.plan, self.settings = plan, settings
        self.receivers = {f"p{number}": JsonWebhook() for number in range(PEOPLE)}
        self.operators = JsonWebhook()
        self.happened: list[Happened] = []
        self.down: list[int] = []
        self._producer: AIOKafkaProducer = kafka.producer(settings)
        self._seq = 0

    async def start(self) -> None:
        await self._producer.start()
        for entry in self._policy():
            await self._send(topics.POLICY.name, policy.key("soak", entry), policy.encode(entry))
        for number in range(-GATEWAYS, self.plan.targets):
            one = self._target(number)
            assert one.host
            await self._producer.send(
                self.settings.topic(topics.TARGETS.name),
                msgspec.json.encode(one),
                key=one.id.encode(),
                partition=partition_for(one.host, self.settings.partitions),
            )
        await self._producer.flush()

    async def close(self) -> None:
        await self._producer.stop()
        for receiver in (*self.receivers.values(), self.operators):
            receiver.close()

    def url(self, person: str) -> str:
        return f"json://127.0.0.1:{self.receivers[person].port}/{person}"

    @staticmethod
    def _limited(person: str) -> bool:
        return int(person[1:]) % 2 == 1

    def limited(self) -> list[str]:
        return [name for name in self.receivers if self._limited(name)]

    def _policy(self) -> Sequence[Policy]:
        routes = [
            Route(
                name=name, urls=(self.url(name),), limit=LIMIT if name in self.limited() else None
            )
            for name in self.receivers
        ]
        teams = [Team(name=name, routes=(name,)) for name in self.receivers]
        watch = Route(
            name="watch",
            urls=(f"json://127.0.0.1:{self.operators.port}/watch",),
            operators=True,
            default=True,
        )
        return [*routes, *teams, watch]

    def _person(self, number: int) -> str:
        return f"p{number % PEOPLE}"

    def _gateway(self, number: int) -> int:
        return number % GATEWAYS

    def _behind(self, number: int) -> bool:
        return number >= 0 and self._gateway(number) < DEPENDENT_GATEWAYS

    def _target(self, number: int) -> Target:
        name = f"t{number:05d}" if number >= 0 else f"gateway{-number - 1}"
        on = (f"gateway{self._gateway(number)}",) if self._behind(number) else ()
        return Target(
            id=name,
            name=name,
            kind="tcp",
            host=f"{name}.example.com",
            port=443,
            regions=("eu",),
            interval_ms=30_000,
            timeout_ms=1_000,
            version=1,
            source="soak",
            team=self._person(number) if number >= 0 else None,
            depends_on=on,
        )

    async def gateways(self, kind: str) -> None:
        """All gateways fail, or are back."""
        for number in range(-GATEWAYS, 0):
            await self.tell(number, kind)

    async def fail(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            await self.tell(number, "opened")
            self.down.append(number)

    async def come_back(self) -> None:
        for number in self.down:
            await self.tell(number, "closed")
        self.down.clear()

    async def tell(self, number: int, kind: str) -> None:
        event = self._event(number, kind)
        assert event.host
        await self._producer.send_and_wait(
            self.settings.topic(topics.INCIDENTS.name),
            incident.encode(event),
            key=event.host.encode(),
            partition=partition_for(event.host, self.settings.partitions),
            headers=incident.headers(event),
        )
        if number >= 0:
            self.happened.append(
                Happened(
                    event_id=event.event_id,
                    event=kind,
                    incident=event.incident_id,
                    target=event.target,
                    person=self._person(number),
                    behind=self._behind(number),
                )
            )

    def _event(self, number: int, kind: str) -> IncidentEvent:
        one, at = self._target(number), _now_ms()
        self._seq += 1
        down = kind == "opened"
        verdict = RegionVerdict(
            verdict="down" if down else "up",
            reason="connection_refused" if down else None,
            since=at,
        )
        return IncidentEvent(
            event_id=str(uuid.uuid5(incident.NAMESPACE, f"{self.plan.seed} {self._seq}")),
            event=kind,  # type: ignore[arg-type]
            incident_id=f"i-{one.id}",
            incident_type="unreachable",
            severity="critical",
            target=one.id,
            name=one.name,
            kind="tcp",
            host=one.host,
            port=443,
            team=one.team,
            tags=(),
            criticality="critical",
            depends_on=one.depends_on,
            regions={"eu": verdict},
            votes=Votes(down=int(down), need=1, fresh=1, configured=1),
            first_failed_at=at,
            opened_at=at,
            closed_at=None if down else at,
            closed_because=None if down else "recovered",
            at=at,
            host_targets=(),
            summary="Nothing listens.",
            first_steps=(),
            runbook=None,
            episode=1,
        )

    async def _send(self, topic: str, key: bytes, value: bytes) -> None:
        await self._producer.send_and_wait(self.settings.topic(topic), value, key=key)

    def messages(self) -> list[Message]:
        return [
            Message(
                person=person,
                at=one.at,
                at_ms=one.at_ms,
                free=False,
            )
            for person, receiver in self.receivers.items()
            for one in receiver.arrivals
            if one.told
        ]


class _Killer:
    """Kills or stops the active notifier, again and again, and lets more targets fail."""

    def __init__(self, place: _Place, crew: Crew) -> None:
        self._place, self._crew = place, crew
        self._draw = random.Random(f"mass {place.plan.seed}")  # noqa: S311
        self.kills: list[Kill] = []

    async def run(self) -> None:
        plan = self._place.plan
        left = list(range(plan.targets))
        self._draw.shuffle(left)
        share = -(-len(left) // (plan.kills + 1))
        for number in range(1, plan.kills + 1):
            victim = await self._crew.active()
            now, left = left[:share], left[share:]
            await self._place.fail(now)
            if self._draw.random() < BUSY_SHARE:
                await self._busy()
            await self._end(number, victim)
        await self._place.fail(left)

    async def _busy(self) -> None:
        """Waits for a message whose answer is late."""
        receivers = self._place.receivers.values()
        before = sum(len(one.arrivals) for one in receivers)
        for one in receivers:
            one.misbehave(faults.slow(2), 1)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if sum(len(one.arrivals) for one in receivers) > before:
                return
            await asyncio.sleep(_LOOK_S)

    async def _end(self, number: int, victim: Member) -> None:
        stop = self._draw.random() < STOP_SHARE
        victim.send(signal.SIGSTOP if stop else signal.SIGKILL)
        kind = "stop" if stop else "kill"
        kill = Kill(number=number, kind=kind, at=time.monotonic(), at_ms=_now_ms())  # type: ignore[arg-type]
        self.kills.append(kill)
        if not stop:
            self._crew.drop(victim)
            self._crew.fill()
        try:
            await self._crew.active(victim)
            kill.active_again = time.monotonic()
        finally:
            if stop:
                victim.active = False
                kill.woken = time.monotonic()
                victim.send(signal.SIGCONT)


async def run(plan: MassPlan, bootstrap: str, folder: Path) -> MassOutcome:
    """Carries out a plan and judges what came of it."""
    begun = time.monotonic()
    settings = Settings(
        kafka=bootstrap,
        topic_prefix=f"soak-{uuid.uuid4().hex[:10]}",
        partitions=plan.partitions,
        group_wait_s=0.5,
    )
    await kafka.create_topics(settings)
    place = _Place(plan, settings)
    await place.start()
    crew = Crew(settings, folder, {"PORTQUORUM_GROUP_INTERVAL_S": str(plan.interval_s)})
    try:
        await crew.active()
        killer = _Killer(place, crew)
        await place.gateways("opened")
        await killer.run()
        complete = await _all_have_rows(place, crew)
        await place.come_back()
        await place.gateways("closed")
        complete = await _all_have_rows(place, crew) and complete
        await crew.stop()
        evidence = await _evidence(place, killer.kills)
    finally:
        crew.kill()
        await place.close()
    (folder / "evidence.json").write_bytes(msgspec.json.encode(evidence))
    return MassOutcome(
        plan=plan,
        seconds=time.monotonic() - begun,
        kills=killer.kills,
        ended=crew.ended,
        critical=[f"notifier {one.number}: {line}" for one in crew.all for line in one.critical],
        complete=complete,
        judgement=judge_mass(evidence),
    )


async def _all_have_rows(place: _Place, crew: Crew) -> bool:
    """Waits until each event is told, or a row says why not; false after a long time."""
    waiting = {one.event_id for one in place.happened}
    deadline = time.monotonic() + _DEADLINE_S
    topic = place.settings.topic(topics.NOTIFICATIONS.name)
    while waiting and time.monotonic() < deadline:
        async with Follower(place.settings, topic) as follower:
            async for record in follower.present():
                row = notification.decode(record.value or b"")
                held = row.status == "not_sent" and (row.why or "").startswith("limit of route")
                if row.status in ("sent", "not_sent") and row.channel and not held:
                    waiting.discard(row.event_id)
        crew.look()
        await asyncio.sleep(0.5)
    return not waiting


async def _evidence(place: _Place, kills: list[Kill]) -> MassEvidence:
    topic = place.settings.topic(topics.NOTIFICATIONS.name)
    async with Follower(place.settings, topic) as follower:
        rows = [
            _row(notification.decode(record.value), record.timestamp)
            async for record in follower.present()
            if record.value
        ]
    return MassEvidence(
        happened=place.happened,
        messages=place.messages(),
        rows=rows,
        kills=kills,
        channels={name: _id(place.url(name)) for name in place.receivers},
        interval_ms=round(place.plan.interval_s * 1000),
        limits=dict.fromkeys(place.limited(), (LIMIT.messages, LIMIT.per_ms)),
    )


def _id(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def encode(outcome: MassOutcome) -> bytes:
    """All of it, for a file."""
    return msgspec.json.format(msgspec.json.encode(outcome))
