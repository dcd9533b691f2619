"""A prober with many targets on loopback: whether it holds its schedule, also while they change."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from msgspec import Struct
from msgspec.structs import replace

from foundation import kafka
from foundation.settings import Settings
from producers.schedule.schedule import FIRST_CHECKS_PER_S, slots
from schemas import batch, policy, topics
from schemas.partition import partition_for
from schemas.target import Target
from tests.soak.prober_ground import Prober, doors, free_ports, probing, silent_port
from tests.soak.prober_ledger import Ails, Known, Ledger, Said, Share, busiest

REGION: Final = "here"
OPEN_PORTS: Final = 4
PORTS_A_HOST: Final = 5
REFUSED: Final = 0.02
SILENT: Final = 0.002

AFTER_CHANGE_MS: Final = 10_000
"""The spread of the starts is looked at again so long after a change: new ones come at once."""

MOST_MEMORY_MB: Final = 400.0

_LOOK_S: Final = 0.5
_KNOWN_S: Final = 180.0
_AT_ONCE: Final = 2_000


class Plan(Struct, frozen=True, kw_only=True):
    """`targets`, each every `interval_ms`, for `seconds` after the first check of the last one.

    In the middle of it `changes` targets are added, as many changed (half of these get another
    host), and as many removed.
    """

    seed: int
    targets: int
    interval_ms: int
    seconds: float
    changes: int
    timeout_ms: int = 3_000
    retry_delay_ms: int = 1_000
    partitions: int = 16


class Herd(Struct, frozen=True, kw_only=True):
    """The most checks that were due, and began, within any so long a time, and the mean."""

    window_ms: int
    mean: float
    due: int
    begun: int

    def __str__(self) -> str:
        return (
            f"in any {self.window_ms} ms at most {self.due} were due, {self.begun} began, "
            f"{self.mean:.0f} on average"
        )


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a plan; `wrong` is empty when every slot has its one, true result.

    `known_s`: from the start of the process until it knew all targets; `first_in_1_s`: the most
    first checks that were due within a second then; `cpu_us`: of the whole process, by checks.
    """

    plan: Plan
    known_s: float
    held_s: float
    results: int
    missed: int
    lag_ms: Share
    first_in_1_s: int
    herds: list[Herd]
    memory_mb: float
    cpu_us: float
    wrong: list[str]

    @property
    def report(self) -> str:
        """For people."""
        plan, lag = self.plan, self.lag_ms
        return "\n".join(
            [
                f"seed {plan.seed}",
                f"{plan.targets} targets at {plan.interval_ms / 1000:g} s",
                f"in the middle {plan.changes} added, as many changed, as many removed",
                f"all known {self.known_s:.1f} s after the start",
                f"held its schedule for {self.held_s:.0f} s",
                f"{self.results} results, {self.missed} missed",
                f"began late by {lag.p50:.0f} ms (p50), {lag.p99:.0f} (p99), {lag.most:.0f} (most)",
                f"first checks: at most {self.first_in_1_s} were due in any 1 s",
                *map(str, self.herds),
                f"memory at most {self.memory_mb:.0f} MB; {self.cpu_us:.0f} µs of CPU a result",
                *(self.wrong or ["every slot has its one result, and it is true"]),
            ]
        )


class _Used(NamedTuple):
    known_s: float
    changed_ms: int
    memory_mb: float
    cpu_s: float


