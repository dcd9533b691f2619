"""A fleet under steady load whose outages are known: the ground truth of the worker's tests."""

import asyncio
import random
import time
from collections import Counter
from typing import Final, Literal, NamedTuple

from aiokafka import AIOKafkaProducer

from foundation import kafka
from foundation.settings import Settings
from schemas import batch, control, topics
from schemas.control import Beat, Control, TargetSet
from schemas.incident import IncidentEvent
from schemas.partition import partition_for
from schemas.result import CheckResult
from schemas.target import Target

REGIONS: Final = ("ap", "eu", "us")
ROUND_MS: Final = 1_000
BEAT_ROUNDS: Final = 5
PORTS: Final = (80, 443)
LARGEST_BATCH: Final = 100
MOST_TROUBLES: Final = 3
"""More outages of a target within an hour would be flapping, which is another truth."""

Trouble = Literal["outage", "one_region", "blip"]


class Outage(NamedTuple):
    """All regions failed from `began_at` (UTC ms) on; what the stream must find, once."""

    target: str
    began_at: int


class Case:
    """One target: what ails it, and for how many rounds more."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.trouble: Trouble | None = None
        self.rounds = 0
        self.regions: frozenset[str] = frozenset()
        self.troubles = 0


class Load:
    """Writes a round of results for every target and region each second, and beats between.

    `troubles_a_round` is how many targets begin to fail a round, on average. Two of three are
    outages, seen by every region for 4 to 12 rounds; the others must open nothing: one region
    alone, or one failed attempt of every region. Results and beats of a round go out in a random
    order, in batches of random size. What is drawn comes from `seed` alone.
    """

    def __init__(
        self, settings: Settings, *, seed: int, hosts: int, troubles_a_round: float
    ) -> None:
        self.settings = settings
        self.outages: list[Outage] = []
        self.results = 0
        self._random = random.Random(seed)  # noqa: S311 - to be repeated
        self._topic = settings.topic(topics.RESULTS.name)
        self._chance = troubles_a_round / (hosts * len(PORTS))
        self._cases: dict[int, list[Case]] = {n: [] for n in range(settings.partitions)}
        for number in range(hosts):
            host = f"host{number}.example.com"
            partition = partition_for(host, settings.partitions)
            self._cases[partition] += [Case(_target(host, port)) for port in PORTS]
        self._at = int(time.time() * 1000)
        self._began_at = self._at
        self._round = 0
        self._newly_failing: Counter[str] = Counter()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Writes until `stop` was called and everything is well again; all is confirmed then."""
        async with kafka.producer(self.settings, linger_ms=5) as producer:
            for number, cases in self._cases.items():
                for case in cases:
                    await self._control(producer, number, TargetSet(case.target))
            while not self._stopping.is_set() or self._ailing():
                await self._one_round(producer)
            await self._one_round(producer)

    def stop(self) -> None:
        """No more troubles: what ails ends in its time."""
        self._stopping.set()

    def _ailing(self) -> bool:
        return any(case.trouble for cases in self._cases.values() for case in cases)

    async def _one_round(self, producer: AIOKafkaProducer) -> None:
        # A result is never ahead of the clock, and two of a target are a full round apart.
        while (ahead := self._at - int(time.time() * 1000)) > 0:  # noqa: ASYNC110 - the wall clock
            await asyncio.sleep(ahead / 1000)
        messages = []
        for partition, cases in self._cases.items():
            for case in cases:
                self._turn(case)
            for region in REGIONS:
                results = [self._result(case, region) for case in cases]
                while results:
                    size = self._random.randint(1, LARGEST_BATCH)
                    messages.append((partition, batch.encode(results[:size]), []))
                    results = results[size:]
            if self._round % BEAT_ROUNDS == 0:
                messages += [(partition, b"", control.headers(self._beat(r))) for r in REGIONS]
        self._random.shuffle(messages)
        sent = [
            await producer.send(self._topic, value=value, partition=partition, headers=headers)
            for partition, value, headers in messages
        ]
        await asyncio.gather(*sent)
        self._round += 1
        self._at = max(self._at + ROUND_MS, int(time.time() * 1000))

    def _turn(self, case: Case) -> None:
        """Moves one target to the present round."""
        if case.trouble is not None:
            case.rounds -= 1
            if case.rounds == 0:
                case.trouble, case.regions = None, frozenset()
            return
        if self._stopping.is_set() or case.troubles == MOST_TROUBLES:
            return
        # The first rounds are calm: every region has spoken before the first outage.
        if self._round < 2 or self._random.random() >= self._chance:
            return
        case.troubles += 1
        drawn: tuple[Trouble, ...] = ("outage", "outage", "outage", "outage", "one_region", "blip")
        case.trouble = self._random.choice(drawn)
        case.rounds = 1 if case.trouble == "blip" else self._random.randint(4, 12)
        case.regions = frozenset(REGIONS)
        if case.trouble == "one_region":
            case.regions = frozenset([self._random.choice(REGIONS)])
        if case.trouble == "outage":
            self.outages.append(Outage(case.target.id, self._at))

    def _result(self, case: Case, region: str) -> CheckResult:
        down = region in case.regions
        self.results += 1
        return CheckResult(
            target=case.target.id,
            kind="tcp",
            host=case.target.host,
            port=case.target.port,
            region=region,
            prober=f"{region}-1",
            scheduled_at=self._at,
            started_at=self._at,
            status="down" if down else "up",
            reason="connection_refused" if down else None,
            attempt=0,
            cause="schedule",
            target_version=1,
            connect_ms=None if down else 1.5,
        )

    def _beat(self, region: str) -> Beat:
        cases = [case for found in self._cases.values() for case in found]
        failing = sum(region in case.regions for case in cases)
        return Beat(
            region=region,
            prober=f"{region}-1",
            sequence=self._round,
            started_at=self._began_at,
            targets=len(cases),
            failing=failing,
            newly_failing=failing,
            connectivity=True,
            lag_ms=0.0,
            spool=0,
            clock_offset_ms=0,
        )

    async def _control(self, producer: AIOKafkaProducer, partition: int, record: Control) -> None:
        await producer.send(
            self._topic, value=b"", partition=partition, headers=control.headers(record)
        )


