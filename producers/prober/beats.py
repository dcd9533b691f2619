"""Beats: the heartbeat of this prober, every 5 s, to every partition of [results]."""

import asyncio
import contextlib
from typing import Final

from producers import metrics
from producers.broker_clock import Clock
from producers.prober.check_loop import CheckLoop
from producers.publishing.publisher import Publisher
from schemas import control

INTERVAL_S: Final = 5.0

UNSETTLED_S: Final = 1.0
"""Interval of beats until the clock is known."""

PATIENCE: Final = 5
"""Beats without a good acknowledgement before a slow one is accepted."""


class Beats:
    """Writes the beats of one prober; the first one at once."""

    def __init__(
        self, publisher: Publisher, runner: CheckLoop, clock: Clock, *, region: str, prober: str
    ) -> None:
        self._publisher = publisher
        self._runner = runner
        self._clock = clock
        self._region = region
        self._prober = prober
        self._sequence = 0
        # Only an id of this process: it must not change with the broker's time.
        self._started_ms = round(clock.now_ms())

    async def first(self) -> None:
        """Beats until an acknowledgement has given the broker's time."""
        while True:
            await self._publisher.beat(self._next())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(UNSETTLED_S):
                    await self._publisher.beats_confirmed()
            if self._clock.settle(anyhow=self._sequence >= PATIENCE):
                return
            await asyncio.sleep(UNSETTLED_S / 4)

    async def run(self) -> None:
        """Beats until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            at = loop.time()
            await self._publisher.beat(self._next())
            # Not "every 5 s by the clock": a standstill needs no catching up.
            await asyncio.sleep(max(0.0, at + INTERVAL_S - loop.time()))

    def _next(self) -> control.Beat:
        offset_ms = self._clock.raw_offset_ms()
        metrics.OFFSET.set(0.0 if offset_ms is None else offset_ms / 1000)
        state = self._runner.state()
        beat = control.Beat(
            region=self._region,
            prober=self._prober,
            sequence=self._sequence,
            started_at=self._started_ms,
            targets=state.targets,
            failing=state.failing,
            newly_failing=state.newly_failing,
            connectivity=state.connectivity,
            lag_ms=round(state.lag_ms, 1),
            spool=self._publisher.waiting,
            clock_offset_ms=offset_ms,
            missing_secrets=state.missing_secrets,
        )
        self._sequence += 1
        return beat