class Fleet:
    """The targets of a run on [targets], and what is true of each."""

    def __init__(self, settings: Settings, plan: Plan, ports: dict[Ails, Sequence[int]]) -> None:
        self._settings = settings
        self._plan = plan
        self._ports = ports
        self._random = random.Random(plan.seed)  # noqa: S311 - to be repeated
        self._targets: dict[str, Target] = {}
        self._numbers = 0
        self.known: dict[str, Known] = {}

    async def add(self, producer: AIOKafkaProducer, count: int) -> list[str]:
        """Adds targets; returns their ids."""
        made = [self._next() for _ in range(count)]
        await self._send(producer, ((one, one) for one in made))
        return [one.id for one in made]

    async def change(self, producer: AIOKafkaProducer, names: Sequence[str]) -> None:
        """Gives them another timeout, and every second one another host."""
        sent: list[tuple[Target, Target | None]] = []
        for number, name in enumerate(names):
            old = self._targets[name]
            host = old.host if number % 2 else _host(self._numbers + number)
            new = replace(old, version=old.version + 1, timeout_ms=old.timeout_ms - 1, host=host)
            self._targets[name] = new
            if new.host != old.host:
                sent.append((old, None))
            sent.append((new, new))
        await self._send(producer, sent)

    async def remove(self, producer: AIOKafkaProducer, names: Sequence[str]) -> None:
        """Removes them."""
        told = await self._send(producer, ((self._targets[name], None) for name in names))
        for name, at_ms in zip(names, told, strict=True):
            self.known[name].until = at_ms

    def drawn(self, count: int) -> list[str]:
        """So many ids."""
        return self._random.sample(sorted(self._targets), count)

    def _next(self) -> Target:
        number, self._numbers = self._numbers, self._numbers + 1
        drawn = self._random.random()
        ails: Ails = "nothing"
        if drawn < REFUSED + SILENT:
            ails = "silent" if drawn < SILENT else "refused"
        plan = self._plan
        made = Target(
            id=f"t{number}",
            name=f"target {number}",
            kind="tcp",
            host=_host(number // PORTS_A_HOST),
            port=self._random.choice(self._ports[ails]),
            regions=(REGION,),
            interval_ms=plan.interval_ms,
            timeout_ms=plan.timeout_ms,
            retry_delay_ms=plan.retry_delay_ms,
            version=1,
            source="soak",
        )
        self._targets[made.id] = made
        self.known[made.id] = Known(
            slots=slots(made.id, made.regions, REGION, plan.interval_ms),
            ails=ails,
        )
        return made

    async def _send(
        self, producer: AIOKafkaProducer, records: Iterable[tuple[Target, Target | None]]
    ) -> list[int]:
        """When each was appended (UTC ms): where the first stands, the second, or a removal."""
        out: list[asyncio.Future[Any]] = []
        for place, target in records:
            assert place.host is not None
            out.append(
                await producer.send(
                    self._settings.topic(topics.TARGETS.name),
                    None if target is None else msgspec.json.encode(target),
                    place.id.encode(),
                    partition=partition_for(place.host, self._settings.partitions),
                )
            )
            if len(out) % _AT_ONCE == 0:
                await out[-1]
        return [int(sent.timestamp) for sent in await asyncio.gather(*out)]


async def run(
    plan: Plan, bootstrap: str, folder: Path, tell: Callable[[str], None] = print
) -> Outcome:
    """Carries out a plan on topics of its own."""
    settings = Settings(
        kafka=bootstrap,
        topic_prefix=f"schedule-{plan.seed}-{time.monotonic_ns()}",
        partitions=plan.partitions,
        data_dir=folder,
    )
    with ExitStack() as stack:
        *opened, refused = free_ports(OPEN_PORTS + 1)
        stack.enter_context(doors(*opened))
        silent = stack.enter_context(silent_port())
        fleet = Fleet(settings, plan, {"nothing": opened, "refused": [refused], "silent": [silent]})
        await kafka.create_topics(settings)
        async with kafka.producer(settings, linger_ms=5) as producer:
            region = policy.Region(name=REGION, internal=True)
            await producer.send_and_wait(
                settings.topic(topics.POLICY.name),
                policy.encode(region),
                policy.key("soak", region),
            )
            first = await fleet.add(producer, plan.targets)
            tell(f"{plan.targets} targets are written")
            async with probing(settings, REGION, folder / "prober.log") as prober:
                known_s = await _known(prober, plan.targets)
                tell(f"all are known after {known_s:.1f} s")
                changed_ms = await _hold(plan, prober, fleet, producer, tell)
                used = _Used(known_s, changed_ms, prober.most_memory_mb, prober.cpu_s)
                assert await prober.end() == 0
        tell("the log is read")
        ledger = Ledger()
        async for said in results(settings):
            ledger.add(said)
    return _outcome(plan, ledger, fleet, first, used)


async def _known(prober: Prober, targets: int) -> float:
    began = time.monotonic()
    while await prober.tells("portquorum_prober_targets") < targets:
        assert time.monotonic() < began + _KNOWN_S, f"does not know all targets: {prober.log}"
        await asyncio.sleep(_LOOK_S)
    return time.monotonic() - began


async def _hold(
    plan: Plan,
    prober: Prober,
    fleet: Fleet,
    producer: AIOKafkaProducer,
    tell: Callable[[str], None],
) -> int:
    """Waits out the plan; returns when the inventory was changed (UTC ms)."""
    began = time.monotonic() + plan.targets / FIRST_CHECKS_PER_S
    await _until(began + plan.seconds / 2, prober)
    names = fleet.drawn(2 * plan.changes)
    before_ms = round(time.time() * 1000)
    await fleet.add(producer, plan.changes)
    await fleet.change(producer, names[: plan.changes])
    await fleet.remove(producer, names[plan.changes :])
    tell(f"{3 * plan.changes} changes are written")
    await _until(began + plan.seconds, prober)
    return before_ms


async def _until(moment: float, prober: Prober) -> None:
    while time.monotonic() < moment:
        assert prober.running, f"the prober ended by itself: {prober.log}"
        await asyncio.sleep(_LOOK_S)


def _outcome(
    plan: Plan,
    ledger: Ledger,
    fleet: Fleet,
    first: list[str],
    used: _Used,
) -> Outcome:
    firsts = ledger.first_checks(first)
    begun = max(firsts, default=0)
    again = used.changed_ms + AFTER_CHANGE_MS
    spans = [(begun + 1, used.changed_ms), (again, ledger.last_due)]
    length_ms = sum(max(0, end - start) for start, end in spans)
    due, started = ledger.due_within(spans), ledger.begun_within(spans)
    held_s = (ledger.last_due - begun) / 1000
    wrong = ledger.wrong(fleet.known)
    if held_s < plan.seconds:
        wrong.append(f"held {held_s:.0f} s, {plan.seconds:.0f} s were wanted")
    return Outcome(
        plan=plan,
        known_s=used.known_s,
        held_s=held_s,
        results=ledger.results,
        missed=ledger.missed,
        lag_ms=ledger.lag_ms(),
        first_in_1_s=busiest(firsts, 1_000),
        herds=[
            Herd(
                window_ms=window,
                mean=len(due) * window / max(1, length_ms),
                due=busiest(due, window),
                begun=busiest(started, window),
            )
            for window in (100, 1_000)
        ],
        memory_mb=used.memory_mb,
        cpu_us=used.cpu_s * 1e6 / max(1, ledger.results),
        wrong=wrong,
    )


async def results(settings: Settings) -> AsyncIterator[Said]:
    """All that lies on [results]."""
    topic = settings.topic(topics.RESULTS.name)
    for number in range(settings.partitions):
        part = TopicPartition(topic, number)
        async with kafka.consumer(settings) as client:
            client.assign([part])
            end = (await client.end_offsets([part]))[part]
            await client.seek_to_beginning(part)
            while await client.position(part) < end:
                for record in (await client.getmany(timeout_ms=1_000)).get(part, []):
                    good, bad = batch.decode(record.value or b"")
                    assert bad == []
                    for one in good:
                        yield Said(
                            one.target,
                            one.scheduled_at,
                            one.started_at,
                            one.attempt,
                            one.cause,
                            one.status,
                            one.reason,
                            one.target_version,
                        )


def _host(number: int) -> str:
    """An address of loopback."""
    return f"127.{8 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"
