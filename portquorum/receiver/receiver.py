"""A receiver: the app, the publisher, the beats, and the broker's time."""

import asyncio
import secrets
import socket
from typing import Final

from foundation.kafka import topics_ready
from foundation.lifecycle import cancelled, ends_within
from foundation.settings import Settings
from portquorum.journal.protocol import Journal
from portquorum.receiver.app import JobMaker, ReceiverApp
from portquorum.receiver.beats import ReceiverBeats
from portquorum.receiver.jobs import Jobs
from portquorum.receiver.lookup import Lookup, PingKeys
from portquorum.receiver.publisher import MOST_WAITING, NotConfirmedError, ReportPublisher
from portquorum.receiver.report import Job, Report, result_of
from producers.broker_clock import Clock
from schemas import batch

_ATTEMPTS: Final = 256
_LONGEST_HOST: Final = 100
_LAST_BEAT_S: Final = 0.5


class Receiver:
    """Takes reports (`app`) and publishes them; `run` must run.

    Identical reports of one ms are told apart by `attempt`, receivers by their names.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        keys: PingKeys,
        jobs: Jobs,
        maker: JobMaker | None = None,
        *,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Connects to nothing yet. `most_waiting` reports wait at once for the broker."""
        self.prober = f"{socket.gethostname()[:_LONGEST_HOST]}-{secrets.token_hex(4)}"
        self._settings = settings
        self._clock = Clock()
        self._publisher = ReportPublisher(settings, self._clock, most_waiting=most_waiting)
        self._beats = ReceiverBeats(self._publisher, jobs, self._clock, prober=self.prober)
        self._number = 0
        lookup = Lookup(keys, jobs, journal.is_present.is_set)
        self.app = ReceiverApp(lookup, self, maker)

    async def deliver(self, report: Report, job: Job) -> None:
        """See `portquorum.receiver.app.Deliverer`."""
        clock = self._clock
        if not clock.known:  # the first beat is on its way
            raise NotConfirmedError
        self._number = (self._number + 1) % _ATTEMPTS
        result = result_of(
            report,
            job,
            prober=self.prober,
            at_ms=round(clock.now_ms() - clock.ahead_ms()),
            attempt=self._number,
        )
        await self._publisher.publish(job.id, batch.encode([result]))

    async def run(self, closing: asyncio.Event) -> None:
        """Until cancelled; after `closing` is set the last beat is sent, and reports go on.

        Raises:
            foundation.kafka.TopicMismatchError: the topics are not those of the settings.
        """
        await topics_ready(self._settings)
        publishing = asyncio.create_task(self._publisher.run())
        beating = asyncio.create_task(self._beats.run(closing))
        try:
            await asyncio.wait({publishing, beating}, return_when=asyncio.FIRST_COMPLETED)
            if not closing.is_set():
                beating.result()
            await publishing
        finally:
            if closing.is_set():
                await ends_within(_LAST_BEAT_S, beating)
            await cancelled(publishing, beating)
            await self._publisher.close()
