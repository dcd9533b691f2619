"""What outlives a notifier that begins again in the same process: sends under way, and the rows."""

from typing import Final

from foundation.settings import Settings
from schemas import topics
from sinks.notifier.channel_check import ChannelCheck, Problem
from sinks.notifier.lease import Lease
from sinks.notifier.log_writer import LogWriter
from sinks.notifier.sending import Send, Sending

CLOSE_WITHIN_S: Final = 1.0


class Outbox:
    """The channels, the lease that they ask, and the send log; one instance for a process.

    A send that was under way when the cluster went away ends here; without it the next notifier
    would send the message again.
    """

    def __init__(self, settings: Settings, send: Send, problem: Problem) -> None:
        self.lease = Lease()
        self.sending = Sending(send, self.lease.may_send)
        self.rows = LogWriter(settings, topics.NOTIFICATIONS)
        self.check = ChannelCheck(problem)

    async def close(self) -> None:
        """Lets no send begin any more and closes the send log, within about a second."""
        self.lease.end()
        await self.rows.close(CLOSE_WITHIN_S)
