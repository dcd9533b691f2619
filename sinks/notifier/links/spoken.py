"""Words of people that reached the notifier, as the records that `portquorum` itself writes.

An acknowledgement is the control record on [results] of `portquorum ack`, a silence the record on
[policy] of `portquorum silence add`.
"""

import asyncio
from typing import Final

from foundation.kafka.reconnecting_producer import (
    SEND_ERRORS,
    KeyedMessage,
    ReconnectingProducer,
)
from foundation.settings import Settings
from schemas import control, policy, topics
from schemas.control import Acknowledged
from schemas.incident import IncidentEvent
from schemas.partition import host_key, partition_for
from schemas.plain_text import one_line
from schemas.policy import SILENCES, Silence

WITHIN_S: Final = 5.0
"""Longest wait for the broker, in s."""

LONGEST_NAME: Final = 100
LONGEST_NOTE: Final = 200


class NotWrittenError(OSError):
    """The broker did not confirm the record in time; it may be there all the same."""


class SpokenWords:
    """Writes them, with one producer that is connected at the first one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer = ReconnectingProducer(settings, start_s=WITHIN_S)

    async def acknowledge(self, event: IncidentEvent, by: str, note: str | None) -> None:
        """Acknowledges the incident of `event`.

        Raises:
            NotWrittenError: the record is not confirmed.
        """
        word = Acknowledged(target=event.target, incident_id=event.incident_id, by=by, note=note)
        number = partition_for(host_key(event.host, event.target), self._settings.partitions)
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._producer.connect()
                sent = await self._producer.send(
                    self._settings.topic(topics.RESULTS.name),
                    b"",
                    partition=number,
                    headers=control.headers(word),
                )
                await sent
        except SEND_ERRORS as error:
            await self._producer.give_up()
            raise NotWrittenError(f"the acknowledgement is not confirmed: {error!r}") from error

    async def silence(self, silence: Silence) -> None:
        """Begins a silence.

        Raises:
            NotWrittenError: the record is not confirmed.
        """
        message = KeyedMessage(policy.key(SILENCES, silence), policy.encode(silence))
        topic = self._settings.topic(topics.POLICY.name)
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._producer.write(topic, [message], partition=0)
        except SEND_ERRORS as error:
            raise NotWrittenError(f"the silence is not confirmed: {error!r}") from error

    async def close(self, within_s: float) -> None:
        """Closes the producer."""
        await self._producer.close(within_s / 2, within_s)


def who(text: str, default: str) -> str:
    """A name that somebody typed or a server sent, as a record takes it."""
    return _cut(one_line(text), LONGEST_NAME) or default


def note_of(text: str) -> str | None:
    """A note from outside, as a record takes it."""
    return _cut(one_line(text), LONGEST_NOTE) or None


def _cut(text: str, most: int) -> str:
    return " ".join(text.split())[:most].strip()
