"""State that outlives a restarted notifier: sends under way, and the send log."""

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
    """The channels and the send log; one instance for a process.

    A message that was sent while the broker was away waits here for its record. Without it, the
    next notifier would send the message again.
    """

    def __init__(self, settings: Settings) -> None:
        self.deliverer = Deliverer()
        self.log = SendLog(settings)
        self.locks = Locks()
        """One for each queue: a queue waits for the sends of its predecessor with the same key."""

    async def close(self) -> None:
        """Prevents further sends and closes the log, within about a second."""
        self.deliverer.close()
        await self.log.close(CLOSE_WITHIN_S)
