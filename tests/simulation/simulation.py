"""Puts a fleet together and lets its time pass."""

import time
from collections.abc import Callable
from random import Random

from msgspec import Struct

from schemas import control
from schemas.control import (
    Control,
    TargetPaused,
    TargetRemoved,
    TargetResumed,
    TargetSet,
    Tick,
)
from schemas.incident import Event
from schemas.partition import host_key, partition_for
from schemas.recheck import RecheckRequest
from schemas.target import Target
from streams.rules.apply import Output
from tests.simulation.broker import Broker, Taken
from tests.simulation.faults import Change, ClockStep, Death, Faults, Rest, draw
from tests.simulation.fleet import make_targets, region_names
from tests.simulation.loop import Loop
from tests.simulation.prober import Prober, Surroundings
from tests.simulation.scenario import START, Scenario
from tests.simulation.spans import FOREVER, Spans
from tests.simulation.stillness import Headers, Stillness
from tests.simulation.worker import Divergence, Message, Worker
from tests.simulation.world import World


class Epoch(Struct, frozen=True, kw_only=True):
    """A target as it was defined in [begin, end); `ended` says why no longer."""

    target: Target
    begin: float
    end: float
    ended: str = "changed"


class Run(Struct, kw_only=True):
    """What happened: what the judge needs, and figures."""

    scenario: Scenario
    faults: Faults
    epochs: dict[str, list[Epoch]]
    events: list[tuple[int, Event]]
    requests: dict[str, list[float]]
    unowned: dict[tuple[str, int], Spans]
    unheard: dict[str, Spans]
    paused: Spans
    stillness: list[Stillness]
    cut: dict[str, Spans]
    blips: dict[tuple[str, str], list[float]]
    divergences: list[Divergence]
    results: int
    messages: int
    checks: int
    rechecks_asked: int
    rechecks_made: int
    crashes: int
    replayed: int
    seconds: float
    log: list[tuple[int, Message]]


