"""Follows this prober's region in [policy]."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from foundation.kafka import Follower
from foundation.settings import Settings
from foundation.telemetry import logger
from producers import metrics
from schemas import policy, topics
from schemas.policy import Region

AGAIN_S: Final = 1.0


class RegionPolicy:
    """Follows the entry of one region; `on_change` is called with each new definition.

    A region without an entry in [policy] is not internal and has no source address and no
    references. With entries of several sources the last one written is valid.
    """

    def __init__(
        self, settings: Settings, region: str, on_change: Callable[[Region], None]
    ) -> None:
        self._settings = settings
        self._topic = topics.POLICY.full_name(settings.topic_prefix)
        self._default = Region(name=region)
        self._on_change = on_change
        self._key: bytes | None = None
        self._warned = False
        self.current = self._default
        self.read = asyncio.Event()
        """Set when [policy] has been read up to its end at the start."""

    async def run(self) -> None:
        """Follows until cancelled; waits for an absent broker."""
        while True:
            try:
                async with Follower(self._settings, self._topic) as follower:
                    async for record in follower.present():
                        self._take(record)
                    self._present_is_read()
                    async for record in follower.changes():
                        self._take(record)
            except (KafkaError, OSError, LookupError) as error:
                if isinstance(error, (KeyError, IndexError)):
                    raise  # not a missing topic, but a fault of ours
                logger(__name__).warning("can't follow the policy", error=str(error))
            await asyncio.sleep(AGAIN_S)

    def _present_is_read(self) -> None:
        if self._key is None and not self._warned:
            self._warned = True
            logger(__name__).warning(
                "this region is in no inventory yet; it may not reach private addresses until "
                "`portquorum inventory apply` says `internal: true`",
                region=self._default.name,
            )
        self.read.set()

    def _take(self, record: ConsumerRecord) -> None:
        if record.value is None:
            if record.key is not None and record.key == self._key:
                self._key = None
                self._change(self._default)
            return
        try:
            entry = policy.decode(record.value)
        except msgspec.DecodeError:
            metrics.UNREADABLE.labels(self._topic).inc()
            return
        if isinstance(entry, Region) and entry.name == self._default.name:
            self._key = record.key
            self._change(entry)

    def _change(self, region: Region) -> None:
        if region != self.current:
            self.current = region
            self._on_change(region)
