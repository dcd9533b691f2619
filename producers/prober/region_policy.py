"""Follows this prober's region, and what is paused, in [policy]."""

import asyncio
from collections.abc import Callable, Collection
from typing import Final

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from foundation.kafka import Follower
from foundation.settings import Settings
from foundation.telemetry import logger
from producers import metrics
from producers.schedule.pauses import Pauses
from schemas import policy, topics
from schemas.policy import PAUSES, Pause, Region

AGAIN_S: Final = 1.0

_PAUSE_KEYS: Final = f"{PAUSES}/pause/".encode()


class RegionPolicy:
    """Follows the entry of one region; `on_change` is called with each new definition.

    The pauses of all targets are kept in `pauses`; `on_pauses` is called with the ids of those that
    may have begun or ceased to be paused.

    A region without an entry in [policy] is not internal and has no source address and no
    references. With entries of several sources the last one written is valid.
    """

    def __init__(
        self,
        settings: Settings,
        region: str,
        on_change: Callable[[Region], None],
        *,
        pauses: Pauses | None = None,
        on_pauses: Callable[[Collection[str]], None] = lambda _ids: None,
    ) -> None:
        self._settings = settings
        self._topic = topics.POLICY.full_name(settings.topic_prefix)
        self._default = Region(name=region)
        self._on_change = on_change
        self._on_pauses = on_pauses
        self._present: dict[str, int | None] | None = None
        self._key: bytes | None = None
        self._warned = False
        self.current = self._default
        self.pauses = Pauses() if pauses is None else pauses
        self.read = asyncio.Event()
        """Set when [policy] has been read up to its end at the start."""

    async def run(self) -> None:
        """Follows until cancelled; waits for an absent broker."""
        while True:
            try:
                async with Follower(self._settings, self._topic) as follower:
                    self._present = {}
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
        # What ended while this prober was away may have left no trace in the topic.
        changed, self._present = self.pauses.replace(self._present or {}), None
        self._on_pauses(changed)
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
            self._take_removal(record.key or b"")
            return
        try:
            entry = policy.decode(record.value)
        except msgspec.DecodeError:
            metrics.UNREADABLE.labels(self._topic).inc()
            return
        if isinstance(entry, Region) and entry.name == self._default.name:
            self._key = record.key
            self._change(entry)
        elif isinstance(entry, Pause) and record.key == policy.key(PAUSES, entry):
            if self._present is not None:
                self._present[entry.name] = entry.until
            else:
                self._on_pauses(self.pauses.pause(entry.name, entry.until))

    def _take_removal(self, key: bytes) -> None:
        if key and key == self._key:
            self._key = None
            self._change(self._default)
        elif key.startswith(_PAUSE_KEYS):
            target_id = key.removeprefix(_PAUSE_KEYS).decode(errors="replace")
            if self._present is not None:
                self._present.pop(target_id, None)
            else:
                self._on_pauses(self.pauses.resume(target_id))

    def _change(self, region: Region) -> None:
        if region != self.current:
            self.current = region
            self._on_change(region)