class Simulation:
    """One fleet. `run` lets all of the scenario's time pass.

    `also` is called with each message that is appended, after the worker had it.
    """

    def __init__(
        self, scenario: Scenario, *, watched: tuple[str, ...] = (), also: Taken | None = None
    ) -> None:
        self._scenario = scenario
        self._rng = rng = Random(scenario.seed)  # noqa: S311 - a simulation, seeded
        self._loop = Loop(START)
        targets = make_targets(scenario, rng)
        self._faults = draw(scenario, targets, rng)
        dice = [Random(rng.random()) for _ in range(3)]  # noqa: S311 - a simulation
        self._world = World(scenario, self._faults, self._loop, dice[0])
        self._worker = Worker(
            scenario.partitions,
            self._loop,
            dice[1],
            self._told,
            whole_step=scenario.seed % 3 == 0,
        )
        self._worker.watched = frozenset(name.encode() for name in watched)
        self._broker = Broker(
            scenario, self._faults, self._loop, dice[2], _both(self._worker.taken, also)
        )
        self._around = Surroundings(
            self._loop, self._world, self._broker, scenario.partitions, self._joins
        )
        self._published: list[dict[str, Target]] = [{} for _ in range(scenario.partitions)]
        self._members: dict[str, list[Prober]] = {name: [] for name in self._regions}
        self._owners: dict[str, list[Prober | None]] = {
            name: [None] * scenario.partitions for name in self._regions
        }
        self._running: dict[tuple[str, int], Prober] = {}
        self._all: list[Prober] = []
        self._unowned_since = {
            (name, partition): float(START)
            for name in self._regions
            for partition in range(scenario.partitions)
        }
        self._unowned: dict[tuple[str, int], list[tuple[float, float]]] = {}
        self._lives: dict[str, list[tuple[float, float]]] = {name: [] for name in self._regions}
        self._epochs: dict[str, list[Epoch]] = {}
        self._requests: dict[str, list[float]] = {}
        self._asked = self._made = 0
        self._begin(targets)

    @property
    def _regions(self) -> tuple[str, ...]:
        return region_names(self._scenario.regions)

    def run(self, progress: Callable[[float, int], None] | None = None) -> Run:
        """Lets the time pass; `progress` is told the virtual time and results now and then."""
        began = time.perf_counter()
        end, at = self._scenario.end, float(START)
        while at < end:
            at = min(end, at + 60_000)
            self._loop.run(at)
            if progress is not None:
                progress(at, self._worker.results)
        for key, since in self._unowned_since.items():
            self._unowned.setdefault(key, []).append((since, FOREVER))
        for prober in self._all:
            if prober.alive:
                self._lives[prober.region].append((self._born[prober], FOREVER))
        everywhen = Spans([(0, FOREVER)])
        cut = self._broker.cut
        return Run(
            scenario=self._scenario,
            faults=self._faults,
            epochs=self._epochs,
            events=self._worker.events,
            requests=self._requests,
            unowned={key: Spans(spans) for key, spans in self._unowned.items()},
            unheard={
                name: (everywhen - Spans(lives)) | cut.get(name, Spans())
                for name, lives in self._lives.items()
            },
            paused=self._broker.paused,
            stillness=self._broker.stillness,
            cut=cut,
            blips=self._world.blips,
            divergences=self._worker.divergences,
            results=self._worker.results,
            messages=self._broker.messages,
            checks=sum(prober.checks for prober in self._all),
            rechecks_asked=self._asked,
            rechecks_made=self._made,
            crashes=self._worker.crashes,
            replayed=self._worker.replayed,
            seconds=time.perf_counter() - began,
            log=self._worker.log,
        )

    def _begin(self, targets: list[Target]) -> None:
        self._born: dict[Prober, float] = {}
        for target in targets:
            partition = self._partition(target)
            self._control(partition, TargetSet(target))
            self._published[partition][target.id] = target
            self._epochs[target.id] = [Epoch(target=target, begin=START, end=FOREVER)]
        loop, faults = self._loop, self._faults
        for region in self._regions:
            for number in range(self._scenario.probers):
                loop.after(self._rng.uniform(0, 3_000), self._start, region, number)
        for death in faults.deaths:
            loop.at(death.begin, self._kill, death)
            loop.at(death.end, self._start, death.region, death.number)
        for crash in faults.crashes:
            self._worker.plan(crash)
        for step in faults.steps:
            loop.at(step.at, self._step, step)
        for change in faults.changes:
            loop.at(change.at, self._change, change)
        for rest in faults.rests:
            loop.at(rest.begin, self._rest, rest)
        loop.after(5_000, self._tick)

    def _partition(self, target: Target) -> int:
        key = host_key(target.host, target.id)
        return partition_for(key, self._scenario.partitions)

    def _control(self, partition: int, record: Control) -> None:
        self._broker.append(partition, b"", control.headers(record))

    # Probers and their shares

    def _start(self, region: str, number: int) -> None:
        prober = Prober(
            self._around,
            region,
            f"{region}-{number}",
            self._rng,
            wall_error_ms=self._rng.uniform(-500, 500),
            has_references=region in self._faults.references,
        )
        self._running[region, number] = prober
        self._all.append(prober)
        self._born[prober] = self._loop.now

    def _kill(self, death: Death) -> None:
        prober = self._running[death.region, death.number]
        prober.kill()
        now = self._loop.now
        self._lives[death.region].append((self._born[prober], now))
        for partition, owner in enumerate(self._owners[death.region]):
            if owner is prober:
                self._unowned_since.setdefault((death.region, partition), now)
        if prober in self._members[death.region]:
            self._loop.after(self._rng.uniform(4_000, 6_000), self._gone, prober)

    def _gone(self, prober: Prober) -> None:
        self._members[prober.region].remove(prober)
        self._share_out(prober.region)

    def _joins(self, prober: Prober) -> None:
        self._loop.after(self._rng.uniform(300, 1_500), self._joined, prober)

    def _joined(self, prober: Prober) -> None:
        if prober.alive:
            self._members[prober.region].append(prober)
            self._share_out(prober.region)

    def _share_out(self, region: str) -> None:
        """Kafka's range assignor: each member a row of neighbouring partitions."""
        members = sorted(self._members[region], key=lambda prober: prober.name)
        count = self._scenario.partitions
        shares: list[Prober | None] = [None] * count
        at = 0
        for place, member in enumerate(members):
            size = count // len(members) + (place < count % len(members))
            shares[at : at + size] = [member] * size
            at += size
        owners = self._owners[region]
        for partition, (old, new) in enumerate(zip(owners, shares, strict=True)):
            if old is new:
                continue
            self._unowned_since.setdefault((region, partition), self._loop.now)
            if old is not None and old.alive:
                old.leave(self._published[partition])
            owners[partition] = new
            if new is not None:
                self._loop.after(self._rng.uniform(100, 500), self._read, new, partition)

    def _read(self, prober: Prober, partition: int) -> None:
        if self._owners[prober.region][partition] is not prober or not prober.alive:
            return
        prober.take(self._published[partition].values())
        since = self._unowned_since.pop((prober.region, partition), None)
        if since is not None:
            spans = self._unowned.setdefault((prober.region, partition), [])
            spans.append((since, self._loop.now))

    def _step(self, step: ClockStep) -> None:
        self._running[step.region, step.number].wall_error_ms += step.ms

    # The inventory

    def _change(self, change: Change) -> None:
        until = self._broker.away_until(None)
        if until is not None:
            self._loop.at(until + self._rng.uniform(0, 3_000), self._change, change)
            return
        now = self._loop.now
        epochs = self._epochs.setdefault(change.target_id, [])
        old = epochs[-1].target if epochs else None
        new = change.target
        if old is not None:
            ended = "removed" if new is None else "moved" if _moved(old, new) else "changed"
            if ended == "changed" and new is not None and new.name != old.name:
                ended = "renamed"
            last = epochs[-1]
            epochs[-1] = Epoch(target=last.target, begin=last.begin, end=now, ended=ended)
        if new is not None:
            epochs.append(Epoch(target=new, begin=now, end=FOREVER))
        before = None if old is None else self._partition(old)
        after = None if new is None else self._partition(new)
        if before is not None and before != after:
            because = "removed" if new is None else "target_changed"
            removal = TargetRemoved(target=change.target_id, version=int(change.at))
            removal = removal if new is None else _because(removal, because)
            self._control(before, removal)
        if new is not None and after is not None:
            self._control(after, TargetSet(new))
        self._loop.after(self._rng.uniform(20, 500), self._publish, change, before, after)

    def _publish(self, change: Change, before: int | None, after: int | None) -> None:
        if before is not None and before != after:
            self._published[before].pop(change.target_id, None)
            for owners in self._owners.values():
                prober = owners[before]
                if prober is not None and prober.alive:
                    prober.leave((change.target_id,))
        if change.target is None or after is None:
            return
        self._published[after][change.target_id] = change.target
        for owners in self._owners.values():
            prober = owners[after]
            if prober is not None and prober.alive and prober.joined:
                prober.take((change.target,))

    # Pauses

    def _rest(self, rest: Rest) -> None:
        """[policy] first, then the log; probers follow [policy]."""
        now, until = self._loop.now, self._broker.away_until(None)
        if until is not None or now >= rest.end:
            later = (until or now) + self._rng.uniform(0, 3_000)
            if later < rest.end:
                self._loop.at(later, self._rest, rest)
            return
        epochs = self._epochs[rest.target_id]
        last = epochs[-1]
        target, partition = last.target, self._partition(last.target)
        epochs[-1] = Epoch(target=target, begin=last.begin, end=now, ended="paused")
        ends_at = None if rest.resumed else int(rest.end)
        self._control(partition, TargetPaused(target=target.id, until=ends_at, by="ann"))
        self._loop.after(self._rng.uniform(20, 500), self._rests, target, partition)
        self._loop.at(max(rest.end, now + 1_000), self._wake, rest, target, partition)

    def _rests(self, target: Target, partition: int) -> None:
        self._published[partition].pop(target.id, None)
        for owners in self._owners.values():
            prober = owners[partition]
            if prober is not None and prober.alive:
                prober.leave((target.id,))

    def _wake(self, rest: Rest, target: Target, partition: int) -> None:
        until = self._broker.away_until(None)
        if rest.resumed and until is not None:
            self._loop.at(until + self._rng.uniform(0, 3_000), self._wake, rest, target, partition)
            return
        if rest.resumed:
            self._control(partition, TargetResumed(target=target.id, by="ann"))
        self._epochs[rest.target_id].append(Epoch(target=target, begin=self._loop.now, end=FOREVER))
        if rest.resumed:
            self._loop.after(self._rng.uniform(20, 500), self._wakes, target, partition)
        else:
            self._wakes(target, partition)

    def _wakes(self, target: Target, partition: int) -> None:
        self._published[partition][target.id] = target
        for owners in self._owners.values():
            prober = owners[partition]
            if prober is not None and prober.alive and prober.joined:
                prober.take((target,))

    # The stream

    def _told(self, partition: int, known: float, output: Output) -> None:
        if isinstance(output, RecheckRequest):
            self._requests.setdefault(output.host, []).append(known)
            self._asked += 1
            for region in self._regions:
                self._loop.at(
                    known + self._rng.uniform(5, 60), self._recheck, region, partition, output
                )

    def _recheck(self, region: str, partition: int, request: RecheckRequest) -> None:
        until = self._broker.away_until(region)
        if until is not None:
            if self._broker.stamp() <= request.expires_at:
                self._loop.at(until + 1, self._recheck, region, partition, request)
            return
        prober = self._owners[region][partition]
        if prober is not None and prober.alive:
            self._made += prober.recheck(request)

    def _tick(self) -> None:
        """What the worker's timer does: it moves the clock of partitions that are idle."""
        now = self._loop.now
        if self._broker.away_until(None) is None:
            for partition in range(self._scenario.partitions):
                if now - self._broker.appended_at.get(partition, 0) > 10_000:
                    self._control(partition, Tick("simulation"))
        self._loop.after(5_000, self._tick)


def _both(taken: Taken, also: Taken | None) -> Taken:
    if also is None:
        return taken
    other = also

    def call(partition: int, append_time: int, value: bytes, headers: Headers) -> None:
        taken(partition, append_time, value, headers)
        other(partition, append_time, value, headers)

    return call


def _moved(old: Target, new: Target) -> bool:
    return (old.kind, old.host, old.port) != (new.kind, new.host, new.port)


def _because(removal: TargetRemoved, because: str) -> TargetRemoved:
    assert because == "target_changed"
    return TargetRemoved(target=removal.target, version=removal.version, because="target_changed")
