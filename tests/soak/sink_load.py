"""Results for the sink: many a second, from templates, and what of them lies on the log."""

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from foundation import kafka
from foundation.settings import Settings
from schemas import batch, topics
from schemas.result import CheckResult
from tests.integration.sinks.clickhouse import rig

REGIONS: Final = ("ap", "eu", "us")
FAILING: Final = 0.03
VARIANTS: Final = 4
"""So many messages with other latencies stand for each part of the fleet."""

BAD_LINE: Final = b'{"target":"bad"}\n'
ONE_BAD_IN: Final = 40
"""One message in so many has a bad line."""

_STAMP: Final = 1_234_567_890_123
_AT_ONCE: Final = 200
_GIVE_UP_S: Final = 60.0


class Message(NamedTuple):
    """A message to be: `value` has `_STAMP` where its time belongs."""

    partition: int
    value: bytes
    lines: int


class Truth(Struct, frozen=True, kw_only=True):
    """What lies on [results]."""

    lines: int
    bad: int
    messages: int


class Load:
    """A fleet's results, round by round; each round has times of its own, so no identity twice.

    What is drawn comes from `seed` alone. A send that fails is not repeated: what lies on the log
    is counted there.
    """

    def __init__(self, settings: Settings, *, seed: int, lines: int, bad: bool = False) -> None:
        """`lines` a message; `bad` puts bad lines into some."""
        self._settings = settings
        self._topic = settings.topic(topics.RESULTS.name)
        self._random = random.Random(seed)  # noqa: S311 - to be repeated
        self._parts = [
            [self._message(partition, region, lines, bad) for _ in range(VARIANTS)]
            for partition in range(settings.partitions)
            for region in REGIONS
        ]
        self._at = int(time.time() * 1000) - 7_200_000
        self._stop = asyncio.Event()
        self.sent = 0
        """Lines that were given to a producer."""
        self.failed = 0
        """Producers that had to be made anew."""

    def stop(self) -> None:
        """Ends `run` after what is on its way."""
        self._stop.set()

    async def run(self, rate: float, most: int | None = None) -> None:
        """Sends `rate` lines a second, as well as it goes, until `stop` or `most` lines.

        Returns when the broker has confirmed what it could.
        """
        messages = self._messages()
        began, sent = time.monotonic(), 0
        while not self._stop.is_set() and (most is None or sent < most):
            client = kafka.producer(self._settings, max_batch_size=1_000_000, linger_ms=5)
            try:
                async with asyncio.timeout(_GIVE_UP_S):
                    await client.start()
                while not self._stop.is_set() and (most is None or sent < most):
                    sent += await self._send(client, messages, rate)
                    await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
            except (KafkaError, TimeoutError, OSError):
                self.failed += 1
                await asyncio.sleep(0.2)
            finally:
                await kafka.abandon(client)

    async def _send(
        self, client: AIOKafkaProducer, messages: Iterator[Message], rate: float
    ) -> int:
        lines = 0
        out: list[asyncio.Future[object]] = []
        async with asyncio.timeout(_GIVE_UP_S):
            try:
                # A tenth of a second's worth, then a look at the clock.
                while lines < rate / 10 and len(out) < _AT_ONCE:
                    found = next(messages)
                    lines += found.lines
                    self.sent += found.lines
                    out.append(
                        await client.send(self._topic, found.value, partition=found.partition)
                    )
                await asyncio.gather(*out)
            finally:
                for future in out:
                    future.cancel()
        return lines

    def _messages(self) -> Iterator[Message]:
        while True:
            self._at += 1 + self._random.randrange(20)
            at = str(self._at).encode()
            for variants in self._parts:
                found = self._random.choice(variants)
                value = found.value.replace(str(_STAMP).encode(), at)
                yield Message(found.partition, value, found.lines)

    def _message(self, partition: int, region: str, lines: int, bad: bool) -> Message:
        results = [self._result(f"p{partition}-t{number}", region) for number in range(lines)]
        value = batch.encode(results)
        if bad and self._random.randrange(ONE_BAD_IN) == 0:
            value += BAD_LINE
        return Message(partition, value, lines)

    def _result(self, target: str, region: str) -> CheckResult:
        down = self._random.random() < FAILING
        connect_ms = None if down else round(self._random.lognormvariate(2.5, 0.8), 3)
        return CheckResult(
            target=target,
            kind="tcp",
            host=f"{target}.example.com",
            port=443,
            region=region,
            prober=f"{region}-1",
            scheduled_at=_STAMP,
            started_at=_STAMP,
            status="down" if down else "up",
            reason="timed_out" if down else None,
            attempt=0,
            cause="schedule",
            target_version=1_700_000_000_000,
            address="192.0.2.1",
            dns_ms=round(self._random.random(), 3),
            connect_ms=connect_ms,
            total_ms=None if connect_ms is None else round(connect_ms + 1, 3),
        )


async def made_topics(settings: Settings) -> None:
    """Makes the topics; a busy broker may answer before all of them are there."""

    async def done() -> bool:
        await kafka.create_topics(settings)
        return True

    await rig.until(done)


async def truth(settings: Settings) -> Truth:
    """Reads all of [results] as a plain consumer, every line decoded as strictly as can be."""
    topic = settings.topic(topics.RESULTS.name)
    parts = [TopicPartition(topic, number) for number in range(settings.partitions)]
    lines = bad = messages = 0
    client = kafka.consumer(settings, max_partition_fetch_bytes=1 << 20)
    await client.start()
    try:
        client.assign(parts)
        ends = await client.end_offsets(parts)
        await client.seek_to_beginning(*parts)
        left = {part for part in parts if ends[part]}
        while left:
            for part, records in (await client.getmany(timeout_ms=1000)).items():
                for record in records:
                    good, wrong = batch.decode(record.value)
                    lines += len(good)
                    bad += len(wrong)
                    messages += 1
                if records[-1].offset + 1 >= ends[part]:
                    left.discard(part)
    finally:
        await client.stop()
    return Truth(lines=lines, bad=bad, messages=messages)
