"""Removes silences and pauses from [policy] a day after their end; the active notifier does it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from foundation import telemetry
from foundation.kafka.reconnecting_producer import KeyedMessage
from foundation.settings import Settings
from schemas import topics
from schemas.duration import DAY_MS
from schemas.policy import Pause, Policy, Silence
from sinks.notifier.log_writer import LogWriter

KEPT_MS: Final = DAY_MS
"""So long `silence list --all` shows one that has ended, in ms."""

EVERY_S: Final = 60.0
_WITHIN_S: Final = 10.0

_log = telemetry.logger(__name__)


def expired(entries: Mapping[bytes, Policy], now: int) -> list[bytes]:
    """The keys of silences and pauses that ended long ago."""
    return [
        key
        for key, entry in entries.items()
        if (end := _end_of(entry)) is not None and end + KEPT_MS <= now
    ]


def _end_of(entry: Policy) -> int | None:
    match entry:
        case Silence():
            return entry.ends_at
        case Pause():
            return entry.until
        case _:
            return None


class ExpiredSilences:
    """Looks for them from time to time, and writes their removal."""

    def __init__(
        self,
        settings: Settings,
        look: Callable[[], Iterable[bytes]],
        every_s: float = EVERY_S,
    ) -> None:
        """`look` gives the keys to remove, none unless this notifier is the active one."""
        self._look = look
        self._every_s = every_s
        self._writer = LogWriter(settings, topics.POLICY)

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            keys = list(self._look())
            if keys:
                await self._remove(keys)

    async def close(self, within_s: float) -> None:
        """Closes the producer."""
        await self._writer.close(within_s)

    async def _remove(self, keys: list[bytes]) -> None:
        try:
            async with asyncio.timeout(_WITHIN_S):
                await self._writer.write([KeyedMessage(key, None) for key in keys])
        except TimeoutError:
            _log.warning(
                "ended silences and pauses can't be removed from the policy yet", count=len(keys)
            )
        else:
            _log.info("removed ended silences and pauses from the policy", count=len(keys))
