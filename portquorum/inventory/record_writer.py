"""Writes what a publication of targets consists of, in the promised order."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from aiokafka import AIOKafkaProducer

from foundation.settings import Settings
from portquorum.inventory.plan import Removal, encode, home
from producers.schedule.schedule import phase_ms
from schemas import control, policy, topics
from schemas.control import TargetRemoved, TargetResumed, TargetSet
from schemas.policy import Pause
from schemas.target import Target

CHUNK: Final = 2000
"""Number of sends that wait for acknowledgements at a time."""


class RecordWriter:
    """Sends records of an inventory by a started producer; each method returns confirmed.

    Everything that publishes targets does so by this class: `apply`, drills, the page.
    """

    def __init__(
        self,
        settings: Settings,
        producer: AIOKafkaProducer,
        on_confirmed: Callable[[int], None] = lambda _count: None,
    ) -> None:
        """`on_confirmed` is called with the number of records of each confirmation."""
        self._settings = settings
        self._producer = producer
        self._on_confirmed = on_confirmed

    async def targets(
        self,
        removals: Sequence[Removal],
        targets: Iterable[Target],
        pauses: Mapping[str, Pause] = MappingProxyType({}),
    ) -> None:
        """Writes removals and definitions; each step is confirmed before the next.

        The stream has to know a target before anybody checks it, and has to know of a removal
        before a prober stops: control records first. `pauses` are those of [policy] in force, by
        target id: the stream must know one before the target, which may be new in its partition.

        Raises:
            KafkaError, OSError: some may be written.
        """
        # In the order in which they will be checked: the stream lays them in memory as they come,
        # and finds the next one sooner beside the last.
        ordered = sorted(targets, key=_turn)
        partitions = self._settings.partitions
        await self._all(self._control(one.partition, _removed(one)) for one in removals)
        await self.paused(ordered, pauses)
        await self._all(self._control(home(one, partitions), TargetSet(one)) for one in ordered)
        await self._all(self._target(one.partition, one.target.id, None) for one in removals)
        await self._all(self._target(home(one, partitions), one.id, encode(one)) for one in ordered)

    async def paused(self, targets: Iterable[Target], pauses: Mapping[str, Pause]) -> None:
        """Tells the stream of the pauses that these targets have."""
        partitions = self._settings.partitions
        await self._all(
            self._control(home(one, partitions), control.paused(pauses[one.id]))
            for one in targets
            if one.id in pauses
        )

    async def ended(
        self, targets: Iterable[Target], told: Mapping[str, Pause], there: Collection[str]
    ) -> None:
        """Tells the stream of pauses that ended while it was told of them.

        `told` are the pauses that `targets` was given, `there` the ids that [policy] says are
        paused, read after that. The stream would keep such a pause for ever, and nobody would see
        it: probers go by [policy].
        """
        partitions = self._settings.partitions
        await self._all(
            self._control(home(one, partitions), TargetResumed(target=one.id, by=told[one.id].by))
            for one in targets
            if one.id in told and one.id not in there
        )

    async def entries(self, entries: Iterable[tuple[bytes, policy.Policy | None]]) -> None:
        """Writes entries of [policy] by key; None removes one."""
        await self._all(self.send_policy(key, entry) for key, entry in entries)

    async def send_policy(self, key: bytes, entry: policy.Policy | None) -> Awaitable[object]:
        """Sends an entry of [policy]; the result is the broker's confirmation."""
        value = None if entry is None else policy.encode(entry)
        topic = self._settings.topic(topics.POLICY.name)
        sent: Awaitable[object] = await self._producer.send(topic, value, key=key, partition=0)
        return sent

    async def _all(self, sends: Iterable[Awaitable[Awaitable[object]]]) -> None:
        waiting: list[Awaitable[object]] = []
        for send in sends:
            waiting.append(await send)
            if len(waiting) >= CHUNK:
                await self._confirmed(waiting)
        await self._confirmed(waiting)

    async def _confirmed(self, waiting: list[Awaitable[object]]) -> None:
        if waiting:
            await asyncio.gather(*waiting)
            self._on_confirmed(len(waiting))
            waiting.clear()

    async def _control(self, partition: int, record: control.Control) -> Awaitable[object]:
        sent: Awaitable[object] = await self._producer.send(
            self._settings.topic(topics.RESULTS.name),
            b"",
            partition=partition,
            headers=control.headers(record),
        )
        return sent

    async def _target(
        self, partition: int, target_id: str, value: bytes | None
    ) -> Awaitable[object]:
        topic = self._settings.topic(topics.TARGETS.name)
        key = target_id.encode()
        sent: Awaitable[object] = await self._producer.send(
            topic, value, key=key, partition=partition
        )
        return sent


def _turn(target: Target) -> tuple[int, int]:
    return target.interval_ms, phase_ms(target.id, target.interval_ms)


def _removed(removal: Removal) -> TargetRemoved:
    return TargetRemoved(
        target=removal.target.id,
        version=removal.version,
        because="target_changed" if removal.moved else "removed",
    )
