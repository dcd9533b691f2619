"""Runs the checks of the scheduler: one timer, the engine, and the path of each outcome."""

import asyncio
import math
from typing import Final

from msgspec import Struct

from foundation.lifecycle import set_within
from foundation.telemetry import logger
from producers import metrics
from producers.broker_clock import Clock
from producers.checks.model import CheckOutcome, Engine, PlannedCheck
from producers.kinds.missing_secrets import named
from producers.prober.connectivity import WITHIN_MS, Connectivity
from producers.prober.gc_freeze import GcFreeze
from producers.prober.lag_reporter import LagReporter
from producers.prober.target_series import ProberTargets
from producers.publishing.publisher import Publisher
from producers.schedule.scheduler import Scheduler

ROUND_S: Final = 0.001
"""Checks that are due within this time begin in one round. The event loop rounds waits up to whole
milliseconds, so a round may cover twice the time."""
LONGEST_WAIT_S: Final = 1.0
"""Longest wait before the next due time is computed again: broker time may have changed."""

_LATE: Final = CheckOutcome(
    status="missed",
    reason="prober_error",
    started_at=None,
    detail="the prober did not come to this check within its interval",
)


class State(Struct, frozen=True, gc=False):
    """The checks' part of a beat; `lag_ms` is the worst lag since the last beat.

    `missing_secrets`: see `missing_secrets.named`.
    """

    targets: int
    failing: int
    newly_failing: int
    connectivity: bool
    lag_ms: float
    missing_secrets: dict[str, tuple[str, ...]]


