"""Writes to [results] and [targets] with one producer, which is replaced when a write failed."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaProducer

from foundation import kafka
from foundation.lifecycle import ends_within
from foundation.settings import Settings
from portquorum.inventory.plan import Removal
from portquorum.inventory.present import pauses_of, read_policy
from portquorum.inventory.record_writer import RecordWriter
from schemas.policy import Pause
from schemas.target import Target

WITHIN_S: Final = 20.0
"""Longest time of a write; for many records longer, see below."""

RECORDS_A_SECOND: Final = 500
_FLUSH_S: Final = 2.0


class KafkaWrites:
    """The Writes of `portquorum.editing.publisher`. One write at a time."""

    def __init__(self, settings: Settings) -> None:
        """Connects to nothing yet."""
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def targets(
        self, removals: Sequence[Removal], targets: Iterable[Target], pauses: Mapping[str, Pause]
    ) -> None:
        """Writes control records, then [targets]; all is confirmed on return.

        Raises:
            KafkaError, OSError: some may be written.
        """
        listed = list(targets)
        limit_s = WITHIN_S + 2 * (len(removals) + len(listed)) / RECORDS_A_SECOND
        producer = self._producer or kafka.producer(self._settings, linger_ms=2)
        try:
            async with asyncio.timeout(limit_s):
                if self._producer is None:
                    await producer.start()
                    self._producer = producer
                writer = RecordWriter(self._settings, producer)
                await writer.targets(removals, listed, pauses)
                if any(one.id in pauses for one in listed):
                    there = pauses_of((await read_policy(self._settings)).values())
                    await writer.ended(listed, pauses, there)
        except BaseException:
            self._producer = None
            await ends_within(_FLUSH_S, kafka.abandon(producer))
            raise

    async def close(self) -> None:
        """Ends it; what was not confirmed stays so."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await ends_within(_FLUSH_S, producer.stop())
