"""Looks again, while a role works, whether it lacks rights: they may be granted and taken away."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiokafka.errors import KafkaError
from prometheus_client import Gauge

from foundation.kafka.authorized import Allowed, allowed, sentence
from foundation.kafka.ready import topics_ready
from foundation.kafka.rights import Right
from foundation.settings import Settings
from foundation.telemetry import logger

EVERY_S: Final = 15.0

MISSING: Final = Gauge(
    "portquorum_kafka_rights_missing",
    "1 for each right that Kafka does not give this process, though its role has use for it.",
    ["resource", "name", "operation"],
)


class RightsWatch:
    """What a role lacks; each change is logged once, and is in the metrics.

    Where everything is allowed, as by a broker without an authorizer, nothing is asked again.
    """

    def __init__(
        self,
        settings: Settings,
        rights: tuple[Right, ...],
        on_change: Callable[[frozenset[Right]], None] = lambda _: None,
        every_s: float = EVERY_S,
    ) -> None:
        """`on_change` is called with what is missing, after each change that `run` sees."""
        self._settings = settings
        self._rights = rights
        self._on_change = on_change
        self._every_s = every_s
        self.missing: frozenset[Right] = frozenset()
        self._found = Allowed()

    async def ready(self) -> None:
        """As `topics_ready`; what the role can do without is said if it is missing.

        Raises:
            TopicMismatchError: the cluster's topics are not those of the settings.
        """
        self._found = await topics_ready(self._settings, self._rights)
        self._take(self._found)

    async def whole(self) -> None:
        """`ready`, then `run`."""
        await self.ready()
        await self.run()

    async def run(self) -> None:
        """Looks again and again, until cancelled; call `ready` before."""
        while not self._found.everything:
            await asyncio.sleep(self._every_s)
            try:
                self._found = await allowed(self._settings, self._rights)
            except (KafkaError, OSError):
                continue  # whoever works with Kafka says so
            if self._take(self._found):
                self._on_change(self.missing)
        await asyncio.get_running_loop().create_future()  # others take an end for a fault

    def _take(self, found: Allowed) -> bool:
        missing = frozenset(found.missing(self._rights))
        lost = [one for one in self._rights if one in missing - self.missing]
        granted = [one for one in self._rights if one in self.missing - missing]
        self.missing = missing
        log = logger(__name__)
        for right in lost:
            MISSING.labels(right.resource, right.name, right.operation).set(1)
        for right in granted:
            MISSING.remove(right.resource, right.name, right.operation)
        needed = [one for one in lost if one.without is None]
        if needed:
            log.error("a right is missing", problem=sentence(self._settings, needed))
        for right in lost:
            if right.without is not None:
                problem = sentence(self._settings, [right])
                log.warning("going on without a right", lacks=right.without, problem=problem)
        if granted:
            log.info("rights are there again", rights=", ".join(map(str, granted)))
        return bool(lost or granted)
