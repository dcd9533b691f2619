"""A prober in virtual time: the real schedule, series, batches, clock, without sockets and Kafka.

What is asynchronous in the real one (`runner`, `publisher`, `connectivity`, `membership`) is told
again here, event by event.
"""

from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple

from producers.broker_clock import Clock
from producers.checks.model import CheckOutcome, PlannedCheck
from producers.prober.connectivity import _OURS_TOO, AGAIN_S, FRESH_S, TIMEOUT_MS, WITHIN_MS, many
from producers.publishing.batch import SealedBatch, seal
from producers.publishing.batcher import Batcher, Finished, Worth
from producers.schedule.scheduler import Scheduler
from schemas import control
from schemas.control import Beat
from schemas.partition import host_key, partition_for
from schemas.recheck import RecheckRequest
from schemas.result import Reason
from schemas.target import Target
from tests.simulation.broker import Broker, Letter
from tests.simulation.loop import Loop
from tests.simulation.world import World

IN_FLIGHT = 4_000
BEAT_MS = 5_000.0
BEGIN_MOST_MS = 3_000.0
"""From the start of a process to its first beat."""


class Surroundings(NamedTuple):
    """What a prober stands in. `joins` is called when it is ready for its share of the targets."""

    loop: Loop
    world: World
    broker: Broker
    partitions: int
    joins: "Callable[[Prober], None]"


class Guard:
    """`producers.prober.connectivity`, again: asks the references when many targets fail."""

    def __init__(self, around: Surroundings, region: str, *, has_references: bool) -> None:
        self._around = around
        self._region = region
        self._has_references = has_references
        self._asking = False
        self._asked_at = float("-inf")
        self._then: list[Callable[[], None]] = []
        self.alive = True

    def doubts(self, reason: Reason | None, newly_failing: int, targets: int) -> bool:
        if not self._has_references or reason not in _OURS_TOO or not self.alive:
            return False
        if not many(newly_failing, targets):
            return False
        return self._asking or self._around.loop.now - self._asked_at > FRESH_S * 1000

    def ask(self, then: Callable[[], None]) -> None:
        self._then.append(then)
        if self._asking:
            return
        self._asking = True
        answered = self._around.world.has_network(self._region)
        self._around.loop.after(20 if answered else TIMEOUT_MS, self._answered, answered)

    def judge(self, outcome: CheckOutcome) -> CheckOutcome:
        if self.alive or outcome.reason not in _OURS_TOO:
            return outcome
        return CheckOutcome(status="missed", reason="prober_error", started_at=outcome.started_at)

    def _answered(self, answered: bool) -> None:
        self._asking = False
        self.alive = answered
        self._asked_at = self._around.loop.now
        if not answered:
            self._around.loop.after(AGAIN_S * 1000, self.ask, lambda: None)
        then, self._then = self._then, []
        for call in then:
            call()


