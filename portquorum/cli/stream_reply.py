"""Sends control records of people, and waits for what the stream makes of each."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from foundation import kafka
from foundation.settings import Settings
from portquorum.speaking.words import Word, answers
from schemas import control, incident, topics
from schemas.incident import IncidentEvent

WAIT_S: Final = 10.0
"""Longest wait for the stream's events, in s. It takes a record within milliseconds."""

_POLL_MS: Final = 200


async def say(
    settings: Settings, words: Sequence[tuple[int, Word]], wait_s: float
) -> dict[str, IncidentEvent]:
    """Writes each word to its partition of [results]; returns the event that answers it.

    Args:
        settings: of the cluster.
        words: partition and record; one for each incident.
        wait_s: longest wait for the events, in s; 0: none.

    Returns:
        by incident id: the event that has the word, or the one that closed the incident before the
        word came. An incident without one was not answered in time; its record is written.

    Raises:
        aiokafka.errors.KafkaError: a record was not written, or the cluster went away.
    """
    producer = kafka.producer(settings)
    await producer.start()
    try:
        async with _listening(settings, {number for number, _ in words}) as consumer:
            for number, word in words:
                await producer.send_and_wait(
                    settings.topic(topics.RESULTS.name),
                    b"",
                    partition=number,
                    headers=control.headers(word),
                )
            return await _replies(consumer, [word for _, word in words], wait_s)
    finally:
        await producer.stop()


@asynccontextmanager
async def _listening(settings: Settings, partitions: set[int]) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that reads [incidents] from its present end on."""
    consumer = kafka.consumer(settings)
    await consumer.start()
    try:
        # An event lies in the partition with the number of its deciding record's.
        topic = settings.topic(topics.INCIDENTS.name)
        assigned = [TopicPartition(topic, number) for number in sorted(partitions)]
        consumer.assign(assigned)
        for partition, end in (await consumer.end_offsets(assigned)).items():
            consumer.seek(partition, end)
        yield consumer
    finally:
        await kafka.leave(consumer, kafka.CLOSE_S)


async def _replies(
    consumer: AIOKafkaConsumer, words: Sequence[Word], wait_s: float
) -> dict[str, IncidentEvent]:
    waiting = {word.incident_id: word for word in words}
    found: dict[str, IncidentEvent] = {}
    until = time.monotonic() + wait_s
    while waiting and (left_s := until - time.monotonic()) > 0:
        timeout_ms = min(_POLL_MS, max(1, round(left_s * 1000)))
        for records in (await consumer.getmany(timeout_ms=timeout_ms)).values():
            for record in records:
                event = _event(record.value)
                word = None if event is None else waiting.get(event.incident_id)
                if event is not None and word is not None and answers(event, word):
                    found[event.incident_id] = event
                    del waiting[event.incident_id]
        await asyncio.sleep(0)
    return found


def _event(value: bytes | None) -> IncidentEvent | None:
    try:
        event = incident.decode(value or b"")
    except msgspec.DecodeError:
        return None  # the sink dead-letters it
    return event if isinstance(event, IncidentEvent) else None
