"""The records of pauses: in [policy] for probers and people, in [results] for the stream.

What the stream believes to be paused must always be paused in [policy] too: the other way round a
target would be checked and its results ignored, and nobody would see it. So a pause is written to
[policy] first, and its end to [results] first. Who is killed in between leaves a target that nobody
checks and that [policy] calls paused; the same command once more completes it.

Two may pause and resume a target at the same moment, in any order on the two logs. So who pauses
looks at [policy] afterwards, and takes back what somebody has ended meanwhile; who resumes says so
to the stream once more at the end.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaProducer

from foundation import kafka
from foundation.settings import Settings
from portquorum.inventory.present import pauses_of, read_policy
from schemas import control, policy, topics
from schemas.control import Control, TargetResumed
from schemas.policy import PAUSES, Pause

CHUNK: Final = 2000
"""Number of sends that wait for acknowledgements at a time."""


def key_of(target: str) -> bytes:
    """The message key of the pause of a target in [policy]."""
    return f"{PAUSES}/pause/{target}".encode()


async def pause(settings: Settings, pauses: Sequence[Pause], homes: Mapping[str, int]) -> None:
    """Pauses targets; on return the broker has confirmed all of it.

    `homes` has the partition of each target; one without a home is paused in [policy] alone, and
    `inventory apply` tells the stream when it sets the target. A later pause of a target replaces
    the earlier one.

    Raises:
        aiokafka.errors.KafkaError: one was not written; all can be written again.
    """
    async with kafka.producer(settings, linger_ms=5) as producer:
        writer = _Writer(settings, producer)
        await writer.policy({key_of(one.name): policy.encode(one) for one in pauses})
        told = [one for one in pauses if one.name in homes]
        await writer.control([(homes[one.name], control.paused(one)) for one in told])
        if not told:
            return
        there = pauses_of((await read_policy(settings)).values())
        ended = [one for one in told if one.name not in there]
        await writer.control(
            [(homes[one.name], TargetResumed(target=one.name, by=one.by)) for one in ended]
        )


async def resume(
    settings: Settings, targets: Sequence[str], by: str, homes: Mapping[str, int]
) -> None:
    """Ends the pauses of targets; on return the broker has confirmed all of it.

    It does no harm to a target that is not paused. `homes` as of `pause`.

    Raises:
        aiokafka.errors.KafkaError: one was not written; all can be written again.
    """
    async with kafka.producer(settings, linger_ms=5) as producer:
        writer = _Writer(settings, producer)
        said = [(homes[one], TargetResumed(target=one, by=by)) for one in targets if one in homes]
        await writer.control(said)
        await writer.policy({key_of(one): None for one in targets})
        await writer.control(said)


class _Writer:
    """Writes records; all of a call are confirmed when it returns."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._results = settings.topic(topics.RESULTS.name)
        self._policy = settings.topic(topics.POLICY.name)

    async def policy(self, entries: Mapping[bytes, bytes | None]) -> None:
        waiting = []
        for key, value in entries.items():
            waiting.append(await self._producer.send(self._policy, value, key=key, partition=0))
            if len(waiting) >= CHUNK:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)

    async def control(self, records: Sequence[tuple[int, Control]]) -> None:
        waiting = []
        for partition, record in records:
            headers = control.headers(record)
            waiting.append(
                await self._producer.send(self._results, b"", partition=partition, headers=headers)
            )
            if len(waiting) >= CHUNK:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)


__all__ = ["key_of", "pause", "pauses_of", "resume"]
