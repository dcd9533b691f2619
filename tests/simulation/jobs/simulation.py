"""Lets the time of the jobs, of the receivers and of the broker pass."""

import time
from collections.abc import Callable
from random import Random
from typing import Final

from msgspec import Struct

from schemas import batch, control
from schemas.control import Beat, TargetSet, Tick
from schemas.incident import Event
from schemas.partition import host_key, partition_for
from schemas.result import RECEIVER, CheckResult, Signal
from streams.checkpoint import decoder
from streams.rules.messages import encode
from streams.rules.process import step
from streams.state.partition_state import new_state
from tests.simulation.faults import Crash
from tests.simulation.jobs.fleet import DEFINED_MS, Planned, Run, Scenario, plan
from tests.simulation.loop import Loop
from tests.simulation.stillness import Headers
from tests.simulation.worker import Divergence, Worker
from tests.unit.streams.rules.job_accounts import STATUSES

RECEIVERS: Final = ("receiver-1", "receiver-2", "receiver-3")
TRIES: Final = 5
HANGS_MS: Final = 5_000
"""How long a receiver waits for the broker before it answers 503."""


class Delivered(Struct, frozen=True):
    """A signal that was answered with 200: the broker had appended it at `at`."""

    target: str
    run: Run
    signal: Signal
    at: int


class Outcome(Struct, kw_only=True):
    """What happened, for the judge."""

    scenario: Scenario
    jobs: list[Planned]
    delivered: list[Delivered]
    lost: int
    events: list[tuple[int, Event]]
    divergences: list[Divergence]
    messages: int
    crashes: int
    seconds: float