def _target(host: str, port: int) -> Target:
    return Target(
        id=f"{host}-{port}",
        name=f"{host} {port}",
        kind="tcp",
        host=host,
        port=port,
        regions=REGIONS,
        interval_ms=30_000,
        timeout_ms=30_000,  # generous, so that nothing is stale or late when the machine is busy
        version=1,
        source="load",
    )


def differences(outages: list[Outage], events: list[IncidentEvent]) -> list[str]:
    """What the events say otherwise than the truth, in words; `events` has each once.

    Every outage opens one incident, which says when it began, and closes it by recovery; nothing
    else opens or closes.
    """
    opened = {event.incident_id: event for event in events if event.event == "opened"}
    closed = Counter(event.incident_id for event in events if event.event == "closed")
    found = Counter(Outage(event.target, event.first_failed_at) for event in opened.values())
    true = Counter(outages)
    wrong = [f"missed: {outage}" for outage in (true - found).elements()]
    wrong += [f"false or doubled: {outage}" for outage in (found - true).elements()]
    wrong += [f"opened twice: {kept}" for kept in _repeated(events, "opened")]
    wrong += [f"never closed: {opened[one].target}" for one in opened.keys() - closed.keys()]
    wrong += [f"closed but never opened: {one}" for one in closed.keys() - opened.keys()]
    wrong += [f"closed twice: {kept}" for kept in _repeated(events, "closed")]
    wrong += [
        f"closed for another reason: {event.target} {event.closed_because}"
        for event in events
        if event.event == "closed" and event.closed_because != "recovered"
    ]
    return wrong


def _repeated(events: list[IncidentEvent], kind: str) -> list[str]:
    counts = Counter(event.incident_id for event in events if event.event == kind)
    return [incident_id for incident_id, count in counts.items() if count > 1]
