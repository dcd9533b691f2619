"""Follows [policy] for its routes and teams."""

import asyncio

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from foundation import telemetry
from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import policy, topics
from sinks.notifier.routing import Routes

AGAIN_S = 1.0

_log = telemetry.logger(__name__)


class PolicyFollower:
    """The routes and teams of [policy], kept up to date."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._entries: dict[bytes, policy.Policy] = {}
        self._present = asyncio.Event()
        self._routes: Routes | None = None

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
                    async for record in follower.present():
                        self._take(record)
                    self._present.set()
                    async for record in follower.changes():
                        self._take(record)
            except (KafkaError, LookupError, OSError) as error:
                _log.warning("routes can't be followed, beginning again", error=repr(error))
                await asyncio.sleep(AGAIN_S)

    async def present(self) -> None:
        """Waits until the routes are those of the topic's end at start."""
        await self._present.wait()

    def _take(self, record: ConsumerRecord) -> None:
        if record.key is None:
            return
        self._routes = None
        self._entries.pop(record.key, None)
        if record.value:
            try:
                self._entries[record.key] = policy.decode(record.value)
            except msgspec.DecodeError:
                _log.warning("an entry of the policy can't be read", key=repr(record.key)[:200])
