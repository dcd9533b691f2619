"""The silences in [policy], and those that the active notifier says it heeds."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec
from aiokafka import ConsumerRecord

from foundation import kafka
from foundation.kafka import Follower
from foundation.settings import Settings
from portquorum.inventory.present import PolicyKept
from schemas import notifier_state, policy, topics
from schemas.notifier_state import SILENCES_KEY, TERM_KEY, SilencesInForce, Term
from schemas.policy import SILENCES, Silence

CONFIRM_S: Final = 10.0
"""Longest wait for the notifier, in s. It follows [policy] and answers within milliseconds."""

InForce = Mapping[str, int]
"""By the ids of silences the `ends_at` that the active notifier knows."""


def silences_of(kept: Iterable[PolicyKept]) -> dict[str, Silence]:
    """The silences among the entries of [policy], by id; those of other sources are none."""
    return {
        one.entry.name: one.entry
        for one in kept
        if isinstance(one.entry, Silence) and one.source == SILENCES
    }


async def write(settings: Settings, silences: Sequence[Silence]) -> None:
    """Writes the records; on return the broker has confirmed them. The notifier removes old ones.

    Raises:
        aiokafka.errors.KafkaError: one was not written.
    """
    producer = kafka.producer(settings)
    await producer.start()
    try:
        topic = settings.topic(topics.POLICY.name)
        for one in silences:
            key, value = policy.key(SILENCES, one), policy.encode(one)
            await producer.send_and_wait(topic, value, key=key, partition=0)
    finally:
        await producer.stop()


async def in_force(settings: Settings) -> InForce | None:
    """The silences that the active notifier heeds; None if none has ever said so."""
    seen = _Seen()
    with suppress(LookupError):  # no notifier has run
        async with Follower(settings, settings.topic(topics.NOTIFIER_STATE.name)) as follower:
            async for record in follower.present():
                seen.take(record)
    return seen.silences


async def confirmed(
    settings: Settings, silences: Sequence[Silence], now: Callable[[], int], wait_s: float
) -> bool:
    """Waits until the active notifier heeds the silences as they are, at most `wait_s` seconds.

    One that has ended need only not be heeded any more.
    """
    seen = _Seen()
    with suppress(TimeoutError, LookupError):
        async with (
            asyncio.timeout(wait_s),
            Follower(settings, settings.topic(topics.NOTIFIER_STATE.name)) as follower,
        ):
            async for record in follower.present():
                seen.take(record)
            if seen.knows(silences, now()):
                return True
            async for record in follower.changes():
                seen.take(record)
                if seen.knows(silences, now()):
                    return True
    return False


class _Seen:
    """The newest valid word of a notifier: what a former one says after a newer term is none."""

    def __init__(self) -> None:
        self.silences: InForce | None = None
        self._term = 0

    def take(self, record: ConsumerRecord) -> None:
        if record.key not in {SILENCES_KEY, TERM_KEY} or not record.value:
            return
        try:
            found = notifier_state.decode(record.value)
        except msgspec.DecodeError:
            return
        if not isinstance(found, SilencesInForce | Term) or found.term < self._term:
            return
        self._term = found.term
        if isinstance(found, SilencesInForce):
            self.silences = found.silences

    def knows(self, silences: Sequence[Silence], now: int) -> bool:
        known = self.silences
        if known is None:
            return False
        return all(_heeded(known.get(one.name), one, now) for one in silences)


def _heeded(known: int | None, one: Silence, now: int) -> bool:
    if one.ends_at > now:
        return known == one.ends_at
    return known is None or known <= now