class CheckLoop:
    """Begins the checks that are due and publishes their outcomes."""

    def __init__(
        self,
        scheduler: Scheduler,
        engine: Engine,
        publisher: Publisher,
        clock: Clock,
        connectivity: Connectivity,
        *,
        limit: int,
        seen: ProberTargets | None = None,
    ) -> None:
        """`limit`: the most checks in flight; `seen` is told each outcome."""
        self._seen = seen
        self._seen_at = 0
        self.scheduler = scheduler
        self._engine = engine
        self._publisher = publisher
        self._clock = clock
        self._connectivity = connectivity
        self._limit = limit
        self._held: list[tuple[PlannedCheck, CheckOutcome]] = []
        self._lag_reporter = LagReporter()
        self._gc_freeze = GcFreeze()
        self._missing_secrets: dict[str, tuple[str, ...]] = {}
        self._missing_at = 0
        self._stopped = False
        self._idle = asyncio.Event()
        self._over: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._not_before = 0.0
        self._waits_for_ms = math.inf

    def state(self) -> State:
        """The state for a beat. Each call also updates metrics and freezes garbage collection."""
        self._gc_freeze.look(self.scheduler.changes)
        self._look_for_secrets()
        self._forget_gone()
        now_ms = self._clock.now_ms()
        scheduler = self.scheduler
        metrics.TARGETS.set(len(scheduler))
        metrics.FAILING.set(scheduler.failing)
        metrics.IN_FLIGHT.set(self._engine.in_flight)
        metrics.CONNECTIVITY.set(self._connectivity.alive)
        return State(
            targets=len(scheduler),
            failing=scheduler.failing,
            newly_failing=scheduler.newly_failing(now_ms),
            connectivity=self._connectivity.alive,
            lag_ms=self._lag_reporter.tell(now_ms, self._limit),
            missing_secrets=self._missing_secrets,
        )

    def _look_for_secrets(self) -> None:
        """Looks for missing secrets after each change of the targets; the environment stays."""
        if self._missing_at == self.scheduler.changes:
            return
        self._missing_at = self.scheduler.changes
        before, self._missing_secrets = self._missing_secrets, named(self.scheduler.with_secrets)
        for name in self._missing_secrets.keys() - before.keys():
            logger(__name__).warning(
                "a secret of checks is not set, or not for their hosts: they are not made",
                variable=name,
                targets=", ".join(self._missing_secrets[name]),
            )

    def _forget_gone(self) -> None:
        """Forgets what was seen of targets that are gone."""
        if self._seen is not None and self._seen_at != self.scheduler.changes:
            self._seen_at = self.scheduler.changes
            self._seen.keep(self.scheduler)

    def changed(self) -> None:
        """To be called after a change of the scheduler: a check may be due now."""
        self._wake_at(self._clock.monotonic())

    async def run(self) -> None:
        """Begins checks until cancelled."""
        self._over = asyncio.get_running_loop().create_future()
        self.changed()
        try:
            await self._over
        finally:
            self._over = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    async def drain(self, within_s: float) -> None:
        """Begins no more checks; returns when none is in flight, or after `within_s`."""
        self._stopped = True
        if self._busy == 0:
            return
        await set_within(within_s, self._idle)

    def _wake_at(self, moment: float) -> None:
        """Plans the next round for `moment` (monotonic seconds) at the latest.

        The event loop does other work before it, however many checks are due.
        """
        if self._over is None:
            return
        moment = max(moment, self._not_before)
        if self._timer is not None:
            if self._timer_at <= moment:
                return
            self._timer.cancel()
        self._timer_at = moment
        delay = max(0.0, moment - self._clock.monotonic())
        self._timer = self._over.get_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._not_before = self._clock.monotonic() + ROUND_S
        try:
            self._round()
        except Exception as error:  # noqa: BLE001  (it ends `run`, and with it the prober)
            if self._over is not None and not self._over.done():
                self._over.set_exception(error)

    def _round(self) -> None:
        if self._stopped:
            return
        now_ms = self._clock.now_ms()
        begin, missed = self.scheduler.due(now_ms, self._limit - self._busy)
        worst_ms = 0.0
        for check in missed:
            self._publisher.add(check, _LATE, worth="routine")
        for check in begin:
            lag_ms = max(0.0, now_ms - max(check.due_ms, check.free_ms))
            worst_ms = max(worst_ms, lag_ms)
            metrics.LAG.observe(lag_ms / 1000)
            self._engine.submit(check, self._done)
        full = self._busy >= self._limit
        waits = self.scheduler.next_due_ms() is not None
        self._lag_reporter.saw(worst_ms, missed=len(missed), full=full and waits)
        self._waits_for_ms = math.inf
        # Without room the end of the next check starts the next round.
        if not full:
            self._wait_for_next()

    def _wait_for_next(self) -> None:
        next_ms = self.scheduler.next_due_ms()
        if next_ms is not None and next_ms < self._waits_for_ms:
            self._waits_for_ms = next_ms
            latest = self._clock.monotonic() + LONGEST_WAIT_S
            self._wake_at(min(self._clock.moment_of(next_ms), latest))

    def _done(self, check: PlannedCheck, outcome: CheckOutcome) -> None:
        now_ms = self._clock.now_ms()
        if self._doubts(check, outcome, now_ms):
            self._held.append((check, outcome))
            if len(self._held) == 1:
                self._connectivity.ask(self._release)
        else:
            self._tell(check, outcome, now_ms)

    def _doubts(self, check: PlannedCheck, outcome: CheckOutcome, now_ms: float) -> bool:
        scheduler = self.scheduler
        if outcome.reason is None:
            if check.target.expect != "closed" or not scheduler.fails(check.target.id):
                return False
            return self._connectivity.doubts_silence(outcome)
        failing = scheduler.newly_failing(now_ms, WITHIN_MS) + len(self._held) + 1
        return self._connectivity.doubts(outcome, failing, len(scheduler))

    def _release(self) -> None:
        held, self._held = self._held, []
        now_ms = self._clock.now_ms()
        for check, outcome in held:
            self._tell(check, outcome, now_ms)

    def _tell(self, check: PlannedCheck, outcome: CheckOutcome, now_ms: float) -> None:
        outcome = self._connectivity.judge(outcome)
        worth = self.scheduler.done(check, outcome, now_ms)
        self._publisher.add(check, outcome, worth=worth)
        if self._seen is not None and check.target.id in self.scheduler:
            self._seen.take(check.target.id, outcome)
        self._wait_for_next()
        if self._stopped and self._busy == 0:
            self._idle.set()

    @property
    def _busy(self) -> int:
        return self._engine.in_flight + len(self._held)