class JobSimulation:
    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._rng = rng = Random(scenario.seed)  # noqa: S311 - a simulation, seeded
        self._loop = Loop(scenario.begin - 1_200_000)
        self._jobs = plan(scenario, rng)
        self._worker = Worker(
            scenario.partitions,
            self._loop,
            rng,
            lambda *_: None,
            whole_step=True,
        )
        self._log: list[list[tuple[int, bytes, Headers]]] = [[] for _ in range(scenario.partitions)]
        self._alive = dict.fromkeys(RECEIVERS, True)
        self._sequence = dict.fromkeys(RECEIVERS, 0)
        self._waiting: list[Callable[[], None]] = []
        self._broker_away = False
        self._last = [0] * scenario.partitions
        self._delivered: list[Delivered] = []
        self._lost = 0
        self._begin()

    def run(self) -> Outcome:
        began = time.perf_counter()
        self._loop.run(self._scenario.end)
        self._replay()
        return Outcome(
            scenario=self._scenario,
            jobs=self._jobs,
            delivered=self._delivered,
            lost=self._lost,
            events=self._worker.events,
            divergences=self._worker.divergences,
            messages=sum(map(len, self._log)),
            crashes=self._worker.crashes,
            seconds=time.perf_counter() - began,
        )

    def _begin(self) -> None:
        loop, beat_ms = self._loop, self._scenario.beat_ms
        for one in self._jobs:
            loop.at(self._scenario.begin - DEFINED_MS, self._define, one)
            for number, run in enumerate(one.runs):
                self._plan(one, run, f"run {number}" if one.wrapped else None)
        for place, receiver in enumerate(RECEIVERS):
            loop.after(1 + place * beat_ms / len(RECEIVERS), self._beat, receiver)
        self._plan_troubles()
        loop.after(1, self._tick)

    def _define(self, one: Planned) -> None:
        self._append(self._partition(one), b"", control.headers(TargetSet(one.target)))

    def _plan(self, one: Planned, run: Run, name: str | None) -> None:
        if one.wrapped and run.starts:
            self._loop.at(run.begins, self._ping, one, run, "start", name, 0)
        if run.reports:
            end: Signal = "fail" if run.outcome == "failed" else "success"
            self._loop.at(run.ends, self._ping, one, run, end, name, 0)

    def _plan_troubles(self) -> None:
        scenario, loop, rng = self._scenario, self._loop, self._rng
        for minutes, lasts in scenario.deaf:
            for receiver in RECEIVERS:
                loop.at(scenario.begin + minutes * 60_000, self._down, receiver, lasts * 60_000)
        for minutes, lasts in scenario.silent:
            loop.at(scenario.begin + minutes * 60_000, self._leave)
            loop.at(scenario.begin + (minutes + lasts) * 60_000, self._return)
        for _ in range(round(scenario.deaths * scenario.hours)):
            at = rng.uniform(scenario.begin, scenario.end)
            loop.at(at, self._kill, rng.choice(RECEIVERS), rng.uniform(5_000, 60_000))
        for _ in range(round(scenario.crashes * scenario.hours)):
            behind = rng.uniform(1_000, 600_000)
            self._worker.plan(
                Crash(
                    at=rng.uniform(scenario.begin + behind, scenario.end),
                    partition=rng.randrange(scenario.partitions),
                    behind=behind,
                    away=1_000,
                )
            )

    # The broker

    def _partition(self, one: Planned) -> int:
        return partition_for(host_key(None, one.target.id), self._scenario.partitions)

    def _append(self, partition: int, value: bytes, headers: Headers) -> None:
        at = max(int(self._loop.now), self._last[partition])
        self._last[partition] = at
        self._log[partition].append((at, value, headers))
        self._worker.taken(partition, at, value, headers)

    def _leave(self) -> None:
        self._broker_away = True

    def _return(self) -> None:
        self._broker_away = False
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            self._loop.after(self._rng.uniform(1, 2_000), call)

    def _tick(self) -> None:
        if not self._broker_away:
            for partition in range(self._scenario.partitions):
                if self._loop.now - self._last[partition] > 10_000:
                    self._append(partition, b"", control.headers(Tick("simulation")))
        self._loop.after(5_000, self._tick)

    # Receivers

    def _kill(self, receiver: str, ms: float) -> None:
        """Unless it is the last one: how long nobody may listen is planned."""
        if sum(self._alive.values()) > 1:
            self._down(receiver, ms)

    def _down(self, receiver: str, ms: float) -> None:
        if self._alive[receiver]:
            self._alive[receiver] = False
            self._loop.after(ms, self._revive, receiver)

    def _revive(self, receiver: str) -> None:
        self._alive[receiver] = not self._all_away()
        if not self._alive[receiver]:
            self._loop.after(1_000, self._revive, receiver)

    def _all_away(self) -> bool:
        now, begin = self._loop.now, self._scenario.begin
        return any(
            begin + minutes * 60_000 <= now < begin + (minutes + lasts) * 60_000
            for minutes, lasts in self._scenario.deaf
        )

    def _beat(self, receiver: str) -> None:
        if self._alive[receiver] and not self._broker_away:
            self._sequence[receiver] += 1
            beat = Beat(
                region=RECEIVER,
                prober=receiver,
                sequence=self._sequence[receiver],
                started_at=self._scenario.begin,
                targets=len(self._jobs),
                failing=0,
                newly_failing=0,
                connectivity=True,
                lag_ms=0,
                spool=0,
                clock_offset_ms=0,
            )
            headers = control.headers(beat)
            for partition in range(self._scenario.partitions):
                self._append(partition, b"", headers)
        self._loop.after(self._scenario.beat_ms, self._beat, receiver)

    def _ping(self, one: Planned, run: Run, signal: Signal, name: str | None, tried: int) -> None:
        if signal == "start" and run.reports and self._loop.now >= run.ends:
            return  # as `portquorum beat` does: the end says it all
        # Tries go round: a balancer leaves out what does not answer.
        receiver = RECEIVERS[(run.planned // 1_000 + tried) % len(RECEIVERS)]
        again = (one, run, signal, name, tried + 1)
        if not self._alive[receiver] or (self._broker_away and not self._returns_soon()):
            if tried + 1 == TRIES:
                self._lost += 1
            else:
                hangs = HANGS_MS if self._alive[receiver] else 10
                self._loop.after(hangs + 1_000 * 2**tried, self._ping, *again)
            return
        self._sequence[receiver] += 1
        status, reason = STATUSES[signal]
        result = CheckResult(
            target=one.target.id,
            kind="heartbeat",
            host=None,
            port=None,
            region=RECEIVER,
            prober=receiver,
            scheduled_at=int(self._loop.now),
            started_at=int(self._loop.now),
            status=status,
            reason=reason,
            attempt=self._sequence[receiver] % 256,
            cause="schedule",
            target_version=1,
            signal=signal,
            run=name,
        )
        if self._broker_away:
            self._waiting.append(lambda: self._publish(one, run, result))
        else:
            self._loop.after(self._rng.uniform(1, 30), self._publish, one, run, result)

    def _returns_soon(self) -> bool:
        now, begin = self._loop.now, self._scenario.begin
        return any(
            now < begin + (minutes + lasts) * 60_000 < now + HANGS_MS
            for minutes, lasts in self._scenario.silent
        )

    def _publish(self, one: Planned, run: Run, result: CheckResult) -> None:
        if self._broker_away:
            self._waiting.append(lambda: self._publish(one, run, result))
            return
        value, partition = batch.encode([result]), self._partition(one)
        self._append(partition, value, [])
        assert result.signal is not None
        self._delivered.append(Delivered(one.target.id, run, result.signal, self._last[partition]))
        if self._rng.random() < 0.01:  # not confirmed, sent again
            self._loop.after(self._rng.uniform(1, 9_000), self._once_more, partition, value)

    def _once_more(self, partition: int, value: bytes) -> None:
        if not self._broker_away:
            self._append(partition, value, [])

    # The same once more

    def _replay(self) -> None:
        """The whole log from nothing, as bytes, in two steps with a checkpoint between them."""
        for partition, log in enumerate(self._log):
            state = new_state(partition, self._scenario.partitions)
            sent: list[bytes] = []
            for offset, (at, value, headers) in enumerate(log):
                if offset == len(log) // 2:
                    chunks = decoder.encode(state)
                    state = decoder.decode(chunks, partition, self._scenario.partitions)
                sent += [one.value for one in step(state, offset, at, value, headers).messages]
            if decoder.encode(state) != decoder.encode(self._worker.lanes[partition].state):
                self._worker.divergences.append(
                    Divergence(what="a replay's state is another one", target="", at=0)
                )
            if sent != self._sent(partition):
                self._worker.divergences.append(
                    Divergence(what="a replay decides something else", target="", at=0)
                )

    def _sent(self, partition: int) -> list[bytes]:
        return [
            encode(event, self._scenario.partitions).value
            for place, event in self._worker.events
            if place == partition
        ]
