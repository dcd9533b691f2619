"""What outlives a notifier that begins anew: sends under way, and the memory of those made."""

import asyncio
from typing import Final
from weakref import WeakValueDictionary

from foundation.settings import Settings
from sinks.notifier.delivery import Deliverer
from sinks.notifier.send_log import SendLog

CLOSE_WITHIN_S: Final = 1.0

LaneKey = tuple[str, str]
Locks = WeakValueDictionary[LaneKey, asyncio.Lock]


class Outbox:
    """The channels and the send log; one for a process.

    A message that was sent while the broker was away waits here for its record. Were it forgotten
    with its notifier, the next one would send it again.
    """

    def __init__(self, settings: Settings) -> None:
        self.deliverer = Deliverer()
        self.log = SendLog(settings)
        self.locks = Locks()
        """One for each lane: a lane waits for what its predecessor of that key has under way."""

    async def close(self) -> None:
        """Lets no further send begin and closes the log, within about a second."""
        self.deliverer.close()
        await self.log.close(CLOSE_WITHIN_S)
