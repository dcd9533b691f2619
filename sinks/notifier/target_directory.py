"""Follows [targets] for what decides who is told: names, tags, dependencies, how long it takes."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from foundation import telemetry
from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import target, topics
from sinks.notifier import metrics
from sinks.notifier.facts_table import FactsTable
from sinks.notifier.model import TargetFacts

AGAIN_S: Final = 1.0
REST_EVERY: Final = 500
"""Records after which other tasks have their turn: a hundred thousand take a second or two."""

_log = telemetry.logger(__name__)


class TargetDirectory:
    """The facts of all targets of [targets], kept up to date."""

    def __init__(
        self, settings: Settings, on_change: Callable[[Iterable[str]], None] = lambda _: None
    ) -> None:
        """`on_change` is called with the ids of targets whose facts have changed."""
        self._settings = settings
        self._on_change = on_change
        self._table = FactsTable()
        self._present = asyncio.Event()

    @property
    def on_hosts(self) -> int:
        """The number of targets on hosts; 0 before they were read for the first time."""
        return self._table.on_hosts

    def facts_of(self, target_id: str) -> TargetFacts | None:
        """What is known of a target, None if nothing is."""
        return self._table.of(target_id)

    async def run(self) -> None:
        """Follows the topic until it is cancelled; waits while the cluster is away."""
        while True:
            try:
                await self._follow()
            except (KafkaError, LookupError, OSError) as error:
                _log.warning("targets can't be followed, beginning again", error=repr(error))
                await asyncio.sleep(AGAIN_S)

    async def present(self, within_s: float) -> bool:
        """Waits until the facts are those of the topic's end at start; False if it took longer."""
        try:
            async with asyncio.timeout(within_s):
                await self._present.wait()
        except TimeoutError:
            return False
        return True

    async def _follow(self) -> None:
        topic = self._settings.topic(topics.TARGETS.name)
        async with Follower(self._settings, topic) as follower:
            # What was removed, and compacted away while nobody followed, is not in it.
            table, count = FactsTable(), 0
            async for record in follower.present():
                _take(record, table)
                count += 1
                if count % REST_EVERY == 0:
                    await asyncio.sleep(0)
            before, self._table = self._table, table
            self._present.set()
            self._on_change(before.differing(table))
            async for record in follower.changes():
                changed = _take(record, table)
                if changed is not None:
                    self._on_change((changed,))
                count += 1
                if count % REST_EVERY == 0:
                    await asyncio.sleep(0)


def _take(record: ConsumerRecord, table: FactsTable) -> str | None:
    """Takes a record; the id of the target whose facts it has changed, if any."""
    if record.value is None:
        key = (record.key or b"").decode(errors="replace")
        return key if table.remove(record.partition, key) else None
    try:
        found = target.decode(record.value)
    except msgspec.DecodeError:
        metrics.UNREADABLE.inc()  # the sink dead-letters it
        return None
    return found.id if table.define(record.partition, found) else None
