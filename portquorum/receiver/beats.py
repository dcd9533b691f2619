"""The receivers' beats: as long as there are jobs, somebody listens to them."""

import asyncio
from typing import Final

from foundation.lifecycle import set_within
from portquorum.receiver import metrics
from portquorum.receiver.jobs import Jobs
from portquorum.receiver.publisher import ReportPublisher
from producers.broker_clock import Clock
from schemas.control import Beat
from schemas.result import RECEIVER

EVERY_S: Final = 5.0
LOOK_S: Final = 0.5
"""How often it is looked whether there are jobs, and while the broker's time is not known."""
PATIENCE: Final = 5
"""Beats without a good acknowledgement before a slow one is accepted."""
CONFIRM_S: Final = 1.0


class ReceiverBeats:
    """Beats while [targets] has heartbeats and the broker takes what is sent.

    A receiver that could take no report says nothing: from what it does not say the stream knows
    that a report may have been lost. When there are no jobs any more, the last beat says so.
    """

    def __init__(
        self, publisher: ReportPublisher, jobs: Jobs, clock: Clock, *, prober: str
    ) -> None:
        self._publisher = publisher
        self._jobs = jobs
        self._clock = clock
        self._prober = prober
        self._sequence = 0
        self._told = 0
        """The number of jobs in the last beat."""
        self._started_ms = round(clock.now_ms())

    async def run(self, closing: asyncio.Event) -> None:
        """Beats until `closing` is set; the last one is from before that moment."""
        loop = asyncio.get_running_loop()
        due_at = loop.time()
        while not closing.is_set():
            if await self._look(is_due=loop.time() >= due_at):
                due_at = loop.time() + EVERY_S
            await set_within(LOOK_S, closing)
        # Until here reports were taken; the server closes its door after this.
        await self._look(is_due=True)

    async def _look(self, *, is_due: bool) -> bool:
        """Beats if it is time for it, or if there is news; returns whether it did."""
        jobs = self._jobs.enabled if self._jobs.is_present else 0
        metrics.JOBS.set(jobs)
        metrics.WAITING.set(self._publisher.waiting)
        if jobs:
            self._publisher.want()
        is_news = (jobs == 0) != (self._told == 0)
        is_early = jobs > 0 and not self._clock.known
        if not self._jobs.is_present or not (is_news or is_early or (is_due and jobs)):
            return False
        if not self._publisher.is_connected:
            return False
        await self._publisher.beat(self._next(jobs))
        self._told = jobs
        if is_early:
            await self._settle()
        return True

    async def _settle(self) -> None:
        """The broker's time, from the beat's confirmations."""
        confirmed = asyncio.ensure_future(self._publisher.beats_confirmed())
        try:
            await asyncio.wait({confirmed}, timeout=CONFIRM_S)
        finally:
            confirmed.cancel()
        self._clock.settle(anyhow=self._sequence >= PATIENCE)

    def _next(self, jobs: int) -> Beat:
        offset_ms = self._clock.raw_offset_ms()
        metrics.OFFSET.set(0.0 if offset_ms is None else offset_ms / 1000)
        beat = Beat(
            region=RECEIVER,
            prober=self._prober,
            sequence=self._sequence,
            started_at=self._started_ms,
            targets=jobs,
            failing=0,
            newly_failing=0,
            connectivity=True,
            lag_ms=0.0,
            spool=self._publisher.waiting,
            clock_offset_ms=offset_ms,
        )
        self._sequence += 1
        return beat