class Prober:
    """One process. `alive` is False once it was killed; another object is started in its place."""

    def __init__(
        self,
        around: Surroundings,
        region: str,
        name: str,
        rng: Random,
        *,
        wall_error_ms: float,
        has_references: bool,
    ) -> None:
        self._around = around
        self._loop = around.loop
        self.region = region
        self.name = name
        self.alive = True
        self.joined = False
        self.wall_error_ms = wall_error_ms
        self._born = around.loop.now
        self._rate = 1 + rng.uniform(-50e-6, 50e-6)
        self._first = rng.uniform(10, 100_000)
        self.clock = Clock(self._wall, self._monotonic)
        self.scheduler = Scheduler(region)
        self._guard = Guard(around, region, has_references=has_references)
        self._held: list[tuple[PlannedCheck, CheckOutcome]] = []
        self._in_flight = 0
        self._wake_at = self._wake_due_ms = float("inf")
        self._batcher = Batcher()
        self._flush_at = float("inf")
        self._spool: dict[int, deque[SealedBatch]] = {}
        self._was_fresh: set[int] = set()
        self._sending: set[int] = set()
        self._sealed = 0
        self._beating = False
        self._sequence = 0
        self._partition_of: dict[str, int] = {}
        self.checks = 0
        self._beat(rng.uniform(200, BEGIN_MOST_MS))

    def kill(self) -> None:
        self.alive = False

    # Time

    def _monotonic(self) -> float:
        return self._first + (self._loop.now - self._born) / 1000 * self._rate

    def _wall(self) -> float:
        return (self._loop.now + self.wall_error_ms) / 1000

    def _when(self, moment: float) -> float:
        """The loop's time of one of our moments."""
        return self._born + (moment - self._first) * 1000 / self._rate

    # Targets

    def take(self, targets: Iterable[Target]) -> None:
        """Definitions that hold from now on."""
        self.scheduler.set_targets(targets, self.clock.now_ms())
        self._plan()

    def leave(self, target_ids: Iterable[str]) -> None:
        for target_id in target_ids:
            self.scheduler.remove(target_id)

    def recheck(self, request: RecheckRequest) -> int:
        """Returns how many checks the request gave."""
        now_ms = self.clock.now_ms()
        if now_ms - self.clock.ahead_ms() > request.expires_at:
            return 0
        asked = self.scheduler.recheck(request.host, now_ms)
        self._plan()
        return asked

    # Checks (`runner`)

    def _plan(self) -> None:
        due_ms = self.scheduler.next_due_ms()
        if due_ms is None or due_ms >= self._wake_due_ms or self._in_flight >= IN_FLIGHT:
            return
        self._wake_due_ms = due_ms
        at = max(self._loop.now, self._when(self.clock.moment_of(due_ms)))
        if at < self._wake_at - 0.01:
            self._wake_at = at
            self._loop.at(at + 0.05, self._round, at)

    def _round(self, planned: float) -> None:
        if not self.alive or planned != self._wake_at:
            return
        self._wake_at = self._wake_due_ms = float("inf")
        room = IN_FLIGHT - self._in_flight
        begin, missed = self.scheduler.due(self.clock.now_ms(), room)
        for check in missed:
            late = CheckOutcome(status="missed", reason="prober_error", started_at=None)
            self._publish(check, late, worth="routine")
        moment = self._monotonic()
        world, after = self._around.world, self._loop.after
        for check in begin:
            reason, took_ms = world.check(check.target, self.region, check.attempt)
            self._in_flight += 1
            after(took_ms, self._done, check, reason, moment, took_ms)
        self.checks += len(begin)
        self._plan()

    def _done(
        self, check: PlannedCheck, reason: Reason | None, moment: float, took_ms: float
    ) -> None:
        if not self.alive:
            return
        self._in_flight -= 1
        if reason is None:
            outcome = CheckOutcome(
                status="up", reason=None, started_at=moment, connect_ms=took_ms, total_ms=took_ms
            )
            self._tell(check, outcome)
            return
        outcome = CheckOutcome(status="down", reason=reason, started_at=moment)
        scheduler = self.scheduler
        failing = scheduler.newly_failing(self.clock.now_ms(), WITHIN_MS) + len(self._held) + 1
        if self._guard.doubts(reason, failing, len(scheduler)):
            self._held.append((check, outcome))
            if len(self._held) == 1:
                self._guard.ask(self._release)
        else:
            self._tell(check, outcome)

    def _release(self) -> None:
        held, self._held = self._held, []
        if self.alive:
            for check, outcome in held:
                self._tell(check, outcome)

    def _tell(self, check: PlannedCheck, outcome: CheckOutcome) -> None:
        outcome = self._guard.judge(outcome)
        worth = self.scheduler.done(check, outcome, self.clock.now_ms())
        self._publish(check, outcome, worth=worth)
        self._plan()

    # Batches (`publisher`)

    def _publish(self, check: PlannedCheck, outcome: CheckOutcome, *, worth: Worth) -> None:
        key = host_key(check.target.host, check.target.id)
        partition = self._partition_of.get(key)
        if partition is None:
            partition = partition_for(key, self._around.partitions)
            self._partition_of[key] = partition
        due_at = self._batcher.add(partition, Finished(check, outcome, worth), self._monotonic())
        if partition in self._sending:
            if self._batcher.full(partition):
                self._spool.setdefault(partition, deque()).append(self._seal(partition))
        else:
            self._flush_by(self._when(due_at))

    def _flush_by(self, at: float) -> None:
        if at < self._flush_at:
            self._flush_at = at
            self._loop.at(at + 0.05, self._flush, at)

    def _flush(self, planned: float) -> None:
        if not self.alive or planned != self._flush_at:
            return
        self._flush_at = float("inf")
        batcher = self._batcher
        fresh = batcher.due(self._monotonic())
        spooled = (partition for partition, queue in self._spool.items() if queue)
        for partition in dict.fromkeys((*fresh, *spooled)):
            if partition in self._sending:
                continue
            queue = self._spool.get(partition)
            spools_turn = partition in self._was_fresh and queue
            if partition in fresh and not spools_turn:
                self._was_fresh.add(partition)
                sealed = self._seal(partition)
            else:
                self._was_fresh.discard(partition)
                assert queue
                sealed = queue.popleft()
            self._sending.add(partition)
            self._around.broker.send(
                Letter(
                    self.region,
                    (partition,),
                    sealed.payload,
                    (),
                    self._is_alive,
                    _Confirm(self, partition, self._monotonic()).confirmed,
                )
            )
        free = [partition for partition in batcher.all() if partition not in self._sending]
        if free:
            due_at = batcher.next_due_of(free)
            assert due_at is not None
            self._flush_by(self._when(due_at))

    def confirmed(self, partition: int, enqueued_at: float, append_time: int) -> None:
        self._sending.discard(partition)
        self.clock.learn(enqueued_at, self._monotonic(), append_time)
        if len(self._batcher) or any(self._spool.values()):
            self._flush_by(self._loop.now)

    def _seal(self, partition: int) -> SealedBatch:
        self._sealed += 1
        items = self._batcher.take(partition, self._monotonic())
        return seal(partition, items, self.clock, self.region, self.name, number=self._sealed)

    def _is_alive(self) -> bool:
        return self.alive

    # Beats

    def _beat(self, wait_ms: float) -> None:
        self._loop.after(wait_ms, self._beat_now)

    def _beat_now(self) -> None:
        if not self.alive:
            return
        if not self._beating:
            self._beating = True
            scheduler = self.scheduler
            beat = Beat(
                region=self.region,
                prober=self.name,
                sequence=self._sequence,
                started_at=int(self._born),
                targets=len(scheduler),
                failing=scheduler.failing,
                newly_failing=scheduler.newly_failing(self.clock.now_ms()),
                connectivity=self._guard.alive,
                lag_ms=0.0,
                spool=0,
                clock_offset_ms=self.clock.raw_offset_ms(),
            )
            self._sequence += 1
            self._around.broker.send(
                Letter(
                    self.region,
                    range(self._around.partitions),
                    b"",
                    control.headers(beat),
                    self._is_alive,
                    _Confirm(self, None, self._monotonic()).confirmed,
                )
            )
        self._beat(BEAT_MS if self.joined else 1_000)

    def beat_confirmed(self, enqueued_at: float, append_time: int) -> None:
        self._beating = False
        self.clock.learn(enqueued_at, self._monotonic(), append_time)
        if not self.joined and self.clock.settle(anyhow=self._sequence >= 5):
            self.joined = True
            self._around.joins(self)


class _Confirm(NamedTuple):
    prober: Prober
    partition: int | None
    enqueued_at: float

    def confirmed(self, append_time: int) -> None:
        if self.partition is None:
            self.prober.beat_confirmed(self.enqueued_at, append_time)
        else:
            self.prober.confirmed(self.partition, self.enqueued_at, append_time)
