"""Follows [policy] for its routes and teams, and for what spares people."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from foundation import telemetry
from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import policy, topics
from schemas.policy import DRILLS, PAUSES, SILENCES, DrillDone, Pause, Silence
from sinks.notifier.routing import Routes

AGAIN_S = 1.0

_log = telemetry.logger(__name__)


class PolicyFollower:
    """The routes and teams of [policy], kept up to date."""

    def __init__(self, settings: Settings, on_change: Callable[[], None] = lambda: None) -> None:
        """`on_change` is called after each change."""
        self._settings = settings
        self._on_change = on_change
        self._entries: dict[bytes, policy.Policy] = {}
        self._present = asyncio.Event()
        self._routes: Routes | None = None

    @property
    def entries(self) -> Mapping[bytes, policy.Policy]:
        """The present entries by their keys."""
        return self._entries

    @property
    def routes(self) -> Routes:
        """The present routes; sorted on request, not after each of many changes."""
        if self._routes is None:
            self._routes = Routes.of(self._entries.values())
        return self._routes

    async def run(self) -> None:
        """Follows the topic until it is cancelled; waits while the cluster is away."""
        while True:
            try:
                topic = self._settings.topic(topics.POLICY.name)
                async with Follower(self._settings, topic) as follower:
                    # What was removed, and compacted away while nobody followed, is not in it.
                    entries: dict[bytes, policy.Policy] = {}
                    async for record in follower.present():
                        _take(record, entries)
                    self._entries, self._routes = entries, None
                    self._present.set()
                    self._on_change()
                    async for record in follower.changes():
                        _take(record, entries)
                        self._routes = None
                        self._on_change()
            except (KafkaError, LookupError, OSError) as error:
                _log.warning("routes can't be followed, beginning again", error=repr(error))
                await asyncio.sleep(AGAIN_S)

    async def present(self) -> None:
        """Waits until the routes are those of the topic's end at start."""
        await self._present.wait()


def _take(record: ConsumerRecord, entries: dict[bytes, policy.Policy]) -> None:
    if record.key is None:
        return
    entries.pop(record.key, None)
    if record.value:
        try:
            entry = policy.decode(record.value)
        except msgspec.DecodeError:
            _log.warning("an entry of the policy can't be read", key=repr(record.key)[:200])
            return
        if isinstance(entry, Silence) and record.key != policy.key(SILENCES, entry):
            # Nobody could see or end it.
            _log.warning("a silence of another source is none", key=repr(record.key)[:200])
            return
        if isinstance(entry, Pause) and record.key != policy.key(PAUSES, entry):
            _log.warning("a pause of another source is none", key=repr(record.key)[:200])
            return
        if isinstance(entry, DrillDone) and record.key != policy.key(DRILLS, entry):
            _log.warning("a fire drill of another source is none", key=repr(record.key)[:200])
            return
        entries[record.key] = entry
