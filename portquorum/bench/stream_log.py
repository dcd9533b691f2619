"""Writes a log that was made in virtual time to [results], with its own append times.

The topic normally stamps messages itself. Here it does not, so that the log has the times of a
fleet that ran for minutes, not those of a program that wrote it within seconds.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from foundation import kafka
from foundation.settings import Settings
from portquorum.bench.stamps import stamped
from portquorum.bench.stream_fleet import FleetMessage
from schemas.topics import RESULTS

_AT_ONCE: Final = 500


class Written(Struct, frozen=True, gc=False):
    """Counts of what was written: messages with results, results, bytes of JSON."""

    messages: int
    results: int
    size: int


async def write(settings: Settings, messages: Iterable[FleetMessage]) -> Written:
    """Creates missing topics and writes all messages in order."""
    await kafka.create_topics(settings)
    async with stamped(settings, RESULTS, "CreateTime"):
        return await _write(settings, messages)


async def _write(settings: Settings, messages: Iterable[FleetMessage]) -> Written:
    topic = settings.topic(RESULTS.name)
    counts = [0, 0, 0]
    client = kafka.producer(
        settings, linger_ms=20, max_batch_size=1 << 20, compression_type=RESULTS.compression
    )
    await client.start()
    try:
        for group in _groups(messages):
            sent = []
            for message in group:
                counts[0] += message.count > 0
                counts[1] += message.count
                counts[2] += len(message.value)
                sent.append(
                    await client.send(
                        topic,
                        message.value,
                        partition=message.partition,
                        timestamp_ms=message.at,
                        headers=message.headers,
                    )
                )
            await asyncio.gather(*sent)
    finally:
        await client.stop()
    return Written(*counts)


def _groups(messages: Iterable[FleetMessage]) -> Iterator[list[FleetMessage]]:
    group: list[FleetMessage] = []
    for message in messages:
        group.append(message)
        if len(group) == _AT_ONCE:
            yield group
            group = []
    yield group
